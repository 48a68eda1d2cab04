//! The wire format: JSON in and out, and the request and response shapes of the API model.

mod arn;
mod decode;
pub mod error;
mod item;
pub mod json;
pub mod operation;
mod print;
pub mod shapes;

pub use arn::{Arn, ArnError};
pub use error::Error;
pub use item::{ItemInput, ValueInput};
pub use operation::Operation;
pub(crate) use print::{Form, Print, Printer, lower_first};
