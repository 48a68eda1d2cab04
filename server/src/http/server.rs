//! Listening, connections, and coming to rest.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};

use super::front::Front;
use super::timer::ConnectionTimer;
use super::{AllowedOrigins, Service, Verifier};

/// How long a shutdown waits for what is in flight. A container's runtime kills after ten seconds,
/// and the engine needs some of them to close.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// How long a connection may stay without a complete request head, idle time included. The SDKs
/// keep idle connections for up to a minute and open a new one by themselves after that.
const HEAD_LIMIT: Duration = Duration::from_secs(75);

/// How long to wait when the process has no file descriptors left: connections that end free some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// What a server needs to know besides its service.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// The Region that `GET /` names.
    pub region: String,
    /// The web pages that may use the server.
    pub origins: AllowedOrigins,
    /// Who is let in; without it, whoever signs at all.
    pub verifier: Option<Arc<Verifier>>,
}

/// How a shutdown ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request in flight was answered.
    Completely,
    /// The limit passed first; the remaining connections are cut.
    CutOff,
}

/// A front with its listeners, ready to run.
pub struct Server<S> {
    listeners: Vec<TcpListener>,
    front: Arc<Front<S>>,
}

impl<S: Service> Server<S> {
    /// Puts a front before `service`. The listeners have been bound by the caller, who can say
    /// best why that failed; requests wait in their backlog until [`Server::run`].
    pub fn new(listeners: Vec<TcpListener>, service: Arc<S>, options: ServerOptions) -> Self {
        let health = format!("healthy: dynamodb.{}.amazonaws.com ", options.region);
        let front = Front {
            service,
            origins: options.origins,
            verifier: options.verifier,
            health: Bytes::from(health),
        };
        Self {
            listeners,
            front: Arc::new(front),
        }
    }

    /// Serves until `stop` completes, then stops listening, finishes what is in flight, for at
    /// most [`DRAIN_LIMIT`], and returns.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Drained {
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = accept(&self.listeners) => match accepted {
                    Ok((stream, peer)) => {
                        let front = Arc::clone(&self.front);
                        tokio::spawn(converse(stream, peer, front, graceful.watcher()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "could not accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        }
        drop(self.listeners);
        match tokio::time::timeout(DRAIN_LIMIT, graceful.shutdown()).await {
            Ok(()) => Drained::Completely,
            Err(_) => Drained::CutOff,
        }
    }
}

/// The next connection on any of the listeners.
async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

async fn converse<S: Service>(
    stream: TcpStream,
    peer: SocketAddr,
    front: Arc<Front<S>>,
    watcher: Watcher,
) {
    // Without this the answer's last packet waits for the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "could not set TCP_NODELAY");
    }
    let service = service_fn(|request| {
        let front = &front;
        async move { Ok::<_, Infallible>(front.answer(peer.ip(), request).await) }
    });
    let connection = http1::Builder::new()
        .timer(ConnectionTimer::default())
        .header_read_timeout(HEAD_LIMIT)
        // A client may say that it has sent everything before it reads the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}
