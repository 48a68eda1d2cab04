//! What the generated readers are made of.

use std::collections::HashSet;

use super::json::{Expected, Reader, SerializationError};

type Result<T> = std::result::Result<T, SerializationError>;

/// A member's value; `null` is as if the member were not there.
pub(super) fn optional<'a, T>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if reader.take_null()? {
        Ok(None)
    } else {
        read(reader).map(Some)
    }
}

pub(super) fn string(reader: &mut Reader<'_>) -> Result<String> {
    reader.string().map(Into::into)
}

pub(super) fn integer(reader: &mut Reader<'_>) -> Result<i64> {
    reader.integer(Expected::Integer)
}

pub(super) fn long(reader: &mut Reader<'_>) -> Result<i64> {
    reader.integer(Expected::Long)
}

pub(super) fn double(reader: &mut Reader<'_>) -> Result<f64> {
    reader.double(Expected::Double)
}

pub(super) fn timestamp(reader: &mut Reader<'_>) -> Result<f64> {
    reader.double(Expected::Timestamp)
}

pub(super) fn list<'a, T>(
    reader: &mut Reader<'a>,
    java: &'static str,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    reader.begin_array_as(Expected::List(java))?;
    let mut elements = Vec::new();
    while reader.next_element()? {
        elements.push(read(reader)?);
    }
    Ok(elements)
}

/// A map, in the order of the request. Of a key that is there twice, the last value counts.
pub(super) fn map<'a, T>(
    reader: &mut Reader<'a>,
    java: &'static str,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T>,
) -> Result<Vec<(String, T)>> {
    reader.begin_object_as(Expected::Map(java))?;
    let mut entries = Vec::new();
    while let Some(key) = reader.next_key()? {
        let key = key.into_owned();
        entries.push((key, read(reader)?));
    }
    last_counts(&mut entries);
    Ok(entries)
}

/// Drops every entry whose key comes again behind it.
fn last_counts<T>(entries: &mut Vec<(String, T)>) {
    // Few keys are compared with one another; many, as nobody but an attacker sends them, are not.
    let repeated = if entries.len() <= 16 {
        let mut rest = entries.as_slice();
        let mut again = false;
        while let Some(((key, _), others)) = rest.split_first() {
            again |= others.iter().any(|(other, _)| other == key);
            rest = others;
        }
        again
    } else {
        let mut keys = HashSet::with_capacity(entries.len());
        !entries.iter().all(|(key, _)| keys.insert(key.as_str()))
    };
    if !repeated {
        return;
    }
    let mut seen = HashSet::with_capacity(entries.len());
    entries.reverse();
    entries.retain(|(key, _)| seen.insert(key.clone()));
    entries.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_keys_counts() {
        let mut reader = Reader::new(br#"{"a": "1", "b": "2", "a": "3", "c": "4", "b": "5"}"#);
        let entries = map(&mut reader, "", string).unwrap();
        let texts: Vec<(&str, &str)> = entries
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(texts, [("a", "3"), ("c", "4"), ("b", "5")]);
    }

    #[test]
    fn the_last_of_many_equal_keys_counts() {
        let body: Vec<String> = (0..1000)
            .map(|n| format!("\"k{}\": \"{n}\"", n % 100))
            .collect();
        let body = format!("{{{}}}", body.join(","));
        let entries = map(&mut Reader::new(body.as_bytes()), "", string).unwrap();
        assert_eq!(entries.len(), 100);
        assert_eq!(entries.first(), Some(&("k0".to_owned(), "900".to_owned())));
    }

    #[test]
    fn a_null_member_is_none_and_a_null_element_is_an_error() {
        assert_eq!(optional(&mut Reader::new(b"null"), string), Ok(None));
        assert!(list(&mut Reader::new(b"[null]"), "", string).is_err());
    }
}
