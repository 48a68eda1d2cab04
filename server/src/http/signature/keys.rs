//! Signing keys: what a secret gives for a day, a Region and a service.

use std::sync::Arc;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC with a signing key, before anything was put into it.
pub(super) type SigningKey = Hmac<Sha256>;

/// How many keys are kept: a few programs sign with one each, and at midnight with two.
const KEPT: usize = 64;

/// The keys that were last seen to be right, by the credential that names them. Readers do not wait
/// for each other.
#[derive(Default)]
pub(super) struct SigningKeys(ArcSwap<Vec<(Box<str>, SigningKey)>>);

impl SigningKeys {
    /// The key of `credential` (`keyid/date/region/service/term`).
    pub(super) fn get(&self, credential: &str) -> Option<SigningKey> {
        let keys = self.0.load();
        let mut keys = keys.iter();
        keys.find(|(kept, _)| **kept == *credential)
            .map(|(_, key)| key.clone())
    }

    /// Keeps a key, in place of the one that was kept longest if there are too many.
    pub(super) fn insert(&self, credential: &str, key: SigningKey) {
        self.0.rcu(|keys| {
            let others = keys.iter().filter(|(kept, _)| **kept != *credential);
            let mut kept = vec![(credential.into(), key.clone())];
            kept.extend(others.take(KEPT - 1).cloned());
            Arc::new(kept)
        });
    }
}

/// The signing key that `secret` gives for a day, a Region, a service and the word behind them.
pub(super) fn derive(secret: &str, scope: [&str; 4]) -> SigningKey {
    let start = key(format!("AWS4{secret}").as_bytes());
    scope.iter().fold(start, |mac, part| {
        key(&mac.chain_update(part).finalize().into_bytes())
    })
}

fn key(bytes: &[u8]) -> SigningKey {
    // A key may have any length; were there one that is none, no signature would be right.
    SigningKey::new_from_slice(bytes).unwrap_or_else(|_| SigningKey::new(&[0xff; 64].into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> String {
        format!("AKID/20260101/region-{number}/dynamodb/aws4_request")
    }

    #[test]
    fn the_newest_are_kept() {
        let keys = SigningKeys::default();
        for number in 0..KEPT + 2 {
            keys.insert(&name(number), key(b"k"));
        }
        assert!(keys.get(&name(0)).is_none());
        assert!(keys.get(&name(1)).is_none());
        assert!((2..KEPT + 2).all(|number| keys.get(&name(number)).is_some()));
        keys.insert(&name(2), key(b"k"));
        assert!((2..KEPT + 2).all(|number| keys.get(&name(number)).is_some()));
    }

    /// The example of the IAM user guide, "Examples of how to derive a signing key".
    #[test]
    fn the_key_is_that_of_the_documentation() {
        let key = derive(
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            ["20120215", "us-east-1", "iam", "aws4_request"],
        );
        let expected = [
            0xf4, 0x78, 0x0e, 0x2d, 0x9f, 0x65, 0xfa, 0x89, 0x5f, 0x9c, 0x67, 0xb3, 0x2c, 0xe1,
            0xba, 0xf0, 0xb0, 0xd8, 0xa4, 0x35, 0x05, 0xa0, 0x00, 0xa1, 0xa9, 0xe0, 0x90, 0xd4,
            0x14, 0xdb, 0x40, 0x4d,
        ];
        let by = |key: SigningKey| key.chain_update("x").finalize().into_bytes();
        assert_eq!(by(key), by(super::key(&expected)));
    }
}
