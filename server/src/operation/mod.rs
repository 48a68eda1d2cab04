//! The operations, one file each: decode, validate, plan, execute, respond.

mod context;

pub use context::RequestContext;
