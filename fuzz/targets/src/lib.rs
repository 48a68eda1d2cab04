//! The fuzz targets: functions that take any bytes, and panic where something does not hold.
//!
//! `fuzz/` runs them under libFuzzer; the test of this crate runs each for a bounded number of inputs,
//! without it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a target says what does not hold by panicking"
)]

mod sample;

/// A target: any bytes.
pub type Target = fn(&[u8]);

macro_rules! targets {
    ($($here:ident)* ; $($of_the_engine:ident)*) => {
        $(mod $here;)*

        /// All targets by their names.
        pub const ALL: &[(&str, Target)] = &[
            $((stringify!($here), $here::run),)*
            $((stringify!($of_the_engine), stator_engine::fuzzing::$of_the_engine),)*
        ];
    };
}

targets! {
    arn authorization condition db entry_key item item_json key_condition number operation projection request statement stream_definition stream_record table_record update ;
    block edit frame key manifest sstable wal
}

/// Runs the target of a name.
///
/// # Panics
///
/// If there is none, and as the target does.
pub fn run(name: &str, input: &[u8]) {
    let target = ALL.iter().find(|(known, _)| *known == name);
    let (_, target) = target.expect("a name of a target");
    target(input);
}

/// The input up to where it is no text any more.
fn text(input: &[u8]) -> &str {
    match str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => str::from_utf8(&input[..error.valid_up_to()]).unwrap_or_default(),
    }
}
