//! The constraints of the API model and the messages of their violations.
