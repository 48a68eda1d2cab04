//! Parsed expressions, by their text.
//!
//! Programs send the same few texts over and over, with other values. Only texts that parse are kept:
//! errors are cheap, and not worth a place.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::condition::Condition;
use super::error::{ExpressionError, ExpressionKind};
use super::key_condition::KeyCondition;
use super::projection::Projection;
use super::update::Update;

/// Bounded caches, one for each kind of expression: errors name the kind, so that the same text is
/// another expression as another kind. Shared by all requests.
#[derive(Debug)]
pub struct ExpressionCache {
    conditions: Cache<Box<str>, Arc<Condition>>,
    filters: Cache<Box<str>, Arc<Condition>>,
    key_conditions: Cache<Box<str>, Arc<KeyCondition>>,
    projections: Cache<Box<str>, Arc<Projection>>,
    updates: Cache<Box<str>, Arc<Update>>,
}

impl ExpressionCache {
    /// A cache of up to `capacity` expressions of each kind.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            conditions: Cache::new(capacity),
            filters: Cache::new(capacity),
            key_conditions: Cache::new(capacity),
            projections: Cache::new(capacity),
            updates: Cache::new(capacity),
        }
    }

    /// The parsed `ConditionExpression`.
    ///
    /// # Errors
    ///
    /// As [`Condition::parse`].
    pub fn condition(&self, text: &str) -> Result<Arc<Condition>, ExpressionError> {
        cached(&self.conditions, text, |text| {
            Condition::parse(text, ExpressionKind::Condition)
        })
    }

    /// The parsed `FilterExpression`.
    ///
    /// # Errors
    ///
    /// As [`Condition::parse`].
    pub fn filter(&self, text: &str) -> Result<Arc<Condition>, ExpressionError> {
        cached(&self.filters, text, |text| {
            Condition::parse(text, ExpressionKind::Filter)
        })
    }

    /// The parsed `KeyConditionExpression`.
    ///
    /// # Errors
    ///
    /// As [`KeyCondition::parse`].
    pub fn key_condition(&self, text: &str) -> Result<Arc<KeyCondition>, ExpressionError> {
        cached(&self.key_conditions, text, KeyCondition::parse)
    }

    /// The parsed `ProjectionExpression`.
    ///
    /// # Errors
    ///
    /// As [`Projection::parse`].
    pub fn projection(&self, text: &str) -> Result<Arc<Projection>, ExpressionError> {
        cached(&self.projections, text, Projection::parse)
    }

    /// The parsed `UpdateExpression`.
    ///
    /// # Errors
    ///
    /// As [`Update::parse`].
    pub fn update(&self, text: &str) -> Result<Arc<Update>, ExpressionError> {
        cached(&self.updates, text, Update::parse)
    }
}

/// What the cache has for the text, or what it parses to.
fn cached<T>(
    cache: &Cache<Box<str>, Arc<T>>,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, ExpressionError>,
) -> Result<Arc<T>, ExpressionError> {
    if let Some(known) = cache.get(text) {
        return Ok(known);
    }
    let parsed = Arc::new(parse(text)?);
    cache.insert(text.into(), Arc::clone(&parsed));
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_parses_and_stays_small() {
        let cache = ExpressionCache::new(16);
        let first = cache.condition("a = :a").unwrap();
        assert!(Arc::ptr_eq(&first, &cache.condition("a = :a").unwrap()));
        for number in 0..1000 {
            cache.condition(&format!("a{number} = :a")).unwrap();
        }
        assert!(cache.conditions.len() <= 16, "{}", cache.conditions.len());
    }

    #[test]
    fn names_each_kind_in_its_errors() {
        let cache = ExpressionCache::new(16);
        let kinds = [
            cache.condition("").unwrap_err(),
            cache.filter("").unwrap_err(),
            cache.key_condition("").unwrap_err(),
            cache.projection("").unwrap_err(),
            cache.update("").unwrap_err(),
        ]
        .map(|error| error.to_string());
        let names = [
            "Condition",
            "Filter",
            "KeyCondition",
            "Projection",
            "Update",
        ];
        for (message, name) in kinds.iter().zip(names) {
            let expected = format!("Invalid {name}Expression: The expression can not be empty;");
            assert_eq!(*message, expected);
        }
    }
}
