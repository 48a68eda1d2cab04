//! One timer per connection, for hyper's limit on how long a request's head may take.
//!
//! hyper starts a timer before every head and drops it with the head's last byte. With a timer of
//! the runtime each time, that is a registration and a removal under the lock of the timer wheel
//! per request: a tenth of what a small request costs. Here the connection keeps one such timer
//! and lets it run; when it fires and the present deadline is a later one, it is set to that. So
//! the wheel is touched once per limit instead of twice per request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;

type Alarm = Pin<Box<tokio::time::Sleep>>;

/// The timer of one connection, which waits for one thing at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionTimer {
    /// Set once something had to be waited for. Never later than the present deadline.
    alarm: Arc<Mutex<Option<Alarm>>>,
}

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let alarm = Arc::clone(&self.alarm);
        Box::pin(Until {
            deadline: deadline.into(),
            alarm,
        })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

/// Completes at its deadline.
struct Until {
    deadline: tokio::time::Instant,
    alarm: Arc<Mutex<Option<Alarm>>>,
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut alarm = self.alarm.lock();
        let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline)));
        if alarm.deadline() > self.deadline {
            alarm.as_mut().reset(self.deadline);
        }
        while alarm.as_mut().poll(context).is_ready() {
            if alarm.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(self.deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_kept_whatever_was_waited_for_before() {
        let timer = ConnectionTimer::default();
        let begin = timer.now();
        for (later, previous) in [(30, 0), (20, 30), (100, 50), (40, 150), (41, 190)] {
            assert_eq!(timer.now() - begin, seconds(previous));
            // Something is waited for and comes in time: the alarm goes on.
            let unneeded = timer.sleep(seconds(25));
            let _ = tokio::time::timeout(Duration::ZERO, unneeded).await;
            timer.sleep(seconds(later)).await;
        }
        assert_eq!(timer.now() - begin, seconds(231));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_has_passed_is_no_wait() {
        let timer = ConnectionTimer::default();
        let begin = timer.now();
        tokio::time::advance(seconds(5)).await;
        timer.sleep_until(begin).await;
        assert_eq!(timer.now() - begin, seconds(5));
    }
}
