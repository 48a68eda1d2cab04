//! The wire format: JSON in and out, and the request and response shapes of the API model.

pub mod error;
mod item;
pub mod json;
mod operation;

pub use error::Error;
pub use item::Item;
pub use operation::Operation;
