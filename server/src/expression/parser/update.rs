//! The grammar of updates.
//!
//! ```text
//! update  := section …                                   each at most once, in any order
//! section := SET path = value , … | REMOVE path , …
//!          | ADD path :value , … | DELETE path :value , …
//! value   := operand | operand + operand | operand - operand | ( value )
//! operand := path | :value | function | ( operand )
//! ```

use super::{Parser, Reason};
use crate::expression::ast::{Action, Operand, SetValue};
use crate::expression::lexer::Kind;

/// A section's keyword and its clauses' grammar.
type Section<'a> = (&'static str, fn(&mut Parser<'a>) -> Result<Action, Reason>);

impl<'a> Parser<'a> {
    /// A whole update.
    pub(super) fn actions(&mut self) -> Result<Vec<Action>, Reason> {
        let sections: [Section<'a>; 4] = [
            ("SET", Parser::set),
            ("REMOVE", |parser| Ok(Action::Remove(parser.path()?))),
            ("ADD", |parser| {
                Ok(Action::Add(parser.path()?, parser.value()?))
            }),
            ("DELETE", |parser| {
                Ok(Action::Delete(parser.path()?, parser.value()?))
            }),
        ];
        let mut seen = Vec::new();
        let mut actions = Vec::new();
        while let Some((word, clause)) = sections.iter().find(|(word, _)| self.at_word(word)) {
            self.position += 1;
            if seen.contains(word) {
                self.findings.repeated_section.get_or_insert(word);
            }
            seen.push(*word);
            actions.extend(self.list(clause)?);
        }
        if actions.is_empty() {
            return Err(self.syntax_error());
        }
        Ok(actions)
    }

    /// `path = value`
    fn set(&mut self) -> Result<Action, Reason> {
        let path = self.path()?;
        self.expect(Kind::Equal)?;
        Ok(Action::Set(path, self.set_value(0)?))
    }

    /// `:value`
    fn value(&mut self) -> Result<crate::expression::ast::ValueSlot, Reason> {
        let token = self.peek();
        self.expect(Kind::Value)?;
        Ok(self.slots.value(self.text_of(token)))
    }

    /// What a path is set to: at most one + or -.
    fn set_value(&mut self, depth: usize) -> Result<SetValue, Reason> {
        self.check_depth(depth)?;
        let left = if self.accept(Kind::Open) {
            let value = self.set_value(depth + 1)?;
            self.expect(Kind::Close)?;
            match value {
                SetValue::Operand(operand) => operand,
                sum => return Ok(sum),
            }
        } else {
            self.operand(depth)?
        };
        let build: fn(Operand, Operand) -> SetValue = if self.accept(Kind::Plus) {
            SetValue::Sum
        } else if self.accept(Kind::Minus) {
            SetValue::Difference
        } else {
            return Ok(SetValue::Operand(left));
        };
        self.findings.operators += 1;
        Ok(build(left, self.operand(depth)?))
    }
}
