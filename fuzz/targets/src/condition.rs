//! Conditions and filters: parsed, printed and parsed again, bound and evaluated.

use std::sync::Arc;

use stator::expression::{Condition, ExpressionKind};
use crate::sample::{SAMPLE, placeholders};

pub(crate) fn run(input: &[u8]) {
    let text = crate::text(input);
    for kind in [ExpressionKind::Condition, ExpressionKind::Filter] {
        let parsed = match Condition::parse(text, kind) {
            Ok(parsed) => parsed,
            Err(error) => {
                let _words = error.to_string();
                return;
            }
        };
        let printed = parsed.to_string();
        if let Ok(again) = Condition::parse(&printed, kind) {
            assert_eq!(again.to_string(), printed);
        } else {
            // What is printed has more parentheses and may be too long, and nothing else.
            assert!(printed.len() > text.len(), "{printed}");
        }
        let mut placeholders = placeholders();
        match Arc::new(parsed).bind(&mut placeholders) {
            Ok(bound) => {
                let _either = bound.evaluate(Some(SAMPLE.as_ref()));
                let _either = bound.evaluate(None);
                let _either = bound.check_filter(&["id"]);
                let _either = placeholders.finish();
            }
            Err(error) => {
                let _words = error.to_string();
            }
        }
    }
}
