//! JSON to bytes, in one pass.

use super::super::MAX_NESTING;
use super::super::encoder::{Encoder, Keys};
use super::super::error::{DecodeError, ValueError};
use super::super::layout::{LIST, MAP};
use super::super::number::Number;
use super::super::stored::{Item, ItemBuilder};
use super::super::value::{Kind, Value, ValueRef};
use crate::wire::json::{Expected, Reader, SerializationError};

const VALUE: Expected = Expected::Structure("AttributeValue");
const MAP_OF_VALUES: Expected = Expected::Map(
    "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
);
const LIST_OF_VALUES: Expected =
    Expected::List("java.util.List<com.amazonaws.dynamodb.v20120810.AttributeValue>");
const LIST_OF_STRINGS: Expected = Expected::List("java.util.List<java.lang.String>");
const LIST_OF_BLOBS: Expected = Expected::List("java.util.List<java.nio.ByteBuffer>");

/// Reads a map of names to values: an item, a key, expression values.
///
/// Of members with the same name the last one counts. When the item is refused (and not the JSON) the
/// reader stands behind it.
pub fn decode_json(reader: &mut Reader<'_>) -> Result<Item, DecodeError> {
    let mut decoder = Decoder::default();
    // An item is seldom longer than its JSON, and a request often not much longer than its item.
    let mut item = ItemBuilder::with_capacity(reader.remaining().min(2048));
    reader.begin_object_as(MAP_OF_VALUES)?;
    while let Some(name) = reader.next_key()? {
        decoder.check_name(&name, Rank::Name);
        let encoder = item.name(&name);
        let size = decoder.value(reader, encoder, 1)?;
        item.account(size);
    }
    decoder.finish(|| item.build())
}

/// Reads one value; tells beside it whether it nests one level more than an item may have, which
/// some of DynamoDB's operations let through where nothing is stored.
pub fn decode_json_value(reader: &mut Reader<'_>) -> Result<(Value, bool), DecodeError> {
    let mut decoder = Decoder {
        spare: Some(false),
        ..Decoder::default()
    };
    let mut encoder = Encoder::default();
    decoder.value(reader, &mut encoder, 1)?;
    let spare_used = decoder.spare == Some(true);
    decoder.finish(|| (Value::of(encoder.finish()), spare_used))
}

/// What comes first when several things are wrong: attribute names are looked at before values, and
/// names within values last (AWS's recorded answers, `deepRequests.test.ts`). Within a rank the order
/// is that of the request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Name,
    Value,
    NestedName,
}

#[derive(Default)]
struct Decoder {
    /// What is wrong with the values so far. Decoding goes on: only JSON of the wrong shape ends it,
    /// and that is reported first, wherever it is.
    error: Option<(Rank, ValueError)>,
    /// Whether the one level more was used, where there is one.
    spare: Option<bool>,
}

type Result<T, E = SerializationError> = std::result::Result<T, E>;

impl Decoder {
    fn finish<T>(self, done: impl FnOnce() -> T) -> Result<T, DecodeError> {
        match self.error {
            None => Ok(done()),
            Some((_, error)) => Err(DecodeError::Validation(error)),
        }
    }

    #[cold]
    fn refuse(&mut self, rank: Rank, error: ValueError) {
        if self.error.as_ref().is_none_or(|(first, _)| rank < *first) {
            self.error = Some((rank, error));
        }
    }

    fn check_name(&mut self, name: &str, rank: Rank) {
        if let Err(error) = ValueError::check_name(name) {
            self.refuse(rank, error);
        }
    }

    /// Reads `{"S":"…"}` and appends the value; gives its size. What is refused is replaced.
    fn value(&mut self, reader: &mut Reader<'_>, out: &mut Encoder, level: usize) -> Result<usize> {
        if level == MAX_NESTING + 1 && self.spare.is_some() {
            self.spare = Some(true);
        } else if level > MAX_NESTING {
            self.refuse(Rank::Value, ValueError::TooDeep);
            reader.skip()?;
            out.null();
            return Ok(0);
        }
        if reader.take_null()? {
            self.refuse(Rank::Value, ValueError::Empty);
            out.null();
            return Ok(0);
        }
        reader.begin_object_as(VALUE)?;
        let start = out.len();
        let mut found = None;
        let mut size = 0;
        while let Some(name) = reader.next_key()? {
            let Some(kind) = Kind::from_name(&name) else {
                reader.skip()?;
                continue;
            };
            if reader.take_null()? {
                continue;
            }
            if found.is_some_and(|found| found != kind) {
                self.refuse(Rank::Value, ValueError::Ambiguous);
            }
            found = Some(kind);
            out.truncate(start);
            size = self.content(kind, reader, out, level)?;
        }
        if found.is_none() {
            self.refuse(Rank::Value, ValueError::Empty);
            out.null();
        }
        Ok(size)
    }

    fn content(
        &mut self,
        kind: Kind,
        reader: &mut Reader<'_>,
        out: &mut Encoder,
        level: usize,
    ) -> Result<usize> {
        match kind {
            Kind::S | Kind::N | Kind::B => self.scalar(kind, reader, out),
            Kind::Bool => {
                out.boolean(reader.boolean()?);
                Ok(1)
            }
            Kind::Null => {
                if !reader.boolean()? {
                    self.refuse(Rank::Value, ValueError::NullIsFalse);
                }
                out.null();
                Ok(1)
            }
            Kind::L => self.list(reader, out, level),
            Kind::M => self.map(reader, out, level),
            Kind::SS => self.set(kind, Kind::S, LIST_OF_STRINGS, reader, out),
            Kind::NS => self.set(kind, Kind::N, LIST_OF_STRINGS, reader, out),
            Kind::BS => self.set(kind, Kind::B, LIST_OF_BLOBS, reader, out),
        }
    }

    fn scalar(&mut self, kind: Kind, reader: &mut Reader<'_>, out: &mut Encoder) -> Result<usize> {
        match kind {
            Kind::N => {
                let text = reader.string()?;
                let number = Number::parse(&text).unwrap_or_else(|error| {
                    let text = text.into_owned();
                    self.refuse(Rank::Value, ValueError::Number { text, error });
                    Number::ZERO
                });
                out.number(&number);
                Ok(number.size())
            }
            Kind::B => out.binary_with(|bytes| reader.blob_append(bytes)),
            _ => {
                let text = reader.string()?;
                out.string(&text);
                Ok(text.len())
            }
        }
    }

    fn list(&mut self, reader: &mut Reader<'_>, out: &mut Encoder, level: usize) -> Result<usize> {
        reader.begin_array_as(LIST_OF_VALUES)?;
        let open = out.begin(LIST);
        let mut size = 3;
        while reader.next_element()? {
            size += 1 + self.value(reader, out, level + 1)?;
        }
        out.end_list(&open);
        Ok(size)
    }

    fn map(&mut self, reader: &mut Reader<'_>, out: &mut Encoder, level: usize) -> Result<usize> {
        let start = out.len();
        reader.begin_object_as(MAP_OF_VALUES)?;
        let open = out.begin(MAP);
        let mut size = 3;
        while let Some(name) = reader.next_key()? {
            self.check_name(&name, Rank::NestedName);
            out.name(&name);
            size += 1 + name.len() + self.value(reader, out, level + 1)?;
        }
        if let (_, Keys::Repeated) = out.end_map(&open) {
            size = ValueRef::of(out.bytes_from(start)).size();
        }
        Ok(size)
    }

    fn set(
        &mut self,
        kind: Kind,
        element: Kind,
        expected: Expected,
        reader: &mut Reader<'_>,
        out: &mut Encoder,
    ) -> Result<usize> {
        reader.begin_array_as(expected)?;
        let Some(tag) = kind.set_tag() else {
            return Ok(0);
        };
        let open = out.begin(tag);
        let mut size = 0;
        let mut count = 0;
        while reader.next_element()? {
            count += 1;
            if reader.take_null()? {
                self.refuse(Rank::Value, ValueError::NullElement(kind));
                continue;
            }
            let start = out.len();
            size += self.scalar(element, reader, out)?;
            out.element(start);
        }
        if count == 0 {
            self.refuse(Rank::Value, ValueError::EmptySet(kind));
        }
        // After a first error a second one does not matter, and elements that were replaced may
        // look the same.
        if self.error.is_none() && out.has_repeated_keys(&open) {
            let elements = out.keys(&open).map(<[u8]>::to_vec).collect();
            self.refuse(Rank::Value, ValueError::RepeatedElement { kind, elements });
        }
        out.end_set(&open);
        Ok(size)
    }
}
