//! The wire format: JSON in and out, and the request and response shapes of the API model.

pub mod json;
