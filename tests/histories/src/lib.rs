//! Histories: what concurrent clients asked of the real binary, when, and what they were answered;
//! and whether there is one order of all that explains every answer.
//!
//! The claim that is checked is **strict serializability** of everything that Stator answers: each
//! operation, be it on one item or a transaction over several, takes effect as a whole at one moment
//! between the time it was asked for and the time it was answered. For operations on single items that
//! is linearizability of each item. DynamoDB promises less for some of them (eventually consistent
//! reads, queries, secondary indexes); Stator promises it for all, and all are checked alike.
//!
//! - [`history`]: operations, and what was recorded of them.
//! - [`model`]: what an operation does to a few items, one after the other.
//! - [`checker`]: searches the order.
//! - [`client`], [`server`], [`workload`]: make histories, with the process killed and restarted,
//!   stopped and continued, and connections reset, while the clients go on.

pub mod checker;
pub mod client;
pub mod history;
pub mod model;
pub mod server;
pub mod workload;
