//! DELETE without 412: must not compile (RFC 9110 §13.2.2).
//@ error: 412
use contract::table::*;

const fn row(target: Target, method: Method) -> Row {
    let mut i = 0;
    loop {
        if ROWS[i].target as u8 == target as u8 && ROWS[i].method as u8 == method as u8 {
            return Row { statuses: &[200, 204, 409, 422, 428, 429, 507], ..ROWS[i] };
        }
        i += 1;
    }
}

const WRONG: &[Row] = &[row(Target::Item, Method::Delete)];
const _: () = contract::proof::prove(METHODS, WRONG);
