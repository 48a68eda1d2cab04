//! Items and values in requests and answers: `{"S":"…"}`.

mod decode;
mod encode;

pub use decode::{decode_json, decode_json_value};
pub(super) use encode::{encode_entries, encode_value};
