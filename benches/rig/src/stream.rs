//! A connection's bytes, plain or under TLS, without ever waiting.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::endpoint::Endpoint;
use crate::failure::{Doing, Failure};

/// How connections to an endpoint are made.
#[derive(Clone)]
pub struct Connector {
    addresses: Vec<SocketAddr>,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Connector {
    /// To an endpoint. Whom to trust the system says, or the file that `authorities` names (the
    /// SDKs' `AWS_CA_BUNDLE`).
    ///
    /// # Errors
    /// If the endpoint has no address, or there is nobody to trust.
    pub fn new(endpoint: &Endpoint, authorities: Option<&str>) -> Result<Self, Failure> {
        let tls = if endpoint.tls {
            let name = ServerName::try_from(endpoint.name.clone())
                .doing(format!("'{}' is no name for TLS", endpoint.name))?;
            Some((Arc::new(config(authorities)?), name))
        } else {
            None
        };
        Ok(Self {
            addresses: endpoint.addresses()?,
            tls,
        })
    }

    /// Begins a connection; `turn` chooses among the addresses.
    ///
    /// # Errors
    /// If the system refuses at once.
    pub fn connect(&self, turn: usize) -> io::Result<Stream> {
        let address = turn
            .checked_rem(self.addresses.len())
            .and_then(|place| self.addresses.get(place));
        let Some(address) = address else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        let socket = TcpStream::connect(*address)?;
        Ok(Stream {
            socket,
            tls: self.session()?.map(Box::new),
        })
    }

    /// A connection that waits for each piece of an answer `at_most` so long, for the few requests that are no part of a measurement.
    ///
    /// # Errors
    /// If no address answers.
    pub fn connect_and_wait(&self, at_most: Duration) -> io::Result<Box<dyn Waiting>> {
        let socket = std::net::TcpStream::connect(self.addresses.as_slice())?;
        socket.set_read_timeout(Some(at_most))?;
        socket.set_nodelay(true)?;
        Ok(match self.session()? {
            Some(session) => Box::new(rustls::StreamOwned::new(session, socket)),
            None => Box::new(socket),
        })
    }

    fn session(&self) -> io::Result<Option<ClientConnection>> {
        let Some((config, name)) = &self.tls else {
            return Ok(None);
        };
        let session = ClientConnection::new(Arc::clone(config), name.clone());
        session.map(Some).map_err(io::Error::other)
    }
}

/// A connection that waits for what it reads.
pub trait Waiting: Read + Write + Send {}

impl<T: Read + Write + Send> Waiting for T {}

fn config(authorities: Option<&str>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let certificates =
                CertificateDer::pem_file_iter(path).doing(format!("'{path}' can't be read"))?;
            for certificate in certificates {
                let certificate = certificate.doing(format!("'{path}' is no certificate"))?;
                roots
                    .add(certificate)
                    .doing(format!("'{path}' is no certificate"))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(Failure::new(
            "this machine trusts nobody: install its certificates (Debian: ca-certificates), or \
             name a file of them in AWS_CA_BUNDLE.",
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing("TLS can't be used")?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A connection.
pub struct Stream {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// The socket, to be registered with a poll.
    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Whether requests can be sent: the connection stands, and TLS has been agreed on.
    ///
    /// # Errors
    /// Why that failed.
    pub fn is_ready(&mut self) -> io::Result<bool> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match self.socket.peer_addr() {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
            Err(error) => return Err(error),
        }
        // Without this the end of a long request waits for the other side's acknowledgement.
        self.socket.set_nodelay(true)?;
        if self.tls.is_some() {
            self.send(&[])?;
            if self.receive(&mut [])? == Received::End {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking()))
    }

    /// Sends what it can of `bytes`, and what TLS has to say, and returns how many were taken.
    ///
    /// # Errors
    /// Of the connection; `WouldBlock` is none.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return quiet(self.socket.write(bytes));
        };
        let taken = if tls.is_handshaking() {
            0
        } else {
            tls.writer().write(bytes)?
        };
        flush(tls, &mut self.socket)?;
        Ok(taken)
    }

    /// Whether something that was taken has not been sent.
    pub fn wants_to_send(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Receives into `room`: `Received::Nothing` if there is nothing now.
    ///
    /// # Errors
    /// Of the connection, an end of it that TLS did not announce among them.
    pub fn receive(&mut self, room: &mut [u8]) -> io::Result<Received> {
        let Some(tls) = &mut self.tls else {
            return received(self.socket.read(room), room.len());
        };
        loop {
            match tls.reader().read(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // More may wait in the session or in the socket.
                Ok(size @ 1..) => return Ok(Received::Bytes { size, more: true }),
                // No room: only what TLS itself says is of interest.
                Ok(0) if room.is_empty() => {}
                other => return received(other, room.len()),
            }
            match tls.read_tls(&mut self.socket) {
                Ok(0) => return Ok(Received::End),
                Ok(_) => {
                    tls.process_new_packets().map_err(io::Error::other)?;
                    flush(tls, &mut self.socket)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Received::Nothing);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// What came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes.
    Bytes {
        /// How many.
        size: usize,
        /// There may be more already.
        more: bool,
    },
    /// Nothing now.
    Nothing,
    /// The other side has ended the connection.
    End,
}

fn received(read: io::Result<usize>, room: usize) -> io::Result<Received> {
    match read {
        Ok(0) => Ok(Received::End),
        // A short read has emptied the socket: the poll reports what comes later.
        Ok(size) => Ok(Received::Bytes {
            size,
            more: size == room,
        }),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Received::Nothing),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Received::Bytes {
            size: 0,
            more: true,
        }),
        Err(error) => Err(error),
    }
}

fn flush(tls: &mut ClientConnection, socket: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(socket) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn quiet(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            Ok(0)
        }
        other => other,
    }
}
