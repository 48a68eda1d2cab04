//! Key layout over the engine; the only importer of `stator_engine`.
