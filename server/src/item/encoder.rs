//! Writes the layout, and brings what a container holds into canonical order.

use smallvec::SmallVec;

use super::layout::{BINARY, CONTAINER_HEADER, FALSE, NULL, NUMBER, STRING, TRUE, put_varint};
use super::number::Number;
use super::value::ValueRef;

/// An entry or element of an open map or set.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Where it starts, with all that belongs to it.
    start: usize,
    /// Where it ends; known once the container is closed.
    end: usize,
    /// What it is sorted by.
    key: (usize, usize),
}

/// A container that has been begun and not ended.
#[derive(Debug)]
#[must_use]
pub(super) struct Open {
    /// Where its body starts.
    body: usize,
    /// How many spans there were before its own.
    spans: usize,
}

/// What [`Encoder::sort`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// No two are the same.
    Unique,
    /// Some are.
    Repeated,
}

/// Appends values to a buffer.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    out: Vec<u8>,
    /// The spans of all open maps and sets, outermost first.
    spans: SmallVec<[Span; 8]>,
    /// Room for sorting.
    sorted: Vec<u8>,
}

impl Encoder {
    pub(super) fn with_capacity(bytes: usize) -> Encoder {
        Encoder {
            out: Vec::with_capacity(bytes),
            ..Encoder::default()
        }
    }

    /// The bytes, without spare room: they are kept for long.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.shrink_to_fit();
        self.out
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Takes back everything from `length` on.
    pub(super) fn truncate(&mut self, length: usize) {
        self.out.truncate(length);
    }

    pub(super) fn bytes_from(&self, start: usize) -> &[u8] {
        self.out.get(start..).unwrap_or_default()
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Overwrites what is at `start`.
    pub(super) fn patch(&mut self, start: usize, bytes: &[u8]) {
        if let Some(place) = self.out.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    pub(super) fn value(&mut self, value: ValueRef<'_>) {
        self.raw(value.as_bytes());
    }

    pub(super) fn null(&mut self) {
        self.out.push(NULL);
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.out.push(if value { TRUE } else { FALSE });
    }

    pub(super) fn string(&mut self, text: &str) {
        self.out.push(STRING);
        self.prefixed(text.as_bytes());
    }

    pub(super) fn binary(&mut self, bytes: &[u8]) {
        self.out.push(BINARY);
        self.prefixed(bytes);
    }

    /// A binary value whose bytes `fill` appends; gives how many they are. On an error the buffer is
    /// as it was.
    pub(super) fn binary_with<E>(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let start = self.out.len();
        self.out.extend_from_slice(&[BINARY, 0]);
        if let Err(error) = fill(&mut self.out) {
            self.out.truncate(start);
            return Err(error);
        }
        let length = self.out.len().saturating_sub(start + 2);
        // One byte of length was left room for; longer values move.
        let mut prefix = Vec::with_capacity(5);
        put_varint(&mut prefix, length);
        self.out.splice(start + 1..start + 2, prefix);
        Ok(length)
    }

    pub(super) fn number(&mut self, number: &Number) {
        let bytes = number.as_bytes();
        self.out.push(NUMBER + bytes.len() as u8);
        self.out.extend_from_slice(bytes);
    }

    fn prefixed(&mut self, bytes: &[u8]) {
        put_varint(&mut self.out, bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// Opens a container.
    pub(super) fn begin(&mut self, tag: u8) -> Open {
        self.out.extend_from_slice(&[tag, 0, 0, 0, 0]);
        self.begin_body()
    }

    /// Opens a body of entries that has no header of its own: that of an item.
    pub(super) fn begin_body(&mut self) -> Open {
        Open {
            body: self.out.len(),
            spans: self.spans.len(),
        }
    }

    /// Starts an entry of the innermost open map; its value has to follow.
    pub(super) fn name(&mut self, name: &str) {
        let start = self.out.len();
        self.prefixed(name.as_bytes());
        self.span(start, name.len());
    }

    /// Notes that the value written from `start` on is an element of the innermost open set.
    pub(super) fn element(&mut self, start: usize) {
        let key = ValueRef::of(self.bytes_from(start)).order_bytes();
        let key = key.map_or(0, <[u8]>::len);
        self.span(start, key);
    }

    /// Notes an entry or element that has been written from `start` on, sorted by its last `key`
    /// bytes so far.
    fn span(&mut self, start: usize, key: usize) {
        let end = self.out.len();
        self.spans.push(Span {
            start,
            end,
            key: (end - key, end),
        });
    }

    /// Closes a list.
    pub(super) fn end_list(&mut self, open: &Open) {
        self.put_length(open);
    }

    /// Closes a map, of whose entries with the same name the last one counts: that is how DynamoDB's
    /// JSON reads. Tells how many entries there are, and whether some were dropped.
    pub(super) fn end_map(&mut self, open: &Open) -> (usize, Keys) {
        let ended = self.end_body(open);
        self.put_length(open);
        ended
    }

    /// Closes a set. Repeated elements are dropped, and it is told that there were some.
    pub(super) fn end_set(&mut self, open: &Open) -> (usize, Keys) {
        self.end_map(open)
    }

    /// Closes a body that has no header of its own, as [`Encoder::end_map`] does a map.
    pub(super) fn end_body(&mut self, open: &Open) -> (usize, Keys) {
        let keys = self.sort(open);
        let count = self.spans.len() - open.spans;
        self.spans.truncate(open.spans);
        (count, keys)
    }

    /// The keys of the innermost open container's spans, in the order that they came in.
    pub(super) fn keys(&self, open: &Open) -> impl Iterator<Item = &[u8]> {
        let spans = self.spans.get(open.spans..).unwrap_or_default();
        spans.iter().map(|span| self.key(span))
    }

    /// Whether two of the innermost open container's spans have the same key.
    pub(super) fn has_repeated_keys(&self, open: &Open) -> bool {
        let mut keys: Vec<&[u8]> = self.keys(open).collect();
        if keys.is_sorted_by(|left, right| left < right) {
            return false;
        }
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair.first() == pair.last())
    }

    fn key(&self, span: &Span) -> &[u8] {
        self.out.get(span.key.0..span.key.1).unwrap_or_default()
    }

    fn put_length(&mut self, open: &Open) {
        let length = u32::try_from(self.out.len() - open.body).unwrap_or(u32::MAX);
        self.patch(open.body - CONTAINER_HEADER + 1, &length.to_le_bytes());
    }

    fn sort(&mut self, open: &Open) -> Keys {
        let Encoder { out, spans, sorted } = self;
        let spans = spans.get_mut(open.spans..).unwrap_or_default();
        let mut next = out.len();
        for span in spans.iter_mut().rev() {
            span.end = next;
            next = span.start;
        }
        let key = |span: &Span| out.get(span.key.0..span.key.1).unwrap_or_default();
        // What comes sorted costs one pass and no copy.
        if spans.is_sorted_by(|left, right| key(left) < key(right)) {
            return Keys::Unique;
        }
        // Stable: of the same name the last one stays last.
        spans.sort_by(|left, right| key(left).cmp(key(right)));
        sorted.clear();
        sorted.reserve(out.len().saturating_sub(open.body));
        let mut kept = 0;
        let mut rest = spans.iter().peekable();
        while let Some(span) = rest.next() {
            if rest.peek().is_none_or(|next| key(next) != key(span)) {
                sorted.extend_from_slice(out.get(span.start..span.end).unwrap_or_default());
                kept += 1;
            }
        }
        let keys = if kept == spans.len() {
            Keys::Unique
        } else {
            Keys::Repeated
        };
        out.truncate(open.body);
        out.extend_from_slice(sorted);
        // Where they stand now is of no interest; how many they are is.
        self.spans.truncate(open.spans + kept);
        keys
    }
}
