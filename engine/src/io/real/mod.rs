//! The operating system's files, clock, randomness and threads.

#[cfg(not(target_os = "linux"))]
mod absent;
mod file;
mod fs;
mod log;
mod map;
mod mode;
mod threads;
#[cfg(target_os = "linux")]
mod uring;
#[cfg(target_os = "linux")]
mod write_back;

#[cfg(not(target_os = "linux"))]
use absent as uring;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use fs::RealFs;
pub use mode::IoMode;
pub use threads::RealScheduler;

use super::{Clock, Rng};
use crate::error::{Error, Result};

/// The operating system's clocks.
pub struct RealClock {
    started: Instant,
}

impl RealClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    #[expect(
        clippy::new_without_default,
        reason = "what it returns depends on when it is called"
    )]
    pub fn new() -> Self {
        RealClock {
            started: Instant::now(),
        }
    }
}

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The operating system's generator.
pub struct RealRng;

impl Rng for RealRng {
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    fn fill(&self, buf: &mut [u8]) -> Result<()> {
        getrandom::fill(buf).map_err(|error| {
            Error::io(
                "read",
                "the random generator",
                std::io::Error::other(error.to_string()),
            )
        })
    }
}
