//! The table proved while compiling: a row that breaks the law is a compile error whose text is
//! the law.

use crate::table::{Cache, Conditions, Content, Handle, Key, METHODS, Method, ROWS, Row, nature};

const fn lists(row: &Row, status: u16) -> bool {
    let mut i = 0;
    while i < row.statuses.len() {
        if row.statuses[i] == status {
            return true;
        }
        i += 1;
    }
    false
}

const fn has(target: u8, method: Method) -> bool {
    let mut i = 0;
    while i < ROWS.len() {
        if ROWS[i].target as u8 == target && ROWS[i].method as u8 == method as u8 {
            return true;
        }
        i += 1;
    }
    false
}

// What a method is, whatever the product does with it.
const _: () = {
    let mut i = 0;
    while i < METHODS.len() {
        let n = &METHODS[i];
        assert!(!n.safe || n.idempotent, "RFC 9110 §9.2.2: a safe method is idempotent");
        assert!(!n.cacheable || n.safe, "RFC 9111 §4: unsafe methods are written through");
        let mut j = i + 1;
        while j < METHODS.len() {
            assert!(METHODS[j].method as u8 != n.method as u8, "a method stands twice in METHODS");
            j += 1;
        }
        i += 1;
    }
};

// What the product does, row by row.
const _: () = {
    let mut i = 0;
    while i < ROWS.len() {
        let row = &ROWS[i];
        let n = nature(row.method);
        let writes = matches!(row.handle, Handle::Writer);
        assert!(!n.safe || !writes, "RFC 9110 §9.2.1: a safe method must not reach a writer");
        assert!(n.safe || !lists(row, 304), "RFC 9110 §15.4.5: 304 answers safe requests only");
        assert!(n.safe || lists(row, 412), "RFC 9110 §13.2.2: an unsafe row can answer 412");
        assert!(!writes || lists(row, 507), "a writing row can meet a full disk");
        assert!(
            n.safe || matches!(row.cache, Cache::Never),
            "RFC 9111 §4.4: an answer to an unsafe method is not kept"
        );
        assert!(
            n.cacheable || matches!(row.cache, Cache::Never),
            "RFC 9110 §9.2.3: this method's answers are not cacheable"
        );
        assert!(
            !matches!(row.conditions, Conditions::Demandable) || lists(row, 428),
            "RFC 6585 §3: a row that may demand a condition lists 428"
        );
        assert!(
            !matches!(row.conditions, Conditions::Demandable) || !n.safe,
            "a condition is demanded of unsafe rows only"
        );
        assert!(
            matches!(row.conditions, Conditions::Ignored) || lists(row, 412),
            "RFC 9110 §13.1.1: a false If-Match is a 412 on every method"
        );
        assert!(
            n.safe || !matches!(row.key, Key::Ignored),
            "an unsafe row honours Idempotency-Key"
        );
        assert!(!n.safe || matches!(row.key, Key::Ignored), "a safe row needs no Idempotency-Key");
        assert!(
            matches!(n.content, Content::Required) == !row.accepts.is_empty(),
            "a row names media types exactly where content has a meaning"
        );
        assert!(
            row.accepts.is_empty() || lists(row, 415),
            "RFC 9110 §15.5.16: a row that reads content can answer 415"
        );
        assert!(!n.safe || !lists(row, 201), "RFC 9110 §9.2.1: a safe method creates nothing");
        let mut j = i + 1;
        while j < ROWS.len() {
            assert!(
                ROWS[j].target as u8 != row.target as u8
                    || ROWS[j].method as u8 != row.method as u8,
                "two rows for one target and method"
            );
            j += 1;
        }
        i += 1;
    }
};

// What belongs together on one target.
const _: () = {
    let mut i = 0;
    while i < ROWS.len() {
        let target = ROWS[i].target as u8;
        assert!(has(target, Method::Options), "RFC 9110 §9.3.7: every target answers OPTIONS");
        assert!(
            has(target, Method::Get) == has(target, Method::Head),
            "RFC 9110 §9.3.2: HEAD stands wherever GET stands"
        );
        assert!(
            !has(target, Method::Query) || has(target, Method::Get),
            "RFC 10008 §2.2: a query has an equivalent GET"
        );
        i += 1;
    }
};

// HEAD is the same row as GET (RFC 9110 §9.3.2), but for its name.
const _: () = {
    let mut i = 0;
    while i < ROWS.len() {
        if ROWS[i].method as u8 == Method::Get as u8 {
            let mut j = 0;
            while j < ROWS.len() {
                let twin = &ROWS[j];
                if twin.target as u8 == ROWS[i].target as u8
                    && twin.method as u8 == Method::Head as u8
                {
                    assert!(
                        twin.operation as u8 == ROWS[i].operation as u8
                            && twin.handle as u8 == ROWS[i].handle as u8
                            && twin.cache as u8 == ROWS[i].cache as u8
                            && twin.conditions as u8 == ROWS[i].conditions as u8
                            && twin.statuses.len() == ROWS[i].statuses.len(),
                        "RFC 9110 §9.3.2: HEAD does what GET does"
                    );
                }
                j += 1;
            }
        }
        i += 1;
    }
};
