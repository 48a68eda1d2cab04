//! Tags.
//!
//! DynamoDB does not apply the model's lengths to tags, but words of its own (DDB-TABLE-107, -110).

use super::Refusal;
use crate::{table::record, wire::shapes::Tag};

/// Tags per table (AWS documentation, "Tagging restrictions in DynamoDB").
const TAG_LIMIT: usize = 50;
/// Longest key, in characters (ibid.).
const KEY_LENGTH: usize = 128;
/// Longest value, in characters (ibid.).
const VALUE_LENGTH: usize = 256;

/// Bytes of all keys and values together (DDB-TABLE-109; that it is UTF-8 that is counted, as in items,
/// is not recorded).
const SET_SIZE: usize = 10_240;

/// Checks tags that are to be set, each by itself and that none is given twice.
pub(crate) fn check_tags(tags: &[Tag]) -> Result<(), Refusal> {
    for (at, tag) in tags.iter().enumerate() {
        // One that is not there is called null, and no tag has that as its key all the same.
        let key = tag.key.as_deref().ok_or_else(|| Refusal::TagKey {
            key: "null".to_owned(),
        })?;
        check_key(key)?;
        let value = tag.value.as_deref();
        let valid = value.is_some_and(|value| {
            value.chars().count() <= VALUE_LENGTH && value.chars().all(is_allowed)
        });
        if !valid {
            return Err(Refusal::TagValue {
                value: value.unwrap_or("null").to_owned(),
            });
        }
        if tags
            .iter()
            .take(at)
            .any(|earlier| earlier.key.as_deref() == Some(key))
        {
            return Err(Refusal::TagTwice {
                key: key.to_owned(),
            });
        }
    }
    Ok(())
}

/// A checked tag as it is written.
pub(crate) fn record(tag: &Tag) -> record::Tag {
    record::Tag {
        key: tag.key.clone().unwrap_or_default(),
        value: tag.value.clone().unwrap_or_default(),
    }
}

/// Checks keys of tags that are to be removed: more than there may be tags cannot be (DDB-TABLE-107).
pub(crate) fn check_tag_keys(keys: &[String]) -> Result<(), Refusal> {
    keys.iter().try_for_each(|key| check_key(key))?;
    check_tag_count(keys.len())
}

/// That there are not too many tags, and not too much in them. Those that a table has already count.
pub(crate) fn check_tag_set(tags: &[record::Tag]) -> Result<(), Refusal> {
    check_tag_count(tags.len())?;
    let size = tags.iter().map(|tag| tag.key.len() + tag.value.len()).sum();
    if size > SET_SIZE {
        return Err(Refusal::TagSetSize {
            size,
            limit: SET_SIZE,
        });
    }
    Ok(())
}

fn check_tag_count(count: usize) -> Result<(), Refusal> {
    if count > TAG_LIMIT {
        Err(Refusal::TooManyTags)
    } else {
        Ok(())
    }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    let length = key.chars().count();
    if length == 0 || length > KEY_LENGTH || !key.chars().all(is_allowed) {
        return Err(Refusal::TagKey {
            key: key.to_owned(),
        });
    }
    // Of any case: "aws:" and "AWS:" are both reserved.
    if key
        .get(..4)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
    {
        return Err(Refusal::TagKeyOfAws {
            key: key.to_owned(),
        });
    }
    Ok(())
}

/// Letters, white space, numbers and a few signs.
fn is_allowed(character: char) -> bool {
    character.is_alphabetic()
        || character.is_numeric()
        || character.is_whitespace()
        || "+-=._:/@".contains(character)
}
