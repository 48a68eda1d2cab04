//! The library entry: what is behind the socket, without it.

use std::time::{Duration, Instant};

use stator::operation::dispatch;
use stator::wire::Operation;
use stator::wire::json::Writer;
use stator::{Stator, StatorOptions};

use crate::round::{Answer, Target};

/// No request may take longer. One that never ends shows in the run against the binary.
const LONGEST: Duration = Duration::from_secs(20);

pub(crate) struct Library {
    stator: Stator,
}

impl Library {
    pub(crate) fn start() -> Self {
        Self {
            stator: Stator::open(StatorOptions::default()).unwrap(),
        }
    }
}

impl Target for Library {
    fn call(&mut self, operation: Operation, body: &[u8]) -> Answer {
        let begin = Instant::now();
        let context = self.stator.context();
        let answer = dispatch(&self.stator, &context, operation, body);
        let answer = match self.stator.block_on(answer).and_then(|answer| answer) {
            Ok(body) => Answer {
                status: 200,
                body: body.into(),
            },
            Err(error) => {
                let mut writer = Writer::new();
                error.encode(&mut writer);
                Answer {
                    status: error.status(),
                    body: writer.into_bytes(),
                }
            }
        };
        let took = begin.elapsed();
        assert!(took < LONGEST, "{operation} took {took:?}");
        answer
    }
}
