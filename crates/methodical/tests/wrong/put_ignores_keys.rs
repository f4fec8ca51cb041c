//! PUT ignores keys: must not compile (DESIGN, Idempotency-Key).
//@ error: a writing row honours Idempotency-Key
use contract::table::*;

const fn row(target: Target, method: Method) -> Row {
    let mut i = 0;
    loop {
        if ROWS[i].target as u8 == target as u8 && ROWS[i].method as u8 == method as u8 {
            return Row { key: Key::Ignored, ..ROWS[i] };
        }
        i += 1;
    }
}

const WRONG: &[Row] = &[row(Target::Item, Method::Put)];
const _: () = contract::proof::prove(METHODS, WRONG);
