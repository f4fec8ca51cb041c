//@ error: a safe method is idempotent
// RFC 9110 §9.2.2.
use contract::table::*;

const WRONG: &[Nature] = &[Nature { idempotent: false, ..METHODS[0] }];
const _: () = contract::proof::prove(WRONG, &[]);
