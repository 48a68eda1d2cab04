//! Iterators that merge sources and hide what a reader must not see.
