//! A safe method is not idempotent: must not compile (RFC 9110 §9.2.2).
//@ error: a safe method is idempotent
use contract::table::*;

const WRONG: &[Nature] = &[Nature { idempotent: false, ..METHODS[0] }];
const _: () = contract::proof::prove(WRONG, &[]);
