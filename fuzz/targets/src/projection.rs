//! Projections: parsed, printed and parsed again, bound, and applied; what is projected verifies in
//! full, and projecting it again changes nothing but the places of list elements.

use std::sync::Arc;

use stator::expression::Projection;
use crate::sample::{SAMPLE, placeholders};

pub(crate) fn run(input: &[u8]) {
    let text = crate::text(input);
    let bound = Projection::parse(text).and_then(|parsed| {
        let printed = parsed.to_string();
        if let Ok(again) = Projection::parse(&printed) {
            assert_eq!(again.to_string(), printed);
        }
        Arc::new(parsed).bind(&mut placeholders())
    });
    match bound {
        Ok(bound) => {
            let projected = bound.apply(SAMPLE.as_ref());
            projected
                .as_ref()
                .verify()
                .expect("a projected item verifies");
            assert!(projected.size() <= SAMPLE.size());
            if !text.contains('[') {
                assert_eq!(bound.apply(projected.as_ref()), projected);
            }
        }
        Err(error) => {
            let _words = error.to_string();
        }
    }
}
