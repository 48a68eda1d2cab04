//! Updates: parsed, printed and parsed again, bound, and applied; the item that comes of one
//! verifies in full.

use std::sync::Arc;

use stator::expression::Update;
use crate::sample::{KEY, SAMPLE, placeholders};

pub(crate) fn run(input: &[u8]) {
    let text = crate::text(input);
    let bound = Update::parse(text).and_then(|parsed| {
        let printed = parsed.to_string();
        if let Ok(again) = Update::parse(&printed) {
            assert_eq!(again.to_string(), printed);
        }
        Arc::new(parsed).bind(&mut placeholders())
    });
    let bound = match bound {
        Ok(bound) => bound,
        Err(error) => {
            let _words = error.to_string();
            return;
        }
    };
    for old in [Some(SAMPLE.as_ref()), None] {
        match bound.apply(old, KEY.as_ref()) {
            Ok(result) => {
                result
                    .item
                    .as_ref()
                    .verify()
                    .expect("an updated item verifies");
                if let Some(new) = result.updated_new {
                    new.as_ref().verify().expect("what was updated verifies");
                }
            }
            Err(error) => {
                let _words = error.to_string();
            }
        }
        if let Some(item) = bound.at_targets(old) {
            item.as_ref().verify().expect("what was before verifies");
        }
    }
}
