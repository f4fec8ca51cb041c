//! Tests of the reading of SQL.
