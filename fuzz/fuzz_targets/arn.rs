//! ARNs of tables.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stator::table::Arn;

fuzz_target!(|text: &str| {
    match Arn::parse(text) {
        Ok(arn) => {
            for part in [arn.region, arn.account, arn.table] {
                assert!(text.contains(part));
            }
        }
        Err(error) => {
            let _words = error.to_string();
        }
    }
});
