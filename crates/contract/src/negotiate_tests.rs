//! Tests, in a file of their own because of their length.
