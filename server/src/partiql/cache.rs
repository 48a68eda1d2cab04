//! Parsed statements, by their text: programs send the same few, with other parameters.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::{StatementError, statement::Statement};

/// A bounded cache, shared by all requests. Only texts that parse are kept.
#[derive(Debug)]
pub struct StatementCache(Cache<Box<str>, Arc<Statement>>);

impl StatementCache {
    /// A cache of up to `capacity` statements.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    /// The parsed statement.
    ///
    /// # Errors
    /// As [`Statement::parse`].
    pub fn get(&self, text: &str) -> Result<Arc<Statement>, StatementError> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        let parsed = Arc::new(Statement::parse(text)?);
        self.0.insert(text.into(), Arc::clone(&parsed));
        Ok(parsed)
    }
}
