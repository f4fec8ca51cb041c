//! Queries read, refused, and written.
