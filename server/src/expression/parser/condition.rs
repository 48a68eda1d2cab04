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

impl Parser<'_> {
    /// A whole condition.
    pub(super) fn predicate(&mut self) -> Result<Predicate, Reason> {
        let unit = self.chain(0)?;
        self.require_predicate(unit)
    }

    /// Units joined by AND and OR. AND and OR are flat: a chain is as deep as it is written.
    fn chain(&mut self, depth: usize) -> Result<Unit, Reason> {
        self.check_depth(depth)?;
        let mut alternatives = Vec::new();
        let mut conjunction = Vec::new();
        let mut unit = self.unit(depth)?;
        loop {
            let or = self.at_word("OR");
            if !or && !self.at_word("AND") {
                break;
            }
            conjunction.push(self.require_predicate(unit)?);
            if or {
                alternatives.push(all(std::mem::take(&mut conjunction)));
            }
            self.position += 1;
            self.findings.operators += 1;
            unit = self.unit(depth)?;
        }
        if alternatives.is_empty() && conjunction.is_empty() {
            return Ok(unit);
        }
        conjunction.push(self.require_predicate(unit)?);
        let last = all(conjunction);
        if alternatives.is_empty() {
            return Ok(Unit::Predicate(last));
        }
        alternatives.push(last);
        Ok(Unit::Predicate(Predicate::Or(alternatives)))
    }

    /// A comparison, a function or a group, behind any number of NOTs.
    fn unit(&mut self, depth: usize) -> Result<Unit, Reason> {
        let mut negations = 0;
        while self.accept_word("NOT") {
            negations += 1;
        }
        self.findings.operators += negations;
        let unit = match self.primary(depth)? {
            Unit::Operand(operand) => self.comparison(operand, depth)?,
            predicate @ Unit::Predicate(_) => predicate,
        };
        if negations == 0 {
            return Ok(unit);
        }
        self.check_depth(depth + negations)?;
        let mut predicate = self.require_predicate(unit)?;
        for _ in 0..negations {
            predicate = Predicate::Not(Box::new(predicate));
        }
        Ok(Unit::Predicate(predicate))
    }

    /// A group or an operand.
    fn primary(&mut self, depth: usize) -> Result<Unit, Reason> {
        if self.peek().kind != Kind::Open {
            return Ok(Unit::Operand(self.operand(depth)?));
        }
        let open = self.open_group();
        let mut unit = self.chain(depth + 1)?;
        self.close_group(open)?;
        if let Unit::Operand(Operand::Path(path)) = &mut unit {
            self.extend(path)?;
        }
        Ok(unit)
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
