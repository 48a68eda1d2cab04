//! Client request tokens: a transaction that is sent again is not done again.
//!
//! "If you submit a request with the same client token but a change in other parameters within the
//! 10-minute idempotency window, DynamoDB returns an `IdempotentParameterMismatch` exception" (API
//! reference, `TransactWriteItems`). The record of a token is written in the batch of its transaction,
//! so that one is never durable without the other, and it is locked with the transaction's items, so
//! that the same request sent twice at once is done once. A transaction that was cancelled leaves no
//! record.
//!
//! ```text
//! record: version u8 = 1 | expires u64 BE, Unix milliseconds | fingerprint, 16 bytes
//! ```
//!
//! Records are also sorted by when they expire. Each transaction with a token takes away a few that
//! have, so that there are never many more than the last ten minutes made.

use xxhash_rust::xxh3::xxh3_128;

use crate::{
    store::{Direction, Fault, Key, ReadMode, Step, Store, Transaction, system},
    table::Namespace,
    wire::Error,
};

/// For how long a token stands for its request, in milliseconds: ten minutes.
const WINDOW_MS: u64 = 10 * 60 * 1000;
/// How many expired records one transaction takes away. More than one, so that they run out.
const SWEPT: usize = 4;
/// Form of the record. On disk: do not change.
const VERSION: u8 = 1;

/// A client request token and what it stands for.
#[derive(Debug)]
pub struct Token {
    name: Vec<u8>,
    fingerprint: u128,
    now_ms: u64,
}

/// What is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    expires_ms: u64,
    fingerprint: u128,
}

impl Record {
    fn encode(self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.expires_ms.to_be_bytes());
        bytes.extend_from_slice(&self.fingerprint.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[VERSION], rest) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        Some(Self {
            expires_ms: u64::from_be_bytes(*expires),
            fingerprint: u128::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// Whether the request of a token has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was not yet.
    New,
    /// It was, within the window.
    Done,
}

/// Expired tokens that a transaction is going to take away: found before it locks anything, and
/// looked at again when it has.
#[derive(Debug, Default)]
pub struct Expired {
    entries: Vec<(u64, Vec<u8>)>,
    keys: Vec<Key>,
}

impl Token {
    /// The token of a request that says `parameters`, given at a time (Unix milliseconds). Tokens of
    /// other accounts and Regions are others.
    pub fn new(namespace: &Namespace, token: &str, parameters: &[u8], now_ms: u64) -> Self {
        // Neither account nor Region can contain a zero byte, and the token comes last.
        let name = [&*namespace.account, &*namespace.region, token]
            .join("\0")
            .into_bytes();
        Self {
            name,
            fingerprint: xxh3_128(parameters),
            now_ms,
        }
    }

    /// The key of its record, which the transaction must lock.
    pub fn key(&self) -> Key {
        system::token(&self.name)
    }

    /// The tokens that this one's transaction is going to take away; it must lock their keys too.
    pub fn find_expired(&self, store: &Store, mode: ReadMode) -> Result<Expired, Fault> {
        let snapshot = store.snapshot();
        let range = system::expired_tokens(self.now_ms);
        let mut iterator = snapshot.range(range, Direction::Forward, mode);
        let mut expired = Expired::default();
        while expired.entries.len() < SWEPT {
            match iterator.next()? {
                Step::End => break,
                Step::Paused(_) => {}
                Step::Entry { key, .. } => {
                    if let Some((expires_ms, name)) = system::token_of_expiry(key) {
                        expired.entries.push((expires_ms, name.to_vec()));
                        expired.keys.push(system::token(name));
                    }
                }
            }
        }
        Ok(expired)
    }

    /// Looks the token up. The transaction holds its lock.
    pub fn standing(&self, transaction: &Transaction) -> Result<Standing, Fault> {
        let found = transaction.get(&self.key())?;
        match found.as_deref().and_then(Record::decode) {
            Some(record) if record.expires_ms <= self.now_ms => Ok(Standing::New),
            Some(record) if record.fingerprint == self.fingerprint => Ok(Standing::Done),
            Some(_) => Err(Fault::Answer(Error::IdempotentParameterMismatch(
                "The request uses the same client token as a previous, but non-identical request. \
                 Do not reuse a client token with different requests, unless the requests are \
                 identical"
                    .into(),
            ))),
            None => Ok(Standing::New),
        }
    }

    /// Writes into the transaction that the request was done, and takes expired tokens away.
    pub fn record(&self, transaction: &mut Transaction, expired: &Expired) -> Result<(), Fault> {
        for (expires_ms, name) in &expired.entries {
            transaction.delete(system::token_expiry(*expires_ms, name));
            // It may have been used anew since it was found.
            let key = system::token(name);
            let found = transaction.get(&key)?;
            if found
                .as_deref()
                .and_then(Record::decode)
                .is_none_or(|it| it.expires_ms == *expires_ms)
            {
                transaction.delete(key);
            }
        }
        let record = Record {
            expires_ms: self.now_ms.saturating_add(WINDOW_MS),
            fingerprint: self.fingerprint,
        };
        transaction.put(self.key(), record.encode());
        transaction.put(
            system::token_expiry(record.expires_ms, &self.name),
            Vec::new(),
        );
        Ok(())
    }
}

impl Expired {
    /// The keys to lock.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }
}
