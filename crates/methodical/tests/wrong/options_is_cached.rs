//! OPTIONS is cached: must not compile (RFC 9110 §9.3.7).
//@ error: not cacheable
use contract::table::*;

const fn row(target: Target, method: Method) -> Row {
    let mut i = 0;
    loop {
        if ROWS[i].target as u8 == target as u8 && ROWS[i].method as u8 == method as u8 {
            return Row { cache: Cache::Public, ..ROWS[i] };
        }
        i += 1;
    }
}

const WRONG: &[Row] = &[row(Target::Item, Method::Options)];
const _: () = contract::proof::prove(METHODS, WRONG);
