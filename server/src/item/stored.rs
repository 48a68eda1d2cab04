//! Items: a header and the attributes, as they are stored.

use std::fmt;

use bytes::Bytes;

use super::encoder::Encoder;
use super::error::CorruptItem;
use super::layout::{HEADER_BYTES, VERSION, take_entry};
use super::value::{MapRef, Value, ValueRef};
use crate::wire::json::Writer;

/// An item that owns its bytes. Cloning shares them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Item(Bytes);

impl Item {
    /// An item without attributes.
    pub fn empty() -> Item {
        ItemBuilder::new().build()
    }

    /// The item whose bytes the store has, checked as [`ItemRef::from_stored`] does.
    pub fn from_stored(bytes: Bytes) -> Result<Item, CorruptItem> {
        ItemRef::from_stored(&bytes)?;
        Ok(Item(bytes))
    }

    /// The bytes to store.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The item, to look at.
    pub fn as_ref(&self) -> ItemRef<'_> {
        ItemRef(&self.0)
    }

    /// See [`ItemRef::get`].
    pub fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        self.as_ref().get(name)
    }

    /// The attributes, each value on its own; they share the item's bytes.
    pub fn values(&self) -> impl Iterator<Item = (&str, Value)> + Clone {
        let shared = |value: ValueRef<'_>| Value::shared(self.0.slice_ref(value.as_bytes()));
        self.iter().map(move |(name, value)| (name, shared(value)))
    }

    /// See [`ItemRef::iter`].
    pub fn iter(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> + Clone {
        self.as_ref().iter()
    }

    /// See [`ItemRef::size`].
    pub fn size(&self) -> usize {
        self.as_ref().size()
    }

    /// See [`ItemRef::len`].
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether it has no attributes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// See [`ItemRef::write_json`].
    pub fn write_json(&self, writer: &mut Writer) {
        self.as_ref().write_json(writer);
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl<'v, N: AsRef<str>> FromIterator<(N, ValueRef<'v>)> for Item {
    fn from_iter<I: IntoIterator<Item = (N, ValueRef<'v>)>>(attributes: I) -> Self {
        let mut builder = ItemBuilder::new();
        for (name, value) in attributes {
            builder.put(name.as_ref(), value);
        }
        builder.build()
    }
}

/// An item in the bytes of someone else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ItemRef<'a>(&'a [u8]);

impl<'a> ItemRef<'a> {
    /// The item that the store has in `bytes`.
    ///
    /// Checks the header, and that the attributes fill the bytes: a few instructions for each
    /// attribute. With that no view of the item can go beyond it. The store's checksums vouch for the
    /// rest, which [`ItemRef::verify`] could check; bytes that are wrong there read as wrong values,
    /// or as missing ones, and never cause a panic.
    pub fn from_stored(bytes: &'a [u8]) -> Result<ItemRef<'a>, CorruptItem> {
        let item = ItemRef(bytes);
        if bytes.len() < HEADER_BYTES {
            return Err(CorruptItem::new(bytes.len(), "a header"));
        }
        if bytes.first() != Some(&VERSION) {
            return Err(CorruptItem::new(0, "format version 1"));
        }
        let mut rest = item.entries();
        let mut count = 0;
        while !rest.is_empty() {
            let Some((_, _, after)) = take_entry(rest) else {
                return Err(CorruptItem::new(bytes.len() - rest.len(), "an attribute"));
            };
            rest = after;
            count += 1;
        }
        if count != item.len() {
            return Err(CorruptItem::new(5, "the number of attributes"));
        }
        Ok(item)
    }

    /// Checks everything that the layout demands, down to the last nested value.
    pub fn verify(self) -> Result<(), CorruptItem> {
        super::verify::item(self)
    }

    /// The encoded item.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The item without the attributes that are not in `names`, which are sorted as an item's are:
    /// one pass over both.
    pub fn only(self, names: &[Box<str>]) -> Item {
        let mut names = names.iter().map(AsRef::<str>::as_ref).peekable();
        let mut builder = ItemBuilder::new();
        for (name, value) in self.iter() {
            while names.peek().is_some_and(|wanted| *wanted < name) {
                names.next();
            }
            if names.peek() == Some(&name) {
                builder.put(name, value);
            }
        }
        builder.build()
    }

    /// The attributes, encoded.
    pub(super) fn entries(self) -> &'a [u8] {
        self.0.get(HEADER_BYTES..).unwrap_or_default()
    }

    fn header(self, place: usize) -> usize {
        let field = self.0.get(place..).and_then(|rest| rest.first_chunk());
        usize::try_from(field.map_or(0, |field| u32::from_le_bytes(*field))).unwrap_or_default()
    }

    /// The attributes, as those of a map.
    pub fn as_map(self) -> MapRef<'a> {
        MapRef::of(self.entries())
    }

    /// The value of that attribute.
    pub fn get(self, name: &str) -> Option<ValueRef<'a>> {
        self.as_map().get(name)
    }

    /// The attributes, in order of their names.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + Clone {
        self.as_map().iter()
    }

    /// The item's size by DynamoDB's arithmetic: names, and values by [`ValueRef::size`].
    pub fn size(self) -> usize {
        self.header(1)
    }

    /// How many attributes it has.
    pub fn len(self) -> usize {
        self.header(5)
    }

    /// Whether it has no attributes.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The item on its own.
    pub fn to_item(self) -> Item {
        Item(Bytes::copy_from_slice(self.0))
    }

    /// Writes `{"name":{"S":"…"},…}`.
    pub fn write_json(self, writer: &mut Writer) {
        super::json::encode_entries(self.as_map(), writer);
    }
}

impl fmt::Debug for ItemRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::new();
        self.write_json(&mut writer);
        f.write_str(&String::from_utf8_lossy(writer.as_bytes()))
    }
}

/// Puts an item together, attribute by attribute, in any order. Attributes that come in order of
/// their names cost no sorting.
#[derive(Debug)]
pub struct ItemBuilder {
    encoder: Encoder,
    open: super::encoder::Open,
    size: usize,
}

impl Default for ItemBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ItemBuilder {
    /// Without attributes yet.
    pub fn new() -> Self {
        Self::with_capacity(256)
    }

    /// With room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut encoder = Encoder::with_capacity(bytes);
        encoder.raw(&[VERSION, 0, 0, 0, 0, 0, 0, 0, 0]);
        let open = encoder.begin_body();
        Self {
            encoder,
            open,
            size: 0,
        }
    }

    /// Adds an attribute. Of the same name the last one counts.
    pub fn put(&mut self, name: &str, value: ValueRef<'_>) -> &mut Self {
        self.size += name.len() + value.size();
        self.encoder.name(name);
        self.encoder.value(value);
        self
    }

    /// Adds an attribute, as part of an expression.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.put(name, value.into().as_ref());
        self
    }

    /// The encoder, where the values are written from elsewhere; the name comes first.
    pub(super) fn name(&mut self, name: &str) -> &mut Encoder {
        self.size += name.len();
        self.encoder.name(name);
        &mut self.encoder
    }

    /// Accounts for a value that was written by way of [`ItemBuilder::name`].
    pub(super) fn account(&mut self, size: usize) {
        self.size += size;
    }

    /// The item.
    pub fn build(mut self) -> Item {
        let (count, keys) = self.encoder.end_body(&self.open);
        if keys == super::encoder::Keys::Repeated {
            let entries = MapRef::of(self.encoder.bytes_from(HEADER_BYTES));
            self.size = entries
                .iter()
                .map(|(name, value)| name.len() + value.size())
                .sum();
        }
        for (place, field) in [(1, self.size), (5, count)] {
            let field = u32::try_from(field).unwrap_or(u32::MAX);
            self.encoder.patch(place, &field.to_le_bytes());
        }
        Item(self.encoder.finish().into())
    }
}
