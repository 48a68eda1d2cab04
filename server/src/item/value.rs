//! Values: owned, borrowed, and views of what they hold.

use std::cmp::Ordering;
use std::fmt;

use bytes::Bytes;

use super::encoder::Encoder;
use super::layout::{
    BINARY, BINARY_SET, CONTAINER_HEADER, FALSE, LIST, MAP, NULL, NUMBER_FIRST, NUMBER_LAST,
    NUMBER_SET, STRING, STRING_SET, TRUE, WALK_DEPTH, take_entry, take_prefixed, take_value,
};
use super::number::Number;
use crate::wire::json::Writer;

/// The ten types of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
    /// Boolean.
    Bool,
    /// Null.
    Null,
    /// Map.
    M,
    /// List.
    L,
    /// String set.
    SS,
    /// Number set.
    NS,
    /// Binary set.
    BS,
}

impl Kind {
    /// The type's name in requests: `S`, `BOOL`, `NS`, ….
    pub fn name(self) -> &'static str {
        match self {
            Kind::S => "S",
            Kind::N => "N",
            Kind::B => "B",
            Kind::Bool => "BOOL",
            Kind::Null => "NULL",
            Kind::M => "M",
            Kind::L => "L",
            Kind::SS => "SS",
            Kind::NS => "NS",
            Kind::BS => "BS",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Some(match name {
            "S" => Kind::S,
            "N" => Kind::N,
            "B" => Kind::B,
            "BOOL" => Kind::Bool,
            "NULL" => Kind::Null,
            "M" => Kind::M,
            "L" => Kind::L,
            "SS" => Kind::SS,
            "NS" => Kind::NS,
            "BS" => Kind::BS,
            _ => return None,
        })
    }

    /// The type of a set's elements.
    pub fn element(self) -> Option<Kind> {
        match self {
            Kind::SS => Some(Kind::S),
            Kind::NS => Some(Kind::N),
            Kind::BS => Some(Kind::B),
            _ => None,
        }
    }

    /// The set type whose elements are of this type.
    pub fn set(self) -> Option<Kind> {
        match self {
            Kind::S => Some(Kind::SS),
            Kind::N => Some(Kind::NS),
            Kind::B => Some(Kind::BS),
            _ => None,
        }
    }

    /// The first byte of a set of this type.
    pub(super) fn set_tag(self) -> Option<u8> {
        match self {
            Kind::SS => Some(STRING_SET),
            Kind::NS => Some(NUMBER_SET),
            Kind::BS => Some(BINARY_SET),
            _ => None,
        }
    }
}

/// A value in the bytes of someone else: an item, a request, a set's element.
///
/// Two values are equal if their bytes are, which is what the canonical layout is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValueRef<'a>(&'a [u8]);

impl<'a> ValueRef<'a> {
    /// The value NULL.
    pub const NULL: ValueRef<'static> = ValueRef(&[NULL]);

    /// `bytes` have to be one value as [`take_value`] delimits it.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        ValueRef(bytes)
    }

    /// The encoded value.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    fn tag(self) -> u8 {
        self.0.first().copied().unwrap_or(NULL)
    }

    /// Its type.
    pub fn kind(self) -> Kind {
        match self.tag() {
            STRING => Kind::S,
            BINARY => Kind::B,
            FALSE | TRUE => Kind::Bool,
            LIST => Kind::L,
            MAP => Kind::M,
            STRING_SET => Kind::SS,
            NUMBER_SET => Kind::NS,
            BINARY_SET => Kind::BS,
            NUMBER_FIRST..=NUMBER_LAST => Kind::N,
            _ => Kind::Null,
        }
    }

    /// What a string or binary value holds.
    pub(super) fn content(self) -> &'a [u8] {
        let rest = self.0.get(1..).unwrap_or_default();
        take_prefixed(rest).map_or(&[], |(content, _)| content)
    }

    /// What a container holds.
    pub(super) fn body(self) -> &'a [u8] {
        self.0.get(CONTAINER_HEADER..).unwrap_or_default()
    }

    /// The text of a string.
    pub fn as_str(self) -> Option<&'a str> {
        (self.tag() == STRING).then(|| text(self.content()))
    }

    /// The number.
    pub fn as_number(self) -> Option<Number> {
        matches!(self.tag(), NUMBER_FIRST..=NUMBER_LAST)
            .then(|| Number::from_bytes(self.number_bytes()))
            .flatten()
    }

    fn number_bytes(self) -> &'a [u8] {
        self.0.get(1..).unwrap_or_default()
    }

    /// The bytes of a binary value.
    pub fn as_binary(self) -> Option<&'a [u8]> {
        (self.tag() == BINARY).then(|| self.content())
    }

    /// The truth of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.tag() {
            TRUE => Some(true),
            FALSE => Some(false),
            _ => None,
        }
    }

    /// Whether it is NULL.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The entries of a map.
    pub fn as_map(self) -> Option<MapRef<'a>> {
        (self.tag() == MAP).then(|| MapRef(self.body()))
    }

    /// The elements of a list.
    pub fn as_list(self) -> Option<ListRef<'a>> {
        (self.tag() == LIST).then(|| ListRef(self.body()))
    }

    /// The elements of a set.
    pub fn as_set(self) -> Option<SetRef<'a>> {
        self.kind().element().map(|_| SetRef { body: self.body() })
    }

    /// What a list or set holds.
    pub(super) fn values(self) -> Values<'a> {
        Values(self.body())
    }

    /// The value of that name, if this is a map that has it.
    pub fn get(self, name: &str) -> Option<ValueRef<'a>> {
        self.as_map()?.get(name)
    }

    /// The element at that place, if this is a list that long.
    pub fn index(self, place: usize) -> Option<ValueRef<'a>> {
        self.as_list()?.iter().nth(place)
    }

    /// What orders this value among those of its type: defined for S, N and B.
    pub(super) fn order_bytes(self) -> Option<&'a [u8]> {
        match self.kind() {
            Kind::S | Kind::B => Some(self.content()),
            Kind::N => Some(self.number_bytes()),
            _ => None,
        }
    }

    /// What the value costs in the size of an item, by DynamoDB's arithmetic: the bytes of a string
    /// or binary value, [`Number::size`], one for NULL and BOOL, the elements of a set; and for lists
    /// and maps three, and one for each element beside its value and name.
    pub fn size(self) -> usize {
        self.size_within(WALK_DEPTH)
    }

    fn size_within(self, depth: usize) -> usize {
        match self.kind() {
            Kind::S | Kind::B => self.content().len(),
            Kind::N => self.as_number().map_or(0, |number| number.size()),
            Kind::Bool | Kind::Null => 1,
            _ if depth == 0 => 0,
            Kind::SS | Kind::NS | Kind::BS => Values(self.body())
                .map(|value| value.size_within(depth - 1))
                .sum(),
            Kind::L => {
                let elements = Values(self.body());
                3 + elements
                    .map(|value| 1 + value.size_within(depth - 1))
                    .sum::<usize>()
            }
            Kind::M => {
                let entries = Entries(self.body());
                3 + entries
                    .map(|(name, value)| 1 + name.len() + value.size_within(depth - 1))
                    .sum::<usize>()
            }
        }
    }

    /// How many levels it nests: 1 for a scalar, a set and an empty container.
    pub fn depth(self) -> usize {
        self.depth_within(WALK_DEPTH)
    }

    fn depth_within(self, depth: usize) -> usize {
        let held = match self.kind() {
            _ if depth == 0 => None,
            Kind::L => Values(self.body())
                .map(|value| value.depth_within(depth - 1))
                .max(),
            Kind::M => Entries(self.body())
                .map(|(_, value)| value.depth_within(depth - 1))
                .max(),
            _ => None,
        };
        1 + held.unwrap_or(0)
    }

    /// The value on its own.
    pub fn to_value(self) -> Value {
        Value(Bytes::copy_from_slice(self.0))
    }

    /// Writes `{"S":"…"}`.
    pub fn write_json(self, writer: &mut Writer) {
        super::json::encode_value(self, writer);
    }
}

/// The order of two strings, numbers or binary values. Values of different types have none, and those
/// of any other type neither, even if they are equal: DynamoDB's `<=` does not hold for two lists.
impl PartialOrd for ValueRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.kind() != other.kind() {
            return None;
        }
        Some(self.order_bytes()?.cmp(other.order_bytes()?))
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::new();
        self.write_json(&mut writer);
        f.write_str(&String::from_utf8_lossy(writer.as_bytes()))
    }
}

/// Text that was checked when it came in. Damaged bytes, which a checksum has to have let through,
/// read as no text rather than as other text.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The entries of a map, or the attributes of an item, in order of their names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MapRef<'a>(&'a [u8]);

impl<'a> MapRef<'a> {
    pub(super) fn of(entries: &'a [u8]) -> Self {
        MapRef(entries)
    }

    /// The value of that name.
    pub fn get(self, name: &str) -> Option<ValueRef<'a>> {
        let mut rest = self.0;
        while let Some((found, value, after)) = take_entry(rest) {
            match found.cmp(name.as_bytes()) {
                Ordering::Less => rest = after,
                Ordering::Equal => return Some(ValueRef(value)),
                Ordering::Greater => return None,
            }
        }
        None
    }

    /// Names and values.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + Clone {
        Entries(self.0).map(|(name, value)| (text(name), value))
    }

    /// Names, as the bytes that they came in as, and values.
    pub(super) fn iter_bytes(self) -> impl Iterator<Item = (&'a [u8], ValueRef<'a>)> + Clone {
        Entries(self.0)
    }

    /// How many entries there are. Counts them.
    pub fn len(self) -> usize {
        Entries(self.0).count()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// Names, as bytes, and values.
#[derive(Clone)]
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a [u8], ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value, rest) = take_entry(self.0)?;
        self.0 = rest;
        Some((name, ValueRef(value)))
    }
}

/// The elements of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ListRef<'a>(&'a [u8]);

impl<'a> ListRef<'a> {
    /// The element at that place. Steps over those before it.
    pub fn get(self, place: usize) -> Option<ValueRef<'a>> {
        self.iter().nth(place)
    }

    /// The elements, in order.
    pub fn iter(self) -> Values<'a> {
        Values(self.0)
    }

    /// How many elements there are. Counts them.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// The elements of a set, which are strings, numbers or binary values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SetRef<'a> {
    body: &'a [u8],
}

impl<'a> SetRef<'a> {
    /// Whether the set has this element.
    pub fn contains(self, element: ValueRef<'_>) -> bool {
        self.iter().any(|value| value == element)
    }

    /// The elements, in order.
    pub fn iter(self) -> Values<'a> {
        Values(self.body)
    }

    /// How many elements there are. Counts them.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether there are none, which no set in an item is.
    pub fn is_empty(self) -> bool {
        self.body.is_empty()
    }
}

/// Iterates over the values of a list or set.
#[derive(Clone)]
pub struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (value, rest) = take_value(self.0)?;
        self.0 = rest;
        Some(ValueRef(value))
    }
}

/// A value that owns its bytes. Cloning shares them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value(Bytes);

impl Value {
    pub(super) fn of(bytes: Vec<u8>) -> Value {
        Value(bytes.into())
    }

    /// The value whose encoding `bytes` is.
    pub(super) fn shared(bytes: Bytes) -> Value {
        Value(bytes)
    }

    fn with(write: impl FnOnce(&mut Encoder)) -> Value {
        let mut encoder = Encoder::default();
        write(&mut encoder);
        Value::of(encoder.finish())
    }

    /// A string.
    pub fn string(text: &str) -> Value {
        Value::with(|encoder| encoder.string(text))
    }

    /// A number.
    pub fn number(number: Number) -> Value {
        Value::with(|encoder| encoder.number(&number))
    }

    /// A binary value.
    pub fn binary(bytes: &[u8]) -> Value {
        Value::with(|encoder| encoder.binary(bytes))
    }

    /// A boolean.
    pub fn boolean(value: bool) -> Value {
        Value(Bytes::from_static(if value { &[TRUE] } else { &[FALSE] }))
    }

    /// NULL.
    pub fn null() -> Value {
        Value(Bytes::from_static(&[NULL]))
    }

    /// A list.
    pub fn list<'v>(elements: impl IntoIterator<Item = ValueRef<'v>>) -> Value {
        Value::with(|encoder| {
            let open = encoder.begin(LIST);
            elements
                .into_iter()
                .for_each(|element| encoder.value(element));
            encoder.end_list(&open);
        })
    }

    /// A map. Of entries with the same name the last one counts.
    pub fn map<'v>(entries: impl IntoIterator<Item = (&'v str, ValueRef<'v>)>) -> Value {
        Value::with(|encoder| {
            let open = encoder.begin(MAP);
            for (name, value) in entries {
                encoder.name(name);
                encoder.value(value);
            }
            encoder.end_map(&open);
        })
    }

    /// A set of strings, of numbers or of binary values, each kept once; `None` if there are none, or
    /// if they are of different or other types.
    pub fn set<'v>(elements: impl IntoIterator<Item = ValueRef<'v>>) -> Option<Value> {
        let mut elements = elements.into_iter().peekable();
        let kind = elements.peek()?.kind();
        let mut encoder = Encoder::default();
        let open = encoder.begin(kind.set()?.set_tag()?);
        for element in elements {
            if element.kind() != kind {
                return None;
            }
            let start = encoder.len();
            encoder.value(element);
            encoder.element(start);
        }
        encoder.end_set(&open);
        Some(Value::of(encoder.finish()))
    }

    /// The value, to look at.
    pub fn as_ref(&self) -> ValueRef<'_> {
        ValueRef(&self.0)
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        self.as_ref().kind()
    }

    /// See [`ValueRef::size`].
    pub fn size(&self) -> usize {
        self.as_ref().size()
    }

    /// See [`ValueRef::write_json`].
    pub fn write_json(&self, writer: &mut Writer) {
        self.as_ref().write_json(writer);
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::string(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Value::number(number)
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        value.to_value()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}
