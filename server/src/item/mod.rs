//! Items and attribute values in their stored, binary form, and the 38-digit number.
