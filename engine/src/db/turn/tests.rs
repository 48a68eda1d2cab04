//! Every interleaving of a small model: committers, the task and the end of the database, each a
//! state machine whose steps are the atomic actions of the code. Whatever the order, every commit is
//! written, only one of them ever writes, and nobody sleeps for ever.

use super::*;
use std::collections::HashSet;

/// Where a committer is in its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Committer {
    Push,
    /// In the queue, not yet in the memtable.
    Apply,
    Ask,
    /// Holds the turn: takes the next group.
    Lead,
    /// Holds the turn, has written, and is to publish.
    Publish,
    /// Holds the turn, and has what it wanted.
    Leave,
    /// Has passed the turn on, and is to wake the task.
    WakeTask,
    /// Sleeps until its commit is published.
    Sleep,
    Done,
}

/// Where the task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Task {
    /// Asleep, with a wake that is not yet taken or without.
    Asleep,
    /// Awake, not holding the turn.
    Awake,
    Write,
    Publish,
    Yield,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    turn: u8,
    /// Committers may write themselves.
    leads: [bool; 3],
    committers: [Committer; 3],
    task: Task,
    task_holds: bool,
    task_woken: bool,
    /// Sequence numbers given out; taken by a writer; published.
    pushed: u8,
    taken: u8,
    published: u8,
    sequences: [u8; 3],
    applied: u8,
    applied_by: [bool; 3],
    /// The writer waits for this one to be applied, and then the task is woken.
    awaited: Option<u8>,
    closing: u8,
    closed: bool,
}

/// Runs a method of the real [`Turn`] on the model's state.
fn on<T>(state: &mut u8, act: impl FnOnce(&Turn) -> T) -> T {
    let turn = Turn {
        state: AtomicU8::new(*state),
    };
    let result = act(&turn);
    *state = turn.state.load(Ordering::SeqCst);
    result
}

impl World {
    fn holders(&self) -> usize {
        let leading = |state: &&Committer| {
            matches!(
                state,
                Committer::Lead | Committer::Publish | Committer::Leave
            )
        };
        self.committers.iter().filter(leading).count() + usize::from(self.task_holds)
    }

    fn wake_task(&mut self) {
        self.task_woken = true;
    }

    /// The steps that somebody can take now.
    fn steps(&self) -> Vec<World> {
        let mut next = Vec::new();
        for number in 0..self.committers.len() {
            let mut world = self.clone();
            if world.step_committer(number) {
                next.push(world);
            }
        }
        let mut world = self.clone();
        if world.step_task() {
            next.push(world);
        }
        let mut world = self.clone();
        if world.step_close() {
            next.push(world);
        }
        next
    }

    /// `false` if it can't take one.
    fn step_committer(&mut self, me: usize) -> bool {
        let mine = self.sequences[me];
        self.committers[me] = match self.committers[me] {
            // Nothing new is accepted.
            Committer::Push if self.closed => Committer::Done,
            Committer::Push => {
                self.pushed += 1;
                self.sequences[me] = self.pushed;
                Committer::Apply
            }
            Committer::Apply => {
                self.applied_by[me] = true;
                while (0..3).any(|at| self.applied_by[at] && self.sequences[at] == self.applied + 1)
                {
                    self.applied += 1;
                }
                if self.awaited.is_some_and(|awaited| self.applied >= awaited) {
                    self.awaited = None;
                    self.wake_task();
                }
                Committer::Ask
            }
            Committer::Ask if self.published >= mine => Committer::Done,
            Committer::Ask => {
                let leads = self.leads[me];
                let asker = if leads { Asker::Thread } else { Asker::ForTask };
                match (on(&mut self.turn, |turn| turn.ask(asker)), leads) {
                    (true, true) => Committer::Lead,
                    (true, false) => Committer::WakeTask,
                    (false, _) => Committer::Sleep,
                }
            }
            Committer::Lead if self.taken == self.pushed => Committer::Leave,
            Committer::Lead => {
                self.taken = self.pushed;
                Committer::Publish
            }
            Committer::Publish if self.applied < self.taken => {
                self.awaited = Some(self.taken);
                on(&mut self.turn, Turn::pass);
                Committer::WakeTask
            }
            Committer::Publish => {
                self.published = self.taken;
                if self.published >= mine {
                    Committer::Leave
                } else {
                    Committer::Lead
                }
            }
            Committer::Leave => match on(&mut self.turn, Turn::yield_turn) {
                true => Committer::Sleep,
                false => {
                    on(&mut self.turn, Turn::pass);
                    Committer::WakeTask
                }
            },
            Committer::WakeTask => {
                self.wake_task();
                Committer::Sleep
            }
            Committer::Sleep if self.published >= mine => Committer::Done,
            Committer::Sleep | Committer::Done => return false,
        };
        true
    }

    fn step_task(&mut self) -> bool {
        self.task = match self.task {
            Task::Asleep if !self.task_woken => return false,
            Task::Asleep => {
                self.task_woken = false;
                if self.task_holds {
                    Task::Publish
                } else {
                    Task::Awake
                }
            }
            Task::Awake => match on(&mut self.turn, Turn::take_passed) {
                true => {
                    self.task_holds = true;
                    Task::Publish
                }
                false => Task::Asleep,
            },
            Task::Publish if self.applied < self.taken => {
                self.awaited = Some(self.taken);
                Task::Asleep
            }
            Task::Publish => {
                self.published = self.taken;
                Task::Write
            }
            Task::Write if self.taken < self.pushed => {
                self.taken = self.pushed;
                Task::Publish
            }
            Task::Write if self.closed => Task::Done,
            Task::Write => Task::Yield,
            Task::Yield => match on(&mut self.turn, Turn::yield_turn) {
                true => {
                    self.task_holds = false;
                    Task::Asleep
                }
                false => Task::Write,
            },
            Task::Done => return false,
        };
        true
    }

    fn step_close(&mut self) -> bool {
        match self.closing {
            0 => self.closed = true,
            1 if !on(&mut self.turn, |turn| turn.ask(Asker::ForTask)) => {}
            1 | 2 => self.wake_task(),
            _ => return false,
        }
        self.closing += 1;
        true
    }
}

#[test]
fn in_every_order_all_is_written_by_one_at_a_time_and_nobody_sleeps_for_ever() {
    let mut ends = 0;
    for leads in 0..8 {
        let start = World {
            turn: FREE,
            leads: [leads & 1 != 0, leads & 2 != 0, leads & 4 != 0],
            committers: [Committer::Push; 3],
            task: Task::Asleep,
            task_holds: false,
            task_woken: false,
            pushed: 0,
            taken: 0,
            published: 0,
            sequences: [0; 3],
            applied: 0,
            applied_by: [false; 3],
            awaited: None,
            closing: 0,
            closed: false,
        };
        let mut seen = HashSet::from([start.clone()]);
        let mut open = vec![start];
        while let Some(world) = open.pop() {
            assert!(world.holders() <= 1, "two hold the turn: {world:?}");
            let steps = world.steps();
            if steps.is_empty() {
                ends += 1;
                let all_done = world.committers.iter().all(|at| *at == Committer::Done);
                assert!(all_done, "somebody sleeps for ever: {world:?}");
                assert_eq!(world.published, world.pushed, "{world:?}");
                assert_eq!(world.task, Task::Done, "the task never ends: {world:?}");
            }
            for next in steps {
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    assert!(ends > 0);
}

#[test]
fn the_turn_is_one_askers_and_an_ask_is_not_lost() {
    let turn = Turn::default();
    assert!(turn.ask(Asker::Thread));
    assert!(!turn.ask(Asker::Thread), "it is taken");
    assert!(!turn.yield_turn(), "somebody has asked");
    assert!(turn.yield_turn());
    assert!(turn.ask(Asker::ForTask));
    assert!(!turn.ask(Asker::Thread), "it is the task's");
    assert!(turn.take_passed());
    assert!(!turn.take_passed());
    turn.pass();
    assert!(turn.take_passed());
    assert!(turn.yield_turn());
}
