//! Signed requests, as bytes ready to be sent: AWS Signature Version 4 with everything prepared
//! that does not change from request to request.
//!
//! The signing key changes once a day, the date once a second: what they lead up to is hashed then,
//! and a request costs the hash of its body and a few blocks more. ("AWS Signature Version 4 for
//! API requests" in the IAM user guide.)

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::credentials::Credentials;

type HmacSha256 = Hmac<Sha256>;

/// Writes signed requests of one endpoint.
#[derive(Clone)]
pub struct Signer {
    host: String,
    region: String,
    credentials: Credentials,
    targets: Vec<String>,
    /// For which second everything below is.
    second: u64,
    /// For which day the key is.
    day: u64,
    key: Option<HmacSha256>,
    scope: String,
    prepared: Vec<Prepared>,
    /// HMAC by the signing key over what precedes the hash of the canonical request.
    before_hash: Option<HmacSha256>,
}

#[derive(Clone)]
struct Prepared {
    /// The hash of the canonical request up to the hash of the body.
    canonical: Sha256,
    /// The request up to the signature.
    head: Vec<u8>,
}

/// The type of all requests.
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

impl Signer {
    /// For requests to `host` in a Region; `targets` are values of `X-Amz-Target`, which requests
    /// name by their places.
    pub fn new(
        host: &str,
        region: &str,
        credentials: Credentials,
        targets: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            host: host.to_owned(),
            region: region.to_owned(),
            credentials,
            targets: targets.into_iter().collect(),
            second: u64::MAX,
            day: u64::MAX,
            key: None,
            scope: String::new(),
            prepared: Vec::new(),
            before_hash: None,
        }
    }

    /// Knows other operations from now on, by their places.
    pub fn set_targets(&mut self, targets: Vec<String>) {
        self.targets = targets;
        // They are prepared with the next request.
        self.second = u64::MAX;
    }

    /// Appends a request to `request`: the operation at place `target`, with `body`, at a time in
    /// seconds since 1970.
    pub fn write(&mut self, target: usize, body: &[u8], now: u64, request: &mut Vec<u8>) {
        if now != self.second {
            self.prepare(now);
        }
        let (Some(prepared), Some(before_hash)) =
            (self.prepared.get(target), self.before_hash.as_ref())
        else {
            return;
        };
        let mut hex = [0; 64];
        let mut canonical = prepared.canonical.clone();
        to_hex(&Sha256::digest(body), &mut hex);
        canonical.update(hex);
        to_hex(&canonical.finalize(), &mut hex);
        let mut mac = before_hash.clone();
        mac.update(&hex);
        to_hex(&mac.finalize().into_bytes(), &mut hex);
        request.extend_from_slice(&prepared.head);
        request.extend_from_slice(&hex);
        request.extend_from_slice(b"\r\nContent-Length: ");
        request.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body);
    }

    fn prepare(&mut self, now: u64) {
        let date = Date::of(now);
        if self.day != now / 86_400 || self.key.is_none() {
            self.scope = format!("{}/{}/dynamodb/aws4_request", date.day, self.region);
            let secret = format!("AWS4{}", self.credentials.secret_key);
            let mut key = mac(secret.as_bytes(), date.day.as_bytes());
            for part in [self.region.as_str(), "dynamodb", "aws4_request"] {
                key = mac(&key, part.as_bytes());
            }
            self.key = HmacSha256::new_from_slice(&key).ok();
            self.day = now / 86_400;
        }
        self.second = now;
        self.before_hash = self.key.clone().map(|mut key| {
            let stamp = &date.stamp;
            key.update(format!("AWS4-HMAC-SHA256\n{stamp}\n{}\n", self.scope).as_bytes());
            key
        });
        self.prepared = self
            .targets
            .iter()
            .map(|target| self.prepare_target(target, &date.stamp))
            .collect();
    }

    fn prepare_target(&self, target: &str, stamp: &str) -> Prepared {
        let host = &self.host;
        // In the order of their names, as they are signed.
        let mut headers = vec![
            ("content-type", CONTENT_TYPE),
            ("host", host),
            ("x-amz-date", stamp),
        ];
        if let Some(token) = &self.credentials.session_token {
            headers.push(("x-amz-security-token", token));
        }
        headers.push(("x-amz-target", target));
        let mut canonical = String::from("POST\n/\n\n");
        let mut head = String::from("POST / HTTP/1.1\r\n");
        let mut signed = String::new();
        for (name, value) in headers {
            let _ = writeln!(canonical, "{name}:{value}");
            let _ = write!(head, "{name}: {value}\r\n");
            let separator = if signed.is_empty() { "" } else { ";" };
            let _ = write!(signed, "{separator}{name}");
        }
        let _ = write!(canonical, "\n{signed}\n");
        let _ = write!(
            head,
            "accept-encoding: identity\r\nauthorization: AWS4-HMAC-SHA256 Credential={}/{}, \
             SignedHeaders={signed}, Signature=",
            self.credentials.access_key, self.scope
        );
        Prepared {
            canonical: Sha256::new_with_prefix(canonical),
            head: head.into_bytes(),
        }
    }
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // Keys of any length will do.
    HmacSha256::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn to_hex(bytes: &[u8], hex: &mut [u8; 64]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    for (pair, byte) in hex.chunks_exact_mut(2).zip(bytes) {
        if let [high, low] = pair {
            *high = digit(byte >> 4);
            *low = digit(byte & 15);
        }
    }
}

/// A time as signatures write it.
struct Date {
    /// `20260101`
    day: String,
    /// `20260101T000000Z`
    stamp: String,
}

impl Date {
    /// Of seconds since 1970.
    fn of(seconds: u64) -> Self {
        let (year, month, day) = civil(seconds / 86_400);
        let time = seconds % 86_400;
        let day = format!("{year:04}{month:02}{day:02}");
        let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
        Self {
            stamp: format!("{day}T{hours:02}{minutes:02}{seconds:02}Z"),
            day,
        }
    }
}

/// Year, month and day of a number of days since 1970, by the Gregorian calendar: years are counted
/// from March on, so that the leap day is the last.
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(token: Option<&str>) -> Signer {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: token.map(str::to_owned),
        };
        let target = "DynamoDB_20120810.GetItem".to_owned();
        Signer::new("localhost:8000", "us-east-1", credentials, [target])
    }

    fn signature(signer: &mut Signer, now: u64) -> String {
        let mut request = Vec::new();
        signer.write(0, b"{\"TableName\":\"t\"}", now, &mut request);
        let text = String::from_utf8(request).unwrap();
        assert!(
            text.ends_with("Content-Length: 17\r\n\r\n{\"TableName\":\"t\"}"),
            "{text}"
        );
        let (_, signature) = text.split_once("Signature=").unwrap();
        signature.lines().next().unwrap().to_owned()
    }

    /// What botocore 1.44.5 (`botocore.auth.SigV4Auth`) makes of the same requests.
    #[test]
    fn signatures_are_those_of_botocore() {
        let mut plain = signer(None);
        assert_eq!(signature(&mut plain, 1_767_225_600), PLAIN);
        // The key and all that is prepared are renewed, and come back.
        assert_ne!(signature(&mut plain, 1_767_225_601), PLAIN);
        assert_ne!(signature(&mut plain, 1_767_312_000), PLAIN);
        assert_eq!(signature(&mut plain, 1_767_225_600), PLAIN);
        assert_eq!(
            signature(&mut signer(Some("TOKEN")), 1_767_225_600),
            WITH_TOKEN
        );
    }

    const PLAIN: &str = "353620fc34beeeb11f9d4612407c064cc8a90fe2fbd28e867b5d5edb58269af8";
    const WITH_TOKEN: &str = "4e475adcbeb7b758b1c1b4ddafbbecc124c8c9141677bce54cfb4b0f5a4f2116";

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(20_454), (2026, 1, 1));
        assert_eq!(Date::of(1_767_225_599).stamp, "20251231T235959Z");
    }
}
