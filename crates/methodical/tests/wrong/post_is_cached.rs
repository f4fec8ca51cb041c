//! POST is cached: must not compile (RFC 9111 §4.4).
//@ error: an answer to an unsafe method is not kept
use contract::table::*;

const fn row(target: Target, method: Method) -> Row {
    let mut i = 0;
    loop {
        if ROWS[i].target as u8 == target as u8 && ROWS[i].method as u8 == method as u8 {
            return Row { cache: Cache::Revalidate, ..ROWS[i] };
        }
        i += 1;
    }
}

const WRONG: &[Row] = &[row(Target::Collection, Method::Post)];
const _: () = contract::proof::prove(METHODS, WRONG);
