//! Key conditions: parsed, bound, and matched with key schemas.

use std::sync::Arc;

use stator::expression::{KeyAttribute, KeyCondition, KeySchema, select};
use stator::item::Kind;
use crate::sample::placeholders;

pub(crate) fn run(input: &[u8]) {
    let text = crate::text(input);
    let bound = KeyCondition::parse(text).and_then(|parsed| {
        let printed = parsed.to_string();
        if let Ok(again) = KeyCondition::parse(&printed) {
            assert_eq!(again.to_string(), printed);
        }
        Arc::new(parsed).bind(&mut placeholders())
    });
    let clauses = match bound {
        Ok(clauses) => clauses,
        Err(error) => {
            let _words = error.to_string();
            return;
        }
    };
    let attribute = |name, kind| KeyAttribute { name, kind };
    let text = [attribute("a", Kind::S), attribute("b", Kind::B)];
    let numbers = [attribute("c", Kind::N), attribute("d", Kind::S)];
    for (hash, range) in [
        (&text[..1], &numbers[..0]),
        (&text[..1], &numbers[..1]),
        (&text, &numbers),
    ] {
        match select(&clauses, KeySchema { hash, range }) {
            Ok(selection) => {
                assert_eq!(selection.partition.len(), hash.len());
                assert!(selection.sort_prefix.len() <= range.len());
            }
            Err(error) => {
                let _words = error.to_string();
            }
        }
    }
}
