//! The grammar of conditions, filters and key conditions.
//!
//! ```text
//! condition := operand comparator operand
//!            | operand BETWEEN operand AND operand
//!            | operand IN ( operand , … )
//!            | function
//!            | condition AND condition | condition OR condition | NOT condition | ( condition )
//! operand   := path | :value | function | ( operand )
//! ```
//!
//! NOT binds tighter than AND, and AND tighter than OR. What a parenthesis holds is not known before
//! it is closed (`(a) = :b` and `(a = :b)` are both right), so both are parsed as a [`Unit`].

use super::{Parser, Reason};
use crate::expression::MAX_IN_OPERANDS;
use crate::expression::ast::{Comparator, Function, Operand, Predicate};
use crate::expression::lexer::Kind;

/// A condition, or an operand that has yet to become part of one.
enum Unit {
    Predicate(Predicate),
    Operand(Operand),
}

/// A group that has been opened and not closed, or the whole condition.
#[derive(Default)]
struct Group {
    /// The position of its parenthesis, if it is not the whole condition.
    open: usize,
    /// The NOTs before it.
    negations: usize,
    /// What OR has joined so far.
    alternatives: Vec<Predicate>,
    /// What AND has joined since.
    conjunction: Vec<Predicate>,
}

impl Group {
    /// What the group comes to, its last unit being this.
    fn take(&mut self, last: Predicate) -> Predicate {
        self.conjunction.push(last);
        let last = all(std::mem::take(&mut self.conjunction));
        if self.alternatives.is_empty() {
            return last;
        }
        self.alternatives.push(last);
        Predicate::Or(std::mem::take(&mut self.alternatives))
    }

    fn is_empty(&self) -> bool {
        self.alternatives.is_empty() && self.conjunction.is_empty()
    }
}

impl Parser<'_> {
    /// A whole condition.
    ///
    /// Open groups are kept on a stack of their own: a text of 4 KB can nest deeper than the thread's
    /// stack should have to follow.
    pub(super) fn predicate(&mut self) -> Result<Predicate, Reason> {
        let mut outer = Vec::new();
        let mut group = Group::default();
        loop {
            let mut negations = self.negations(outer.len())?;
            if self.peek().kind == Kind::Open {
                let open = self.open_group();
                outer.push(std::mem::replace(
                    &mut group,
                    Group {
                        open,
                        negations,
                        ..Group::default()
                    },
                ));
                continue;
            }
            let operand = self.operand(outer.len())?;
            let mut unit = self.comparison(operand, outer.len())?;
            // What the unit ends may end groups.
            loop {
                if negations > 0 {
                    unit = Unit::Predicate(self.negated(unit, negations)?);
                }
                if self.at_word("AND") || self.at_word("OR") {
                    let predicate = self.require_predicate(unit)?;
                    self.join(&mut group, predicate);
                    break;
                }
                if !group.is_empty() {
                    let predicate = self.require_predicate(unit)?;
                    unit = Unit::Predicate(group.take(predicate));
                }
                let Some(enclosing) = outer.pop() else {
                    return self.require_predicate(unit);
                };
                let closed = std::mem::replace(&mut group, enclosing);
                unit = self.close_unit(closed.open, unit, outer.len())?;
                negations = closed.negations;
            }
        }
    }

    /// Steps over any number of NOTs.
    fn negations(&mut self, depth: usize) -> Result<usize, Reason> {
        let mut negations = 0;
        while self.accept_word("NOT") {
            negations += 1;
        }
        self.findings.operators += negations;
        self.check_depth(depth + negations)?;
        Ok(negations)
    }

    /// NOT, so many times.
    fn negated(&mut self, unit: Unit, negations: usize) -> Result<Predicate, Reason> {
        let mut predicate = self.require_predicate(unit)?;
        for _ in 0..negations {
            predicate = Predicate::Not(Box::new(predicate));
        }
        Ok(predicate)
    }

    /// Steps over AND or OR, behind a predicate of the group.
    fn join(&mut self, group: &mut Group, predicate: Predicate) {
        group.conjunction.push(predicate);
        if self.at_word("OR") {
            group
                .alternatives
                .push(all(std::mem::take(&mut group.conjunction)));
        }
        self.position += 1;
        self.findings.operators += 1;
    }

    /// Steps over the `)` behind what a group holds; an operand may go on behind it.
    fn close_unit(&mut self, open: usize, unit: Unit, depth: usize) -> Result<Unit, Reason> {
        self.close_group(open)?;
        match unit {
            Unit::Operand(mut operand) => {
                if let Operand::Path(path) = &mut operand {
                    self.extend(path)?;
                }
                self.comparison(operand, depth)
            }
            predicate @ Unit::Predicate(_) => Ok(predicate),
        }
    }

    /// What an operand begins: a comparison, or nothing more.
    fn comparison(&mut self, left: Operand, depth: usize) -> Result<Unit, Reason> {
        let predicate = if let Some(comparator) = comparator(self.peek().kind) {
            self.position += 1;
            let right = self.operand(depth)?;
            let operands = [left, right];
            self.check_use_as_operands(&operands);
            let [left, right] = operands;
            Predicate::Compare {
                comparator,
                left,
                right,
            }
        } else if self.accept_word("BETWEEN") {
            let lower = self.operand(depth)?;
            if !self.accept_word("AND") {
                return Err(self.syntax_error());
            }
            let upper = self.operand(depth)?;
            let operands = [left, lower, upper];
            self.check_use_as_operands(&operands);
            let [operand, lower, upper] = operands;
            Predicate::Between {
                operand,
                lower,
                upper,
            }
        } else if self.accept_word("IN") {
            self.expect(Kind::Open)?;
            let candidates = self.list(|parser| parser.operand(depth))?;
            self.expect(Kind::Close)?;
            if candidates.len() > MAX_IN_OPERANDS {
                let count = candidates.len();
                self.findings
                    .limit
                    .get_or_insert(Reason::TooManyInOperands { count });
            }
            let operand = [left];
            self.check_use_as_operands(&operand);
            self.check_use_as_operands(&candidates);
            let [operand] = operand;
            Predicate::In {
                operand,
                candidates,
            }
        } else {
            return Ok(Unit::Operand(left));
        };
        self.findings.operators += 1;
        Ok(Unit::Predicate(predicate))
    }

    /// Takes a function for the condition it is; any other operand lacks its comparison, and the
    /// next token is not it.
    fn require_predicate(&mut self, unit: Unit) -> Result<Predicate, Reason> {
        match unit {
            Unit::Predicate(predicate) => Ok(predicate),
            Unit::Operand(Operand::Call(call)) => {
                if call.function == Function::Size && self.findings.unknown_function.is_none() {
                    self.findings.misused_function.get_or_insert(Function::Size);
                }
                Ok(Predicate::Call(call))
            }
            Unit::Operand(_) => Err(self.syntax_error()),
        }
    }
}

/// The comparator that a token is.
fn comparator(kind: Kind) -> Option<Comparator> {
    Some(match kind {
        Kind::Equal => Comparator::Equal,
        Kind::NotEqual => Comparator::NotEqual,
        Kind::Less => Comparator::Less,
        Kind::LessOrEqual => Comparator::LessOrEqual,
        Kind::Greater => Comparator::Greater,
        Kind::GreaterOrEqual => Comparator::GreaterOrEqual,
        _ => return None,
    })
}

/// One predicate for the parts of AND.
fn all(mut parts: Vec<Predicate>) -> Predicate {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            Predicate::And(parts)
        }
    }
}
