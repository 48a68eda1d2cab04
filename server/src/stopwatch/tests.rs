use std::{
    sync::mpsc,
    task::{Context, Poll, Waker},
    thread,
};

use super::*;

const STEP: Duration = Duration::from_millis(3);

fn of(spent: &Spent, stage: Stage) -> Duration {
    Duration::from_nanos(spent[stage as usize])
}

/// That of a request which is done at the first poll.
fn spent(work: impl FnOnce()) -> (Spent, Duration) {
    let began = Instant::now();
    let mut watch = Stopwatch::start();
    {
        let mut done = pin!(timed(&mut watch, async { work() }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(done.as_mut().poll(&mut context).is_ready());
    }
    let spent = watch.stop();
    (spent, began.elapsed())
}

/// Its stages are all that has passed, and no more than that.
fn adds_up(spent: &Spent, at_least: Duration, at_most: Duration) {
    let total = Duration::from_nanos(spent.iter().sum());
    assert!(total >= at_least && total <= at_most, "{total:?}");
}

#[test]
fn every_moment_belongs_to_one_stage() {
    let (spent, took) = spent(|| {
        enter(Stage::Execute);
        during(Stage::KeyLock, || thread::sleep(STEP));
        thread::sleep(STEP);
        during(Stage::Commit, || {
            during(Stage::EngineRead, || thread::sleep(STEP));
            thread::sleep(STEP);
        });
        enter(Stage::Respond);
    });
    for stage in [
        Stage::KeyLock,
        Stage::Execute,
        Stage::Commit,
        Stage::EngineRead,
    ] {
        assert!(of(&spent, stage) >= STEP, "{stage:?}");
    }
    assert_eq!(of(&spent, Stage::Sync), Duration::ZERO);
    adds_up(&spent, 4 * STEP, took);
}

#[test]
fn a_wait_for_the_log_is_divided_where_the_group_began_and_ended() {
    let wait = |held_back| {
        spent(move || {
            let before = enter(Stage::Execute).unwrap();
            assert_eq!(before, Stage::Receive);
            enter(Stage::WalWait);
            thread::sleep(4 * STEP);
            let times = LogTimes {
                began_ago: 3 * STEP,
                ended_ago: STEP,
                held_back,
            };
            end_wal_wait(Some(times), Stage::Execute);
        })
    };
    let (times, took) = wait(false);
    assert!(of(&times, Stage::WalWait) >= STEP);
    assert_eq!(of(&times, Stage::Sync), 2 * STEP);
    assert_eq!(of(&times, Stage::Queue), STEP);
    adds_up(&times, 4 * STEP, took);
    let (times, _) = wait(true);
    assert_eq!(of(&times, Stage::Delay), STEP);
    assert_eq!(of(&times, Stage::Queue), Duration::ZERO);
}

#[test]
fn what_the_log_did_before_the_wait_is_no_part_of_it() {
    let (times, took) = spent(|| {
        thread::sleep(STEP);
        enter(Stage::WalWait);
        let times = LogTimes {
            began_ago: 1000 * STEP,
            ended_ago: 999 * STEP,
            held_back: false,
        };
        end_wal_wait(Some(times), Stage::Execute);
    });
    assert_eq!(of(&times, Stage::WalWait), Duration::ZERO);
    assert_eq!(of(&times, Stage::Sync), Duration::ZERO);
    adds_up(&times, STEP, took);
    let (times, _) = spent(|| {
        enter(Stage::WalWait);
        thread::sleep(STEP);
        end_wal_wait(None, Stage::Execute);
    });
    assert!(of(&times, Stage::WalWait) >= STEP);
}

#[test]
fn it_goes_along_to_another_thread_and_back() {
    let (times, took) = spent(|| {
        enter(Stage::Execute);
        let mut handed = hand_over().unwrap();
        let handed = thread::spawn(move || {
            thread::sleep(STEP);
            handed.run(|| {
                thread::sleep(STEP);
                during(Stage::EngineRead, || thread::sleep(STEP));
            });
            assert!(enter(Stage::Sync).is_none(), "it is gone from here");
            thread::sleep(STEP);
            handed
        });
        handed.join().unwrap().take_back();
        enter(Stage::Respond);
    });
    assert!(of(&times, Stage::Queue) >= 2 * STEP);
    assert!(of(&times, Stage::Execute) >= STEP);
    assert!(of(&times, Stage::EngineRead) >= STEP);
    adds_up(&times, 4 * STEP, took);
}

#[test]
fn a_request_that_is_not_polled_stays_in_its_stage() {
    let (go, went) = mpsc::channel::<()>();
    let mut watch = Stopwatch::start();
    let began = Instant::now();
    {
        let mut request = pin!(timed(&mut watch, async {
            enter(Stage::Execute);
            poll_fn(|_| match went.try_recv() {
                Ok(()) => Poll::Ready(()),
                Err(_) => Poll::Pending,
            })
            .await;
            enter(Stage::Respond);
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(request.as_mut().poll(&mut context).is_pending());
        // Another request comes in between on the same thread.
        let (other, _) = spent(|| {
            enter(Stage::KeyLock);
        });
        assert_eq!(of(&other, Stage::Execute), Duration::ZERO);
        thread::sleep(STEP);
        go.send(()).unwrap();
        assert!(request.as_mut().poll(&mut context).is_ready());
    }
    let times = watch.stop();
    assert!(of(&times, Stage::Execute) >= STEP);
    assert_eq!(of(&times, Stage::KeyLock), Duration::ZERO);
    adds_up(&times, STEP, began.elapsed());
}

#[test]
fn without_a_stopwatch_nothing_is_taken() {
    assert!(enter(Stage::Sync).is_none());
    assert_eq!(during(Stage::Sync, || 7), 7);
    assert!(hand_over().is_none());
    end_wal_wait(None, Stage::Execute);
}

#[test]
fn stages_stand_in_the_order_of_their_names() {
    for (place, stage) in Stage::ALL.into_iter().enumerate() {
        assert_eq!(stage as usize, place);
    }
}
