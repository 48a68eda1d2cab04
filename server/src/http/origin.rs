//! Which web pages may talk to this server.
//!
//! A browser lets any page send requests to this machine. While signatures are not verified,
//! nothing but the `Origin` header tells such a request from a program of the user's, so one that
//! names a page from elsewhere is refused unless an option lets it in: a web page must not be able
//! to read or empty somebody's local tables. DynamoDB itself allows every origin, since there the
//! signature decides; its answers to those it allows are the ones given here.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
};
use hyper::{HeaderMap, Method};

use super::reply::Reply;
use crate::wire::Error;

/// The pages of other machines that may use this server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// None: only pages that this machine serves.
    #[default]
    Local,
    /// These, each as a browser writes it: `https://example.com` or `http://10.0.0.7:3000`.
    Listed(Vec<String>),
    /// Every page.
    Any,
}

impl AllowedOrigins {
    /// Reads the option's form: `*`, or origins separated by commas. The error is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let origins: Vec<&str> = text.split(',').map(str::trim).collect();
        if origins.contains(&"*") {
            return Ok(Self::Any);
        }
        let listed = origins.into_iter().map(|origin| {
            let host = origin
                .split_once("://")
                .map(|(_, host)| host.trim_end_matches('/'));
            match host {
                Some(host) if !host.is_empty() && !host.contains('/') => {
                    Ok(origin.trim_end_matches('/').to_ascii_lowercase())
                }
                _ => Err(format!(
                    "'{origin}' is not an origin; write one as a browser does, for instance \
                     https://example.com or http://10.0.0.7:3000, or * for all"
                )),
            }
        });
        listed.collect::<Result<_, _>>().map(Self::Listed)
    }

    fn allow(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Local => is_this_machine(origin),
            Self::Listed(listed) => {
                is_this_machine(origin)
                    || listed
                        .iter()
                        .any(|allowed| allowed.eq_ignore_ascii_case(origin))
            }
        }
    }
}

/// Whether a page of `origin` was served by this machine. The origin `null` was not: any page can
/// send it, from a sandboxed frame. Nor does an origin count that equals the request's `Host`: a
/// foreign name can be made to resolve to this machine.
fn is_this_machine(origin: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    if !matches!(scheme, "http" | "https") {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']').map_or("", |(host, _)| host),
        None => authority
            .split_once(':')
            .map_or(authority, |(host, _)| host),
    };
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// What the `Origin` header of a request means for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// No web page: a program.
    None,
    /// A page that may read the answer.
    Allowed,
}

/// Reads the header and refuses a page that is not allowed.
pub(super) fn check(headers: &HeaderMap, allowed: &AllowedOrigins) -> Result<Origin, Error> {
    let Some(origin) = headers.get(ORIGIN) else {
        return Ok(Origin::None);
    };
    let origin = origin.to_str().unwrap_or_default();
    if allowed.allow(origin) {
        return Ok(Origin::Allowed);
    }
    Err(Error::AccessDenied(
        format!(
            "Requests from web pages of {origin} are refused, because signatures are not verified \
         here; start the server with --cors {origin} to let them in"
        )
        .into(),
    ))
}

/// Whether this is a browser's question before the request proper.
pub(super) fn is_preflight(method: &Method, origin: Origin) -> bool {
    origin == Origin::Allowed && method == Method::OPTIONS
}

/// Adds to an answer what lets the page read it.
pub(super) fn decorate(reply: &mut Reply, origin: Origin) {
    if origin == Origin::Allowed {
        let headers = reply.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"),
        );
    }
}

/// Answers a preflight: what was asked for is granted, for two days, as DynamoDB does.
pub(super) fn grant(reply: &mut Reply, request: &HeaderMap) {
    let granted = [
        (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
        (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
    ];
    for (asked, answer) in granted {
        if let Some(value) = request.get(asked) {
            reply.headers_mut().insert(answer, value.clone());
        }
    }
    reply
        .headers_mut()
        .insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("172800"));
    // A page on the public network asks this first of a server on a private one (the Private
    // Network Access draft); it has been allowed by then.
    if request.contains_key("access-control-request-private-network") {
        reply.headers_mut().insert(
            "access-control-allow-private-network",
            HeaderValue::from_static("true"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_machine_are_known_by_their_host() {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://LOCALHOST:8443",
            "http://app.localhost:5173",
            "http://127.0.0.1:8000",
            "http://127.8.9.1",
            "http://[::1]:3000",
        ] {
            assert!(is_this_machine(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://evillocalhost",
            "http://192.168.0.4:8000",
            "http://[::2]",
            "file://localhost",
            "chrome-extension://localhost",
        ] {
            assert!(!is_this_machine(origin), "{origin}");
        }
    }

    #[test]
    fn the_option_lists_origins_or_takes_all() {
        let listed = AllowedOrigins::parse("https://a.example, http://10.0.0.7:3000/").unwrap();
        assert!(listed.allow("https://a.example"));
        assert!(listed.allow("https://A.example"));
        assert!(listed.allow("http://10.0.0.7:3000"));
        assert!(listed.allow("http://localhost:1"));
        assert!(!listed.allow("http://a.example"));
        assert!(!listed.allow("http://10.0.0.7"));
        assert!(AllowedOrigins::parse("*").unwrap().allow("null"));
        assert!(!AllowedOrigins::Local.allow("https://a.example"));
    }

    #[test]
    fn what_is_no_origin_is_refused_with_a_sentence() {
        for text in ["", "example.com", "https://", "https://a/b", "https://a,,"] {
            let error = AllowedOrigins::parse(text).unwrap_err();
            assert!(error.contains("is not an origin"), "{text}: {error}");
        }
    }
}
