//! `ExpressionAttributeNames` and `ExpressionAttributeValues` of one request.
//!
//! All expressions of a request share them. Each expression takes what its slots name; when all have,
//! [`Placeholders::finish`] complains of what none took.

use super::ast::Slots;
use super::error::{ExpressionError, PlaceholderError, PlaceholderKind};
use super::lexer::is_word;
use crate::item::{Item, Value};

/// The longest placeholder, in bytes (developer guide, "Constraints", "Expression parameters").
const MAX_KEY_BYTES: usize = 255;
/// The most that all placeholders may come to: the lengths of the names and values (ibid.).
const MAX_TOTAL_BYTES: usize = 2 * 1024 * 1024;

/// What the placeholders of a request stand for, and which have been used.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: Table<String>,
    values: Table<Value>,
}

/// One parameter. A request of 16 MB can hold many entries, so they are not searched one by one.
#[derive(Debug)]
struct Table<T> {
    /// As they came.
    entries: Vec<Entry<T>>,
    /// Positions in `entries`, in order of the keys.
    sorted: Vec<usize>,
}

/// One placeholder.
#[derive(Debug)]
struct Entry<T> {
    key: String,
    stands_for: T,
    used: bool,
}

/// What the slots of one expression stand for: `None` where the request has no such placeholder.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) names: Vec<Option<Box<str>>>,
    pub(super) values: Vec<Option<Value>>,
}

impl Placeholders {
    /// Takes the two parameters as they came, `None` where the request has none. A map of values is
    /// decoded like an item, whose bytes the values go on sharing.
    ///
    /// # Errors
    ///
    /// Empty parameters, malformed keys, and more than 2 MB in all.
    pub fn new(
        names: Option<Vec<(String, String)>>,
        values: Option<&Item>,
    ) -> Result<Self, ExpressionError> {
        let values = values.map(|item| {
            item.values()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()
        });
        Self::of_request(names, values)
    }

    /// The same with values that were decoded one by one.
    ///
    /// # Errors
    ///
    /// As [`Placeholders::new`].
    pub fn of_request(
        names: Option<Vec<(String, String)>>,
        values: Option<Vec<(String, Value)>>,
    ) -> Result<Self, ExpressionError> {
        let names = Table::new(PlaceholderKind::Names, '#', names)?;
        let values = Table::new(PlaceholderKind::Values, ':', values)?;
        let names_total: usize = names
            .entries
            .iter()
            .map(|entry| entry.stands_for.len())
            .sum();
        check_total(PlaceholderKind::Names, names_total)?;
        let values_total: usize = values
            .entries
            .iter()
            .map(|entry| entry.stands_for.size())
            .sum();
        check_total(PlaceholderKind::Values, names_total + values_total)?;
        Ok(Self { names, values })
    }

    /// The values of a tree that was built by hand: `:value` and what it stands for.
    #[must_use]
    pub fn of_values(values: Vec<(String, Value)>) -> Self {
        Self {
            names: Table::default(),
            values: Table::of(values),
        }
    }

    /// What an expression's slots stand for. They count as used.
    pub(super) fn resolve(&mut self, slots: &Slots) -> Resolved {
        Resolved {
            names: slots
                .names()
                .map(|key| self.names.take(key).map(|name| name.as_str().into()))
                .collect(),
            values: slots
                .values()
                .map(|key| self.values.take(key).cloned())
                .collect(),
        }
    }

    /// Call it once every expression of the request is bound.
    ///
    /// # Errors
    ///
    /// Placeholders that no expression used: names first, then values.
    pub fn finish(&self) -> Result<(), ExpressionError> {
        self.names.check_used(PlaceholderKind::Names)?;
        self.values.check_used(PlaceholderKind::Values)
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            sorted: Vec::new(),
        }
    }
}

impl<T> Table<T> {
    /// Checks the keys of one parameter.
    fn new(
        kind: PlaceholderKind,
        sign: char,
        given: Option<Vec<(String, T)>>,
    ) -> Result<Self, ExpressionError> {
        let Some(given) = given else {
            return Ok(Self::default());
        };
        if given.is_empty() {
            return Err(PlaceholderError::Empty { kind }.into());
        }
        for (key, _) in &given {
            if key.len() > MAX_KEY_BYTES {
                let size = key.len();
                return Err(PlaceholderError::KeyTooLong { kind, size }.into());
            }
            let word = key.strip_prefix(sign).unwrap_or_default();
            if word.is_empty() || !word.bytes().all(is_word) {
                return Err(PlaceholderError::InvalidKey {
                    kind,
                    key: key.clone(),
                }
                .into());
            }
        }
        Ok(Self::of(given))
    }

    /// Of two entries with one key the later counts, as in any JSON object.
    fn of(given: Vec<(String, T)>) -> Self {
        let mut entries: Vec<Entry<T>> = given
            .into_iter()
            .map(|(key, stands_for)| Entry {
                key,
                stands_for,
                used: true,
            })
            .collect();
        let key = |position: &usize| entries.get(*position).map(|entry| &entry.key);
        let mut sorted: Vec<usize> = (0..entries.len()).rev().collect();
        sorted.sort_by(|left, right| key(left).cmp(&key(right)));
        sorted.dedup_by(|earlier, later| key(earlier) == key(later));
        for position in &sorted {
            if let Some(entry) = entries.get_mut(*position) {
                entry.used = false;
            }
        }
        Self { entries, sorted }
    }

    /// Finds a placeholder and marks it as used.
    fn take(&mut self, key: &str) -> Option<&T> {
        let found = self.sorted.binary_search_by(|position| {
            self.entries
                .get(*position)
                .map(|entry| entry.key.as_str())
                .cmp(&Some(key))
        });
        let entry = self.entries.get_mut(*self.sorted.get(found.ok()?)?)?;
        entry.used = true;
        Some(&entry.stands_for)
    }

    fn check_used(&self, kind: PlaceholderKind) -> Result<(), ExpressionError> {
        let unused = self.entries.iter().filter(|entry| !entry.used);
        let keys: Vec<String> = unused.map(|entry| entry.key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        Err(PlaceholderError::Unused { kind, keys }.into())
    }
}

fn check_total(kind: PlaceholderKind, total: usize) -> Result<(), ExpressionError> {
    if total > MAX_TOTAL_BYTES {
        return Err(PlaceholderError::TooLarge { kind }.into());
    }
    Ok(())
}
