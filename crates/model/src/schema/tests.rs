//! Tables of schemas, values that fit and values that do not.
