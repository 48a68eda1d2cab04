//! `NextToken`: where a SELECT goes on. It counts for the same statement with the same parameters on
//! the same table, and for nothing else.

use base64_simd::URL_SAFE_NO_PAD;

use crate::{item::Item, partiql::StatementError};

/// Form of the token.
const FORM: u8 = 1;

/// Where a page ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::operation) struct Position {
    /// Among the ranges of the statement.
    pub(super) range: usize,
    /// Behind this key, or at the range's start.
    pub(super) key: Option<Item>,
}

impl Position {
    /// The key behind which it is.
    pub(in crate::operation) fn into_key(self) -> Option<Item> {
        self.key
    }

    /// The token. `digest` is that of what it counts for.
    pub(in crate::operation) fn encode(&self, digest: u128) -> String {
        let range = u32::try_from(self.range).unwrap_or(u32::MAX);
        let key = self.key.clone().map(Item::into_bytes).unwrap_or_default();
        let parts: [&[u8]; 4] = [&[FORM], &digest.to_be_bytes(), &range.to_be_bytes(), &key];
        URL_SAFE_NO_PAD.encode_to_string(parts.concat())
    }

    /// The position in a token.
    ///
    /// # Errors
    /// [`StatementError::NextToken`].
    pub(in crate::operation) fn decode(token: &str, digest: u128) -> Result<Self, StatementError> {
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(token);
        let bytes = bytes.map_err(|_| StatementError::NextToken)?;
        Self::read(&bytes, digest).ok_or(StatementError::NextToken)
    }

    fn read(bytes: &[u8], digest: u128) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (found, rest) = rest.split_first_chunk()?;
        let (range, key) = rest.split_first_chunk()?;
        if *form != FORM || u128::from_be_bytes(*found) != digest {
            return None;
        }
        let key = match key {
            [] => None,
            key => {
                let key = Item::from_stored(key.to_vec().into()).ok()?;
                key.as_ref().verify().ok()?;
                Some(key)
            }
        };
        Some(Self {
            range: usize::try_from(u32::from_be_bytes(*range)).ok()?,
            key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemBuilder;

    #[test]
    fn it_counts_for_one_statement() {
        let key = ItemBuilder::new().with("pk", "a").build();
        for key in [Some(key), None] {
            let position = Position { range: 3, key };
            let token = position.encode(7);
            assert_eq!(Position::decode(&token, 7), Ok(position));
            assert_eq!(Position::decode(&token, 8), Err(StatementError::NextToken));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let key = ItemBuilder::new().with("pk", "a").build();
        let token = Position {
            range: 0,
            key: Some(key),
        }
        .encode(7);
        for length in 0..token.len() {
            let cut = &token[..length];
            // Cut where the key begins, it is the start of the range.
            let whole = Position::decode(cut, 7) == Ok(Position::default());
            assert!(whole || Position::decode(cut, 7).is_err(), "{length}");
        }
        assert!(Position::decode("not base64!", 7).is_err());
    }
}
