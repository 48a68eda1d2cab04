//! The structures of requests and answers, generated from the API model.
//!
//! Every member is an `Option`: what a request leaves out is `None`, and what is `None` is left out of
//! an answer. Strings and enumerations are `String`, whole numbers `i64`, times seconds since 1970,
//! maps pairs in the order of the request. Items and keys are [`ItemInput`] in what comes in and
//! [`Item`](crate::item::Item) in what goes out.

use super::decode;
use super::item::{ItemInput, ValueInput};
use super::json::{Expected, Reader, SerializationError, Writer};
use super::print::{Print, Printer};
use crate::item::Item;

include!(concat!(env!("OUT_DIR"), "/shapes.rs"));

#[cfg(test)]
mod tests;
