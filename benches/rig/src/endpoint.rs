//! Where the endpoint is.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::failure::{Doing, Failure};

/// An endpoint, as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether it is `https`.
    pub tls: bool,
    /// Name or address, without the brackets of IPv6.
    pub name: String,
    /// The port.
    pub port: u16,
    /// What the `Host` header says.
    pub host: String,
}

impl Endpoint {
    /// The endpoint that a URL names. A path is refused: DynamoDB has none.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = || format!("'{url}' is no endpoint; write it as http://127.0.0.1:8000");
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(wrong()),
        };
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
            return Err(wrong());
        }
        let standard = if tls { 443 } else { 80 };
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, port.parse().map_err(|_| wrong())?)
            }
            _ => (host, standard),
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() || (bare.contains(':') && bare == name) {
            return Err(wrong());
        }
        Ok(Self {
            tls,
            name: bare.to_owned(),
            port,
            // The standard port is left out, as the SDKs do: it is part of what is signed.
            host: if port == standard { name } else { host }.to_owned(),
        })
    }

    /// DynamoDB's own endpoint in a Region.
    pub fn aws(region: &str) -> Result<Self, String> {
        let domain = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        Self::parse(&format!("https://dynamodb.{region}.{domain}"))
    }

    /// The URL.
    pub fn url(&self) -> String {
        format!(
            "{}://{}",
            if self.tls { "https" } else { "http" },
            self.host
        )
    }

    /// Its addresses; connections take turns.
    ///
    /// # Errors
    /// If the name has none.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let found = (self.name.as_str(), self.port)
            .to_socket_addrs()
            .doing(format!("there is no address for '{}'", self.name))?;
        let mut addresses: Vec<SocketAddr> = found.collect();
        // `localhost` is both loopback addresses, and a server may listen on one of them.
        if self.name == "localhost" {
            addresses.retain(SocketAddr::is_ipv4);
        }
        if addresses.is_empty() {
            return Err(Failure(format!("there is no address for '{}'.", self.name)));
        }
        Ok(addresses)
    }

    /// Whether it is DynamoDB itself, where requests cost money.
    pub fn is_aws(&self) -> bool {
        self.name.ends_with(".amazonaws.com") || self.name.ends_with(".amazonaws.com.cn")
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn urls_are_taken_apart() {
        let parts = |url| {
            let endpoint = Endpoint::parse(url).unwrap();
            (endpoint.tls, endpoint.name, endpoint.port, endpoint.host)
        };
        let plain = |name: &str, port, host: &str| (false, name.to_owned(), port, host.to_owned());
        assert_eq!(
            parts("http://localhost:8000"),
            plain("localhost", 8000, "localhost:8000")
        );
        assert_eq!(parts("http://a.b/"), plain("a.b", 80, "a.b"));
        assert_eq!(parts("http://a.b:80"), plain("a.b", 80, "a.b"));
        assert_eq!(parts("http://[::1]:8000"), plain("::1", 8000, "[::1]:8000"));
        assert_eq!(parts("https://a").2, 443);
        let aws = Endpoint::aws("eu-west-1").unwrap();
        assert_eq!(aws.url(), "https://dynamodb.eu-west-1.amazonaws.com");
        assert!(aws.is_aws());
        for url in [
            "",
            "a:1",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://a:x",
            "http://::1",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
