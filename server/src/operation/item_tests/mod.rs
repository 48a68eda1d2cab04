//! The operations on items, through the library entry and the wire's JSON.

mod batches;
mod model;
mod pages;
mod writes;
