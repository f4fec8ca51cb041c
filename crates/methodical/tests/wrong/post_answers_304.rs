//! POST answers 304: must not compile (RFC 9110 §15.4.5).
//@ error: 304 answers safe requests only
use contract::table::*;

const fn row(target: Target, method: Method) -> Row {
    let mut i = 0;
    loop {
        if ROWS[i].target as u8 == target as u8 && ROWS[i].method as u8 == method as u8 {
            return Row { statuses: &[201, 304, 409, 412, 415, 422, 429, 507], ..ROWS[i] };
        }
        i += 1;
    }
}

const WRONG: &[Row] = &[row(Target::Collection, Method::Post)];
const _: () = contract::proof::prove(METHODS, WRONG);
