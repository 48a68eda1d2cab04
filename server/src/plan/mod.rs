//! Read and write plans: what operations lower to, and what runs on the store.
