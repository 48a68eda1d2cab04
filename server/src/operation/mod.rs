//! The operations, one file each: decode, validate, plan, execute, respond.
