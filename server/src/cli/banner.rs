//! What the server says when it is ready.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::arguments::{ServeOptions, Storage};
use crate::store::{ClockMode, Durability};

/// The lines that name the endpoint, where the data is, what an acknowledgement means, and one
/// thing to try.
pub(super) fn banner(options: &ServeOptions, address: SocketAddr) -> String {
    let endpoint = endpoint(address);
    let (directory, durability) = match &options.storage {
        Storage::Memory => (
            "none: everything is in memory".to_owned(),
            "none: nothing outlives this process",
        ),
        Storage::Directory(directory, durability) => (
            directory.display().to_string(),
            match durability {
                Durability::Sync => "sync: what is acknowledged is on disk",
                Durability::Interval(_) => "",
            },
        ),
    };
    let mut text = format!(
        "Stator {}\n  endpoint    {endpoint}\n  directory   {directory}\n  durability  {durability}",
        env!("CARGO_PKG_VERSION")
    );
    if let Storage::Directory(_, Durability::Interval(interval)) = &options.storage {
        let milliseconds = interval.as_millis();
        let _ = write!(
            text,
            "interval: a power failure can take the last {milliseconds} ms of what is acknowledged"
        );
    }
    if options.clock != ClockMode::System {
        let _ = write!(
            text,
            "\n  clock       manual: it stands until POST {endpoint}/_stator/clock moves it"
        );
    }
    let any = match &options.credentials {
        None => "AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=a ".to_owned(),
        Some(file) => {
            let file = file.display();
            let _ = write!(
                text,
                "\n  credentials those in {file}: signatures are verified"
            );
            format!("AWS_SHARED_CREDENTIALS_FILE={file} ")
        }
    };
    let _ = write!(
        text,
        "\n  try         {any}aws dynamodb list-tables --region {} --endpoint-url {endpoint}\n",
        options.region
    );
    if !address.ip().is_loopback() && options.credentials.is_none() {
        text.push_str(
            "  warning     This listens beyond this machine, and signatures are not verified: \
             whoever can reach this port can read and change every table.\n",
        );
    }
    text
}

/// The URL that a client on this machine uses.
fn endpoint(address: SocketAddr) -> String {
    if !address.ip().is_unspecified() {
        return format!("http://{address}");
    }
    let loopback = if address.is_ipv4() {
        "127.0.0.1"
    } else {
        "[::1]"
    };
    format!("http://{loopback}:{}", address.port())
}
