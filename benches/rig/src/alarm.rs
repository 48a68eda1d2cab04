//! Waking up on time: a poll's own time-out counts milliseconds on Linux, which would be the largest
//! part of many a latency, so that the wait there ends by a timer of the kernel's.

use std::io;
use std::time::Duration;

use mio::{Events, Poll, Token};

/// A poll that also ends at a given time.
pub struct Alarm {
    #[cfg(target_os = "linux")]
    timer: std::os::fd::OwnedFd,
}

/// The token of the timer's event, which needs no answer.
pub const TOKEN: Token = Token(usize::MAX);

#[cfg(target_os = "linux")]
impl Alarm {
    /// An alarm for one poll.
    ///
    /// # Errors
    /// If the kernel gives no timer.
    pub fn new(poll: &Poll) -> io::Result<Self> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        use std::os::fd::AsRawFd;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let mut source = mio::unix::SourceFd(&timer.as_raw_fd());
        poll.registry()
            .register(&mut source, TOKEN, mio::Interest::READABLE)?;
        Ok(Self { timer })
    }

    /// Polls for at most `time`.
    ///
    /// # Errors
    /// Of the poll.
    pub fn poll(&self, poll: &mut Poll, events: &mut Events, time: Duration) -> io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        // Below this the way into the kernel and back takes as long.
        if time < Duration::from_micros(3) {
            return uninterrupted(poll.poll(events, Some(Duration::ZERO)));
        }
        let never = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = Itimerspec {
            it_interval: never,
            it_value: Timespec {
                tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: time.subsec_nanos().into(),
            },
        };
        // Setting it takes back what it has to report, and each report is an event of its own: it
        // need not be read.
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &value)?;
        uninterrupted(poll.poll(events, None))
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    /// An alarm for one poll.
    ///
    /// # Errors
    /// None here.
    pub fn new(_: &Poll) -> io::Result<Self> {
        Ok(Self {})
    }

    /// Polls for at most `time`, which elsewhere is counted in nanoseconds.
    ///
    /// # Errors
    /// Of the poll.
    pub fn poll(&self, poll: &mut Poll, events: &mut Events, time: Duration) -> io::Result<()> {
        uninterrupted(poll.poll(events, Some(time)))
    }
}

fn uninterrupted(polled: io::Result<()>) -> io::Result<()> {
    match polled {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        other => other,
    }
}
