//! Bytes to JSON.

use super::super::layout::WALK_DEPTH;
use super::super::number::Number;
use super::super::value::{Kind, MapRef, ValueRef};
use crate::wire::json::Writer;

/// Writes `{"name":{"S":"…"},…}`.
pub(in crate::item) fn encode_entries(entries: MapRef<'_>, writer: &mut Writer) {
    entries_within(entries, writer, WALK_DEPTH);
}

/// Writes `{"S":"…"}`.
pub(in crate::item) fn encode_value(value: ValueRef<'_>, writer: &mut Writer) {
    value_within(value, writer, WALK_DEPTH);
}

fn entries_within(entries: MapRef<'_>, writer: &mut Writer, depth: usize) {
    writer.begin_object();
    for (name, value) in entries.iter_bytes() {
        writer.key_bytes(name);
        value_within(value, writer, depth);
    }
    writer.end_object();
}

fn value_within(value: ValueRef<'_>, writer: &mut Writer, depth: usize) {
    let kind = value.kind();
    writer.begin_object_with(opening(kind));
    match kind {
        Kind::S | Kind::N | Kind::B => scalar(value, kind, writer),
        Kind::Bool => writer.boolean(value.as_bool() == Some(true)),
        Kind::Null => writer.boolean(true),
        Kind::SS | Kind::NS | Kind::BS => {
            writer.begin_array();
            value
                .values()
                .for_each(|element| scalar(element, element.kind(), writer));
            writer.end_array();
        }
        // Nothing in a checked item goes deeper.
        Kind::L if depth > 0 => {
            writer.begin_array();
            value
                .values()
                .for_each(|element| value_within(element, writer, depth - 1));
            writer.end_array();
        }
        Kind::M if depth > 0 => {
            if let Some(entries) = value.as_map() {
                entries_within(entries, writer, depth - 1);
            }
        }
        Kind::L | Kind::M => writer.null(),
    }
    writer.end_object();
}

/// How every value of a type starts: most of what is written for a small one.
fn opening(kind: Kind) -> &'static str {
    match kind {
        Kind::S => "{\"S\":",
        Kind::N => "{\"N\":",
        Kind::B => "{\"B\":",
        Kind::Bool => "{\"BOOL\":",
        Kind::Null => "{\"NULL\":",
        Kind::M => "{\"M\":",
        Kind::L => "{\"L\":",
        Kind::SS => "{\"SS\":",
        Kind::NS => "{\"NS\":",
        Kind::BS => "{\"BS\":",
    }
}

fn scalar(value: ValueRef<'_>, kind: Kind, writer: &mut Writer) {
    match kind {
        Kind::S => writer.string_bytes(value.content()),
        Kind::B => writer.base64(value.content()),
        _ => {
            // Only damaged bytes are none of the three.
            let number = value.as_number().unwrap_or(Number::ZERO);
            writer.string_bytes(number.to_text().as_bytes());
        }
    }
}
