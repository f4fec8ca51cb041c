//! GET reaches a writer: must not compile (RFC 9110 §9.2.1).
//@ error: a safe method must not reach a writer
use contract::table::*;

const fn row(target: Target, method: Method) -> Row {
    let mut i = 0;
    loop {
        if ROWS[i].target as u8 == target as u8 && ROWS[i].method as u8 == method as u8 {
            return Row { handle: Handle::Writer, ..ROWS[i] };
        }
        i += 1;
    }
}

const WRONG: &[Row] = &[row(Target::Item, Method::Get)];
const _: () = contract::proof::prove(METHODS, WRONG);
