//! The place of one connection.

use std::io;

use mio::Poll;

use super::flight::Flight;
use crate::answer::Incoming;
use crate::stream::{Received, Stream};

/// What a connection does.
#[derive(Debug, Default)]
pub(super) enum State {
    /// There is none; a timer will bring it.
    #[default]
    Down,
    /// It is being made, for the so manyth time in a row.
    Connecting { tries: u32 },
    /// It waits for a job.
    Idle,
    /// It has one.
    Busy(Flight),
}

/// The place of one connection, with its memory.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) stream: Option<Stream>,
    pub(super) state: State,
    pub(super) request: Vec<u8>,
    /// How much of the request was taken.
    pub(super) written: usize,
    pub(super) incoming: Incoming,
}

impl Slot {
    /// Sends what is left of the request, as far as the connection takes it.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        while self.written < self.request.len() || stream.wants_to_send() {
            let left = self.request.get(self.written..).unwrap_or_default();
            let taken = stream.send(left)?;
            self.written += taken;
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Receives into the answer.
    pub(super) fn receive(&mut self) -> io::Result<Received> {
        let Some(stream) = &mut self.stream else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let received = stream.receive(self.incoming.room())?;
        if let Received::Bytes { size, .. } = received {
            self.incoming.filled(size);
        }
        Ok(received)
    }

    /// Ends the connection.
    pub(super) fn disconnect(&mut self, poll: &Poll) {
        if let Some(mut stream) = self.stream.take() {
            // It ends anyway when the stream is dropped.
            let _ = poll.registry().deregister(stream.socket());
        }
        self.state = State::Down;
        self.incoming.clear();
    }
}
