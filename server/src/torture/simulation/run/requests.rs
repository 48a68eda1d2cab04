//! Requests that write and read, and what they have to be answered with.

use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::{Answer, Flight, Pending, Run, Tokened};
use crate::operation::dispatch;
use crate::torture::history::Effect;
use crate::torture::simulation::local::{Local, is_conflict, is_throttled, named};
use crate::torture::tables::{ItemKey, table};
use crate::torture::work::{Change, Work};
use crate::torture::{Caller, Checked};
use crate::wire::Operation;

/// Answers that are waited for at a time.
const MOST_IN_FLIGHT: usize = 12;

/// How long a client token counts, in milliseconds (API reference, `TransactWriteItems`).
const TOKEN_MS: u64 = 10 * 60 * 1000;

impl Run {
    /// Sends a request, and gives its answer if there is one already.
    fn send(&self, operation: Operation, request: &Value) -> Checked<(Pending, Option<Answer>)> {
        let stator = self.stator()?;
        let body = request.to_string();
        let mut answer: Pending = Box::pin(async move {
            let context = stator.context();
            dispatch(&stator, &context, operation, body.as_bytes()).await
        });
        let mut context = Context::from_waker(Waker::noop());
        let at_once = match answer.as_mut().poll(&mut context) {
            Poll::Ready(at_once) => Some(at_once),
            Poll::Pending => None,
        };
        Ok((answer, at_once))
    }

    pub(super) fn write(&mut self, work: &Work) -> Checked {
        if self.doomed {
            return Ok(());
        }
        if self.in_flight.len() >= MOST_IN_FLIGHT {
            self.wait_for_all()?;
        }
        let store = self.stator()?.store().clone();
        let (operation, request) = work.request();
        let before = store.last_sequence();
        let (answer, at_once) = self.send(operation, &request)?;
        let sequence = store.last_sequence();
        let tokened = matches!(work, Work::Transaction(_, Some(_)));
        let in_the_way = |part: &ItemKey| {
            let mut claims = self.in_flight.iter().flat_map(|flight| &flight.claims);
            claims.any(|claimed| claimed == part)
        };
        let conflict = work.parts().iter().any(|part| in_the_way(&part.key));
        let predicted = work.apply(self.history.items());
        // Where there is room for what a token is kept in, that comes first, in a commit of its own.
        let made = sequence > before;
        if made && !tokened && predicted.is_err() {
            return Err(format!("{request} had to be refused, and wrote something"));
        }
        let refused = match &at_once {
            Some(Err(error)) => Some(named(error)),
            _ => None,
        };
        if let Some((name, document)) = refused {
            let unharmed = is_throttled(&name) || (conflict && is_conflict(&name));
            if Err(name.as_str()) == predicted.as_ref().map(drop).map_err(|error| *error) {
                return Ok(());
            }
            if unharmed {
                self.doomed |= made && !tokened;
                return self.idle_unless_tolerant();
            }
            if self.tolerant {
                // Whether it is there, nobody was told.
                self.doomed |= made;
                if let (true, Ok(changes)) = (made, predicted) {
                    self.push(changes, sequence, true)?;
                }
                return Ok(());
            }
            return Err(format!("{request} was answered with {document}"));
        }
        let expected = match predicted {
            Ok(changes) => {
                let changed = changes.iter().any(|(_, old, new)| old != new);
                if changed && !made {
                    return Err(format!("{request} wrote nothing"));
                }
                match made {
                    true => Ok(self.push(changes, sequence, true)?),
                    // The answer tells of what was there, and of nothing else.
                    false => Ok(self.history.last_of(work.parts())),
                }
            }
            Err(refusal) => Err(refusal),
        };
        self.count(work.kind());
        if tokened {
            let at_ms = self.stator()?.now_ms();
            self.tokened.push(Tokened {
                work: work.clone(),
                at_ms,
                effect: expected.ok(),
                done: expected.is_err().then_some(false),
            });
        }
        let claims = match work {
            Work::Transaction(parts, _) => parts.iter().map(|part| part.key.clone()).collect(),
            _ => Vec::new(),
        };
        match at_once {
            Some(answer) => self.answered(answer, expected, &request),
            None => {
                self.in_flight.push(Flight {
                    answer,
                    expected,
                    request,
                    claims,
                });
                Ok(())
            }
        }
    }

    pub(super) fn idle_unless_tolerant(&self) -> Checked {
        match self.tolerant {
            true => Ok(()),
            false => self.idle(),
        }
    }

    pub(super) fn push(
        &mut self,
        changes: Vec<Change>,
        sequence: u64,
        whole: bool,
    ) -> Checked<usize> {
        let at_ms = self.stator()?.now_ms();
        Ok(self.history.push(Effect {
            changes,
            sequence,
            at_ms,
            whole,
        }))
    }

    fn answered(
        &mut self,
        answer: Answer,
        expected: Result<usize, &'static str>,
        request: &Value,
    ) -> Checked {
        match (answer, expected) {
            (Ok(_), Ok(effect)) => {
                self.history.acknowledge(effect);
                Ok(())
            }
            (Ok(answer), Err(refusal)) => Err(format!(
                "{request} was not answered with {refusal} but {}",
                String::from_utf8_lossy(&answer)
            )),
            (Err(error), expected) => {
                let (name, document) = named(&error);
                if expected.err().is_some_and(|refusal| refusal == name) || self.tolerant {
                    return Ok(());
                }
                Err(format!("{request} was answered with {document}"))
            }
        }
    }

    pub(super) fn wait_for_all(&mut self) -> Checked {
        for flight in std::mem::take(&mut self.in_flight) {
            let outcome = self.stator()?.block_on(flight.answer);
            match outcome {
                Ok(answer) => self.answered(answer, flight.expected, &flight.request)?,
                Err(_) if self.tolerant => {}
                Err(error) => return Err(format!("{}: no answer: {error:?}", flight.request)),
            }
        }
        Ok(())
    }

    /// Sends a transaction again, with its token: it is done once.
    pub(super) fn repeat(&mut self, behind: u8) -> Checked {
        self.wait_for_all()?;
        if self.doomed || self.tokened.is_empty() {
            return Ok(());
        }
        let place = self.tokened.len().saturating_sub(1 + usize::from(behind));
        let tokened = self.tokened.remove(place);
        let now_ms = self.stator()?.now_ms();
        let was_done = tokened.effect.is_some() || tokened.done == Some(true);
        let counts = now_ms < tokened.at_ms + TOKEN_MS;
        match (tokened.done, was_done && counts) {
            // It was not answered, and a crash came: the items don't say whether it was done.
            (None, _) if tokened.effect.is_none() => Ok(()),
            (_, false) => self.write(&tokened.work),
            (_, true) => {
                let store = self.stator()?.store().clone();
                let before = store.last_sequence();
                let (operation, request) = tokened.work.request();
                let answered = Local(self.stator()?).call(operation, &request);
                self.count("repeated transactions");
                match answered {
                    Ok(_) if store.last_sequence() == before => {
                        self.tokened.push(tokened);
                        Ok(())
                    }
                    Ok(_) => Err(format!("{request} was done twice")),
                    Err(_) if self.tolerant => {
                        self.doomed = true;
                        Ok(())
                    }
                    Err(error) => Err(format!("{request}, repeated: {error}")),
                }
            }
        }
    }

    pub(super) fn read(&mut self, key: &ItemKey) -> Checked {
        let stator = self.stator()?;
        let sequence = stator.store().durable_sequence();
        let visible = self.history.visible(sequence);
        let request = json!({"TableName": table(key.table).name, "Key": key.attributes()});
        let answer = match Local(stator).call(Operation::GetItem, &request) {
            Ok(answer) => answer,
            Err(_) if self.tolerant => return Ok(()),
            Err(error) => return Err(format!("{request}: {error}")),
        };
        self.count("reads");
        let found = answer.get("Item").and_then(Value::as_object);
        let expected = self.history.at(visible, key);
        if found != expected.as_deref() && !self.doomed {
            return Err(format!("{key:?} reads as {found:?} and not {expected:?}"));
        }
        if !self.doomed {
            // What was shown must not be lost.
            self.history.acknowledge(visible);
        }
        Ok(())
    }
}
