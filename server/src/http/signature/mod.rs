//! Signatures that are verified: AWS Signature Version 4, for those who run with `--credentials`.
//!
//! A request is let in if one of the known secrets gives the signature that it carries, over its
//! method, path, query, the headers that it names and its body as it was sent (IAM user guide, "AWS
//! Signature Version 4 for API requests"). Others are told so in DynamoDB's words, where users have
//! quoted them: for another service (arnemolland/sigv4#15), fifteen minutes too old or too new
//! (aws/aws-sdk-js#254 and #2565), another signature (ttsuruoka/php-simple-amazon-dynamodb#1), and an
//! access key that nobody has (developer guide, "Error handling with DynamoDB"). The words for another
//! algorithm, terminator or date of the scope and for headers that are not signed are those of other
//! services.
//!
//! The keys that secrets give for a day, a Region and the service are kept, so that a request costs
//! the hash of its body, that of its canonical form, and four blocks.

mod canonical;
mod date;
mod keys;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::time::SystemTime;

use hmac::Mac;
use hyper::header::DATE;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

use self::keys::{SigningKey, SigningKeys};
use super::credentials::{AMZ_DATE, Claim, parameter};
use crate::wire::Error;

/// The only algorithm that is verified.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service that requests are signed for, and the word that ends a scope.
const SERVICE: &str = "dynamodb";
const TERMINATOR: &str = "aws4_request";
/// How far the date of a request may be from the time here. A presigned one says itself how long it
/// holds.
const SKEW_MINUTES: u64 = 15;
/// The longest that a presigned request may hold: seven days, in seconds.
const LONGEST: u64 = 604_800;
const MINUTE_MS: u64 = 60_000;

const TOKEN: &str = "x-amz-security-token";
const TARGET: &str = "x-amz-target";

/// What belongs to an access key id.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The secret access key.
    pub key: String,
    /// What temporary credentials have besides, and every request of theirs carries.
    pub session_token: Option<String>,
}

/// Who is let in.
pub struct Verifier {
    secrets: HashMap<String, Secret>,
    keys: SigningKeys,
}

impl fmt::Debug for Verifier {
    /// Secrets do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ids: Vec<&String> = self.secrets.keys().collect();
        ids.sort_unstable();
        f.debug_tuple("Verifier").field(&ids).finish()
    }
}

impl Verifier {
    /// Lets in who signs with one of these: access key ids and what belongs to them.
    pub fn new(secrets: impl IntoIterator<Item = (String, Secret)>) -> Self {
        Self {
            secrets: secrets.into_iter().collect(),
            keys: SigningKeys::default(),
        }
    }

    /// Verifies what a request claims. `body` is what was sent, before any coding is undone; `now_ms`
    /// is the time that its date is held against, in Unix milliseconds, or nothing where time is not
    /// that of the clients.
    ///
    /// # Errors
    /// In DynamoDB's words.
    pub(super) fn verify(
        &self,
        claim: &Claim<'_>,
        head: &Parts,
        body: &[u8],
        now_ms: Option<u64>,
    ) -> Result<(), Error> {
        if claim.presigned {
            return self.verify_presigned(claim, head, body, now_ms);
        }
        let stamp = stamp(head)?;
        let signed = Signed {
            claim: *claim,
            stamp: &stamp,
            lasts: None,
            token: text(head, TOKEN),
        };
        self.verify_signed(&signed, head, body, now_ms)
    }

    /// The same for one whose parts stand in the query string, percent-encoded.
    fn verify_presigned(
        &self,
        claim: &Claim<'_>,
        head: &Parts,
        body: &[u8],
        now_ms: Option<u64>,
    ) -> Result<(), Error> {
        let query = head.uri.query().unwrap_or_default();
        let decoded = |name| parameter(query, name).map(canonical::decode);
        let plain = |text| canonical::decode(text);
        let (credential, headers) = (plain(claim.credential), plain(claim.signed_headers));
        let (stamp, token) = (decoded("X-Amz-Date"), decoded("X-Amz-Security-Token"));
        let lasts = decoded("X-Amz-Expires");
        let lasts = lasts.and_then(|seconds| seconds.parse().ok());
        let stamp = stamp.unwrap_or_default();
        let signed = Signed {
            claim: Claim {
                credential: &credential,
                signed_headers: &headers,
                ..*claim
            },
            stamp: &stamp,
            lasts: lasts.map(|seconds: u64| seconds.min(LONGEST)),
            token: token.as_deref(),
        };
        self.verify_signed(&signed, head, body, now_ms)
    }

    fn verify_signed(
        &self,
        signed: &Signed<'_>,
        head: &Parts,
        body: &[u8],
        now_ms: Option<u64>,
    ) -> Result<(), Error> {
        let scope = signed.check_scope()?;
        let date_ms = date::parse(signed.stamp).ok_or_else(|| wrong_date(signed.stamp))?;
        if let Some(now_ms) = now_ms {
            signed.check_date(date_ms, now_ms)?;
        }
        signed.check_headers(head)?;
        let known = self.secrets.get(scope.access_key);
        let secret = known
            .filter(|secret| has_token(secret, signed.token))
            .ok_or_else(unknown)?;
        if self.matches(signed, &scope, secret, head, body) {
            return Ok(());
        }
        Err(Error::InvalidSignature(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details."
                .into(),
        ))
    }

    fn matches(
        &self,
        signed: &Signed<'_>,
        scope: &Scope<'_>,
        secret: &Secret,
        head: &Parts,
        body: &[u8],
    ) -> bool {
        let claim = &signed.claim;
        let Some(given) = canonical::from_hex(claim.signature) else {
            return false;
        };
        let request = canonical::request(head, claim.signed_headers, claim.presigned, body);
        let hash = canonical::to_hex(&Sha256::digest(&request).into());
        let known = self.keys.get(claim.credential);
        let fresh = known.is_none().then(|| scope.signing_key(&secret.key));
        let Some(mut mac) = known.or_else(|| fresh.clone()) else {
            return false;
        };
        for part in [ALGORITHM, "\n", signed.stamp, "\n", scope.text, "\n"] {
            mac.update(part.as_bytes());
        }
        mac.update(&hash);
        let matches = mac.verify_slice(&given).is_ok();
        if matches {
            // Only of those who have the secret, so that nobody else pushes a key out.
            if let Some(key) = fresh {
                self.keys.insert(claim.credential, key);
            }
        } else {
            tracing::debug!(
                canonical_request = %String::from_utf8_lossy(&request),
                "a signature is another one than that of the canonical request"
            );
        }
        matches
    }
}

/// A claim with what belongs to it, decoded.
struct Signed<'a> {
    claim: Claim<'a>,
    /// Its date, as `20260101T000000Z`.
    stamp: &'a str,
    /// How many seconds a presigned request holds.
    lasts: Option<u64>,
    token: Option<&'a str>,
}

/// Of whom and for what a signature is.
struct Scope<'a> {
    access_key: &'a str,
    day: &'a str,
    region: &'a str,
    /// All but the access key.
    text: &'a str,
}

impl<'a> Signed<'a> {
    /// That the signature is for this service. All that is wrong is said at once, as DynamoDB does,
    /// each with a blank behind it. Every Region is served here.
    fn check_scope(&self) -> Result<Scope<'a>, Error> {
        if self.claim.algorithm != ALGORITHM {
            return Err(incomplete(format!(
                "Unsupported AWS 'algorithm': '{}'.",
                self.claim.algorithm
            )));
        }
        let credential = self.claim.credential;
        let (access_key, text) = credential.split_once('/').unwrap_or((credential, ""));
        let mut parts = text.split('/');
        let mut next = || parts.next().unwrap_or_default();
        let (day, region, service, terminator) = (next(), next(), next(), next());
        let mut wrong = String::new();
        if service != SERVICE {
            wrong.push_str("Credential should be scoped to correct service: 'dynamodb'. ");
        }
        if terminator != TERMINATOR {
            wrong.push_str(&format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not \
                 '{terminator}'. "
            ));
        }
        if self.stamp.get(..8) != Some(day) && date::parse(self.stamp).is_some() {
            wrong.push_str(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
                 HTTP: '{day}' != '{}', from '{}'. ",
                self.stamp.get(..8).unwrap_or_default(),
                self.stamp
            ));
        }
        if !wrong.is_empty() {
            return Err(invalid(wrong));
        }
        Ok(Scope {
            access_key,
            day,
            region,
            text,
        })
    }

    /// That the signature holds now.
    fn check_date(&self, date_ms: u64, now_ms: u64) -> Result<(), Error> {
        // To the second, as dates are written.
        let now_ms = now_ms / 1000 * 1000;
        let holds = self.lasts.unwrap_or(SKEW_MINUTES * 60);
        let earliest = now_ms.saturating_sub(holds * 1000);
        let latest = now_ms + SKEW_MINUTES * MINUTE_MS;
        if (earliest..=latest).contains(&date_ms) {
            return Ok(());
        }
        let (stamp, now) = (self.stamp, date::basic(now_ms));
        Err(invalid(if date_ms < earliest {
            format!(
                "Signature expired: {stamp} is now earlier than {} ({now} - {} min.)",
                date::basic(earliest),
                holds.div_ceil(60)
            )
        } else {
            format!(
                "Signature not yet current: {stamp} is still later than {} ({now} + {SKEW_MINUTES} \
                 min.)",
                date::basic(latest)
            )
        }))
    }

    /// That what says where a request goes and what it asks is signed (IAM user guide, "Create a
    /// signed AWS API request": the host, and all headers that begin with `x-amz-`).
    fn check_headers(&self, head: &Parts) -> Result<(), Error> {
        let signed = |name: &str| {
            let mut names = self.claim.signed_headers.split(';');
            names.any(|other| other.eq_ignore_ascii_case(name))
        };
        if !signed("host") {
            return Err(invalid(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
                    .to_owned(),
            ));
        }
        for name in [TARGET, TOKEN] {
            if head.headers.contains_key(name) && !signed(name) {
                return Err(invalid(format!(
                    "'{name}' must be a 'SignedHeader' in the AWS Authorization."
                )));
            }
        }
        Ok(())
    }
}

impl Scope<'_> {
    fn signing_key(&self, secret: &str) -> SigningKey {
        keys::derive(secret, [self.day, self.region, SERVICE, TERMINATOR])
    }
}

/// The date of a request that is signed in its headers: that of AWS, or else that of HTTP, which
/// goes into the signature in the same form.
fn stamp(head: &Parts) -> Result<Cow<'_, str>, Error> {
    if let Some(stamp) = text(head, AMZ_DATE.as_str()) {
        return Ok(Cow::Borrowed(stamp));
    }
    let date = text(head, DATE.as_str()).unwrap_or_default();
    if date::parse(date).is_some() {
        return Ok(Cow::Borrowed(date));
    }
    let time = httpdate::parse_http_date(date).map_err(|_| wrong_date(date))?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_err(|_| wrong_date(date))?.as_secs();
    Ok(Cow::Owned(date::basic(seconds * 1000)))
}

fn text<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

/// Whether a request carries the session token of `secret`, or none if there is none.
fn has_token(secret: &Secret, given: Option<&str>) -> bool {
    match (&secret.session_token, given) {
        (None, None) => true,
        // Hashes, so that the time does not tell how much of it is right.
        (Some(token), Some(given)) => Sha256::digest(token) == Sha256::digest(given),
        _ => false,
    }
}

fn unknown() -> Error {
    Error::UnrecognizedClient("The security token included in the request is invalid.".into())
}

fn wrong_date(date: &str) -> Error {
    incomplete(format!(
        "Date must be in ISO-8601 'basic format'. Got '{date}'. See \
         http://en.wikipedia.org/wiki/ISO_8601"
    ))
}

fn incomplete(message: String) -> Error {
    Error::IncompleteSignature(message.into())
}

fn invalid(message: String) -> Error {
    Error::InvalidSignature(message.into())
}

#[cfg(test)]
mod tests;
