//! `stator serve`: from options to a server that runs, and to its end.

use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::arguments::{ServeOptions, Storage};
use super::{Failure, banner, credentials, signals};
use crate::http::{Drained, Server, ServerOptions};
use crate::stator::{Stator, StatorOptions};
use crate::store::{self, Durability};

/// How many connections may wait to be accepted: a test run opens hundreds at once.
const BACKLOG: u32 = 1024;

/// Serves until a signal stops it.
pub(super) fn serve(options: ServeOptions) -> Result<(), Failure> {
    start_log();
    if options.with_parent {
        end_with_parent()?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("stator-worker")
        .build()
        .map_err(|error| Failure(format!("the worker threads could not be started: {error}.")))?;
    runtime.block_on(run(options))
}

async fn run(options: ServeOptions) -> Result<(), Failure> {
    let stop = signals::first_signal()
        .map_err(|error| Failure(format!("signals can't be received: {error}.")))?;
    let verifier = options.credentials.as_deref().map(credentials::verifier);
    let verifier = verifier.transpose()?.map(Arc::new);
    let listeners = listen(&options)?;
    let address = listeners
        .first()
        .and_then(|listener| listener.local_addr().ok())
        .ok_or_else(|| Failure("there is no address to listen on.".to_owned()))?;
    let stator = open(&options)?;
    let server_options = ServerOptions {
        region: options.region.clone(),
        origins: options.origins.clone(),
        verifier,
    };
    let server = Server::new(listeners, Arc::new(stator.clone()), server_options);
    // A closed stdout is no reason not to serve.
    let _ = std::io::stdout().write_all(banner::banner(&options, address).as_bytes());
    // In a task of its own, since this thread is not one of the workers that poll sockets.
    match tokio::spawn(server.run(stop)).await {
        Ok(Drained::Completely) => {}
        Ok(Drained::CutOff) => tracing::warn!("some connections were cut off by the stop"),
        Err(error) => return Err(Failure(format!("the server failed: {error}."))),
    }
    stator
        .close()
        .map_err(|error| Failure(format!("the data could not be closed cleanly: {error}.")))
}

/// Asks the system to end this process when the one that started it ends.
fn end_with_parent() -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|error| Failure(format!("the parent's end can't be watched: {error}.")))?;
        // It may have ended before that was said: then another one has taken its place, the first
        // of all as a rule.
        if getppid().is_none_or(|parent| parent.is_init()) && std::process::id() > 2 {
            return Err(Failure(
                "the process that started this one is gone.".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Opens the tables. It blocks, which nobody minds yet.
fn open(options: &ServeOptions) -> Result<Stator, Failure> {
    let (storage, durability) = match &options.storage {
        Storage::Memory => (store::Storage::Memory, Durability::Sync),
        Storage::Directory(directory, durability) => {
            prepare(directory)?;
            (store::Storage::Directory(directory.clone()), *durability)
        }
    };
    let opened = Stator::open(StatorOptions {
        storage,
        durability,
        io: options.io,
        region: options.region.clone(),
        account: options.account.clone(),
        table_state_delay_ms: milliseconds(options.transient_status),
        ttl_delay_ms: options.ttl_delay.map(milliseconds),
        wording: options.wording,
        item_collection_limit: options.item_collection_limit,
        clock: options.clock,
        quotas: options.quotas,
        ..StatorOptions::default()
    });
    opened.map_err(|error| {
        Failure(match &options.storage {
            Storage::Memory => format!("the tables can't be opened: {error}."),
            Storage::Directory(directory, _) => {
                format!(
                    "the tables in '{}' can't be opened: {error}.",
                    directory.display()
                )
            }
        })
    })
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// To stderr, from `warn` up unless `STATOR_LOG` says otherwise: a level, or levels of modules
/// (`debug`, `stator::http=debug`). What is neither says nothing.
fn start_log() {
    let wanted = std::env::var("STATOR_LOG").unwrap_or_default();
    // Nothing would be taken for a level.
    let wanted = Some(wanted.trim()).filter(|wanted| !wanted.is_empty());
    let filter: Option<Targets> = wanted.and_then(|wanted| wanted.parse().ok());
    let mut filter = filter.unwrap_or_default();
    if filter.default_level().is_none() {
        filter = filter.with_default(tracing::Level::WARN);
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // It fails if there is a log already, which then is as good.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .try_init();
}

/// Binds the address asked for. Without one: both loopback addresses, since `localhost` is either,
/// as the client's resolver likes; the IPv6 one only where it is to be had.
fn listen(options: &ServeOptions) -> Result<Vec<TcpListener>, Failure> {
    let host = options.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let first = bind(SocketAddr::new(host, options.port))?;
    let mut listeners = vec![first];
    if options.host.is_none() {
        let port = listeners.first().and_then(|first| first.local_addr().ok());
        let port = port.map_or(options.port, |address| address.port());
        match bind(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)) {
            Ok(second) => listeners.push(second),
            Err(Failure(sentence)) => tracing::info!("{sentence}"),
        }
    }
    Ok(listeners)
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        // A server that was just stopped leaves connections behind that would hold the port.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|error| {
        Failure(match error.kind() {
            ErrorKind::AddrInUse => {
                format!("{address} is in use by another program; stop it or choose another --port.")
            }
            ErrorKind::PermissionDenied => {
                format!("this user may not listen on {address}; choose a --port above 1023.")
            }
            ErrorKind::AddrNotAvailable => {
                format!("{} is not an address of this machine.", address.ip())
            }
            _ => format!("{address} can't be listened on: {error}."),
        })
    })
}

/// Makes the directory if it is missing, but not its parents: a path with a slip in it must not
/// become a tree.
fn prepare(directory: &Path) -> Result<(), Failure> {
    let shown = directory.display();
    let parent = directory.parent().unwrap_or(directory);
    match std::fs::create_dir(directory) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if directory.is_dir() {
                Ok(())
            } else {
                Err(Failure(format!("'{shown}' is not a directory.")))
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound && !parent.exists() => {
            Err(Failure(format!(
                "the directory '{shown}' can't be made, because there is nothing at '{}'.",
                parent.display()
            )))
        }
        Err(error) => Err(Failure(format!(
            "the directory '{shown}' can't be made: {error}."
        ))),
    }
}
