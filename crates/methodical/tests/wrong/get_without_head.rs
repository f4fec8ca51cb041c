//! GET without HEAD: must not compile (RFC 9110 §9.3.2).
//@ error: HEAD stands wherever GET stands
use contract::table::*;

const fn rows() -> [Row; 2] {
    let mut i = 0;
    while !(ROWS[i].target as u8 == Target::Item as u8
        && ROWS[i].method as u8 == Method::Get as u8)
    {
        i += 1;
    }
    let mut j = 0;
    while !(ROWS[j].target as u8 == Target::Item as u8
        && ROWS[j].method as u8 == Method::Options as u8)
    {
        j += 1;
    }
    [Row { ..ROWS[i] }, Row { ..ROWS[j] }]
}

const _: () = contract::proof::prove(METHODS, &rows());
