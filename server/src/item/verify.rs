//! Whether bytes are the layout to the letter. For scrubs, salvage and fuzzing; the hot path relies on
//! checksums and on [`ItemRef::from_stored`].

use super::MAX_NESTING;
use super::error::CorruptItem;
use super::layout::{take_entry, take_value};
use super::stored::ItemRef;
use super::value::{Kind, ValueRef};

/// Checks an item whose framing has been checked.
pub(super) fn item(item: ItemRef<'_>) -> Result<(), CorruptItem> {
    let checker = Checker {
        whole: item.as_bytes(),
    };
    checker.entries(item.entries(), 1)?;
    let size: usize = item
        .iter()
        .map(|(name, value)| name.len() + value.size())
        .sum();
    if size != item.size() {
        return Err(CorruptItem::new(1, "the size of the item"));
    }
    Ok(())
}

struct Checker<'a> {
    whole: &'a [u8],
}

impl<'a> Checker<'a> {
    /// An error where `rest` starts. All slices are of the whole, so that the distance of their ends
    /// tells the place; inside a container it is that of the container.
    fn expected(&self, what: &'static str, rest: &'a [u8]) -> CorruptItem {
        let start = self.whole.as_ptr().addr();
        let offset = rest.as_ptr().addr().saturating_sub(start);
        CorruptItem::new(offset.min(self.whole.len()), what)
    }

    fn entries(&self, mut rest: &'a [u8], level: usize) -> Result<(), CorruptItem> {
        let mut last: Option<&[u8]> = None;
        while !rest.is_empty() {
            let (name, value, after) =
                take_entry(rest).ok_or_else(|| self.expected("an entry", rest))?;
            if std::str::from_utf8(name).is_err() {
                return Err(self.expected("a name in UTF-8", name));
            }
            if last.is_some_and(|last| last >= name) {
                return Err(self.expected("a name behind the one before it", name));
            }
            last = Some(name);
            self.value(ValueRef::of(value), level)?;
            rest = after;
        }
        Ok(())
    }

    fn value(&self, value: ValueRef<'a>, level: usize) -> Result<(), CorruptItem> {
        let bytes = value.as_bytes();
        if level > MAX_NESTING {
            return Err(self.expected("at most 32 levels", bytes));
        }
        let body = value.body();
        match value.kind() {
            Kind::S if std::str::from_utf8(value.content()).is_err() => {
                Err(self.expected("text in UTF-8", bytes))
            }
            Kind::N if value.as_number().is_none() => Err(self.expected("a number", bytes)),
            Kind::SS => self.set(body, Kind::S),
            Kind::NS => self.set(body, Kind::N),
            Kind::BS => self.set(body, Kind::B),
            Kind::L => self.list(body, level + 1),
            Kind::M => self.entries(body, level + 1),
            Kind::S | Kind::N | Kind::B | Kind::Bool | Kind::Null => Ok(()),
        }
    }

    fn list(&self, mut rest: &'a [u8], level: usize) -> Result<(), CorruptItem> {
        while !rest.is_empty() {
            let (value, after) = take_value(rest).ok_or_else(|| self.expected("a value", rest))?;
            self.value(ValueRef::of(value), level)?;
            rest = after;
        }
        Ok(())
    }

    fn set(&self, mut rest: &'a [u8], kind: Kind) -> Result<(), CorruptItem> {
        if rest.is_empty() {
            return Err(self.expected("an element of a set", rest));
        }
        let mut last: Option<ValueRef<'_>> = None;
        while !rest.is_empty() {
            let (value, after) = take_value(rest).ok_or_else(|| self.expected("a value", rest))?;
            let value = ValueRef::of(value);
            if value.kind() != kind {
                return Err(self.expected("an element of the set's type", rest));
            }
            // A set is no level of its own.
            self.value(value, 1)?;
            if last.is_some_and(|last| last.order_bytes() >= value.order_bytes()) {
                return Err(self.expected("an element behind the one before it", rest));
            }
            last = Some(value);
            rest = after;
        }
        Ok(())
    }
}
