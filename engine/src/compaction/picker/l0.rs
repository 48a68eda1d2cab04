//! What of L0 goes down: a stack of SSTables over a narrow range of keys.
//!
//! Flushes are cut where the level below has its SSTables, so that L0 falls into stacks that have
//! nothing to do with each other. A job takes one of them, the deepest: reads look through every
//! sublevel, and the deeper the stack, the fewer bytes of the base level are rewritten for each of its
//! own. Several jobs may take from L0 at a time, and none is large.

use std::sync::Arc;

use super::{Compaction, MAX_JOB_TABLES, Picker, Reason, size};
use crate::manifest::Table;

/// SSTables of L0 such that whatever is older than one of them and within their keys is among them.
#[derive(Clone)]
struct Stack {
    tables: Vec<Arc<Table>>,
    smallest: Vec<u8>,
    largest: Vec<u8>,
    /// Number of sublevels that it reaches up to, counted from the oldest.
    depth: usize,
}

impl Stack {
    fn of(table: &Arc<Table>, depth: usize) -> Stack {
        Stack {
            tables: vec![Arc::clone(table)],
            smallest: table.smallest().to_vec(),
            largest: table.largest().to_vec(),
            depth,
        }
    }

    fn has(&self, table: &Arc<Table>) -> bool {
        self.tables.iter().any(|known| Arc::ptr_eq(known, table))
    }

    fn add(&mut self, table: &Arc<Table>) {
        if self.has(table) {
            return;
        }
        if table.smallest() < self.smallest.as_slice() {
            self.smallest = table.smallest().to_vec();
        }
        if table.largest() > self.largest.as_slice() {
            self.largest = table.largest().to_vec();
        }
        self.tables.push(Arc::clone(table));
    }

    fn size(&self) -> u64 {
        size(&self.tables)
    }
}

impl Picker<'_> {
    /// The deepest stack of L0 into the base level, of those whose SSTables no other job has.
    pub(super) fn deepest_of_l0(&self, base: usize) -> Option<Compaction> {
        let oldest = self.version.sublevels().last()?;
        let mut stacks: Vec<(Stack, f64)> = Vec::new();
        for table in oldest.tables() {
            // Within one that was found already it would be found again.
            if stacks.iter().any(|(stack, _)| stack.has(table)) || !self.is_idle(table) {
                continue;
            }
            let stack = self.grow(Stack::of(table, 1), base);
            let cost = self.overlap(&stack, base) as f64 / stack.size().max(1) as f64;
            stacks.push((stack, cost));
        }
        stacks.sort_by(|(left, left_cost), (right, right_cost)| {
            let deeper = right.depth.cmp(&left.depth);
            deeper.then(left_cost.total_cmp(right_cost))
        });
        stacks
            .into_iter()
            .find_map(|(stack, _)| self.down(Reason::FullLevel, 0, stack.tables, base))
    }

    /// Adds what is newer, sublevel by sublevel, as long as the job stays small.
    fn grow(&self, mut stack: Stack, base: usize) -> Stack {
        let limit = MAX_JOB_TABLES * self.sstable_size();
        let newer = self.version.sublevels().iter().rev().enumerate().skip(1);
        for (number, sublevel) in newer {
            for table in sublevel.overlapping(&stack.smallest.clone(), &stack.largest.clone()) {
                if stack.has(table) {
                    continue;
                }
                let Some(grown) = self.with_older(&stack, table, number) else {
                    continue;
                };
                // What is rewritten of the base level anyhow is no reason to leave anything behind.
                let more = self.overlap(&grown, base);
                let more = if more > self.overlap(&stack, base) {
                    more
                } else {
                    0
                };
                if grown.size() + more <= limit {
                    stack = grown;
                }
            }
        }
        stack
    }

    /// The stack with an SSTable of a sublevel, and with all that is older and within its keys, which
    /// has to go down before it or together with it; `None` if another job has some of that.
    fn with_older(&self, stack: &Stack, table: &Arc<Table>, number: usize) -> Option<Stack> {
        let mut grown = stack.clone();
        grown.add(table);
        grown.depth = grown.depth.max(number + 1);
        let older = self.version.sublevels().len() - number;
        for sublevel in self.version.sublevels().iter().skip(older) {
            let (smallest, largest) = (grown.smallest.clone(), grown.largest.clone());
            for table in sublevel.overlapping(&smallest, &largest) {
                grown.add(table);
            }
        }
        let idle = grown.tables.iter().all(|table| self.is_idle(table));
        idle.then_some(grown)
    }

    /// Bytes of the base level that a stack overlaps.
    fn overlap(&self, stack: &Stack, base: usize) -> u64 {
        let level = self.version.level(base);
        size(level.overlapping(&stack.smallest, &stack.largest))
    }
}
