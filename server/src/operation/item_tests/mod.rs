//! The operations on items, through the library entry and the wire's JSON.

mod batches;
mod pages;
mod writes;
