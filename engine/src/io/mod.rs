//! The seam to the outside: files, clock, randomness and threads, each as a trait with a real, an in-memory and a simulated implementation.
