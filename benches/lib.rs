//! The benchmarks of this tree; see `README.md` beside this file.
