//! What the server knows of its own work: how long requests were in which stage, and what the store
//! has done. `GET /_stator/statistics` answers with it.
//!
//! Each thread that serves requests counts for itself ([`requests`]), so that counting costs no cache
//! line that another one wants; who reads adds up. All of it counts from the start of the server, so
//! that the difference of two looks is what happened in between. [`document`] is its form as JSON.

mod document;
mod requests;

pub use document::Statistics;
pub use requests::{Answered, RequestTimes};
