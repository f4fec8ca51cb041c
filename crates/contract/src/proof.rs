//! The table proved while compiling: a row that breaks the law is a compile error whose text is
//! the law.

mod text;

use crate::problem::PROBLEMS;
use crate::table::{
    Announcement, COMMON_STATUSES, Cache, Conditions, Content, FalseIfNoneMatch, Handle, Key,
    METHODS, Method, Nature, Operation, ROWS, Row, find,
};
use text::{any_has, are_media_types, is_word, same_text, same_texts};

const fn lists(row: &Row, status: u16) -> bool {
    contains(row.statuses, status)
}

const fn contains(statuses: &[u16], status: u16) -> bool {
    let mut i = 0;
    while i < statuses.len() {
        if statuses[i] == status {
            return true;
        }
        i += 1;
    }
    false
}

const fn ascends(statuses: &[u16]) -> bool {
    let mut i = 1;
    while i < statuses.len() {
        if statuses[i - 1] >= statuses[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// True where one of the statuses is common to all rows.
const fn repeats(statuses: &[u16]) -> bool {
    let mut i = 0;
    while i < statuses.len() {
        if contains(COMMON_STATUSES, statuses[i]) {
            return true;
        }
        i += 1;
    }
    false
}

/// True where an error of this status can say what it is about.
const fn has_problem(status: u16) -> bool {
    let mut i = 0;
    while i < PROBLEMS.len() {
        if PROBLEMS[i].status == status {
            return true;
        }
        i += 1;
    }
    status < 400
}

const fn all_have_problems(statuses: &[u16]) -> bool {
    let mut i = 0;
    while i < statuses.len() {
        if !has_problem(statuses[i]) {
            return false;
        }
        i += 1;
    }
    true
}

/// True where a status can be answered at all.
const fn is_answered(status: u16) -> bool {
    let mut i = 0;
    while i < ROWS.len() {
        if lists(&ROWS[i], status) {
            return true;
        }
        i += 1;
    }
    contains(COMMON_STATUSES, status)
}

const fn same_statuses(a: &[u16], b: &[u16]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn has(rows: &[Row], target: u8, method: Method) -> bool {
    let mut i = 0;
    while i < rows.len() {
        if rows[i].target as u8 == target && rows[i].method as u8 == method as u8 {
            return true;
        }
        i += 1;
    }
    false
}

/// Proves a table: what each method is, what each row does, and what belongs together. Evaluated
/// while compiling; public so that a table that breaks the law can be seen not to compile.
///
/// # Panics
/// With the law that is broken.
pub const fn prove(methods: &[Nature], rows: &[Row]) {
    natures(methods);
    let mut i = 0;
    while i < rows.len() {
        let n = find(methods, rows[i].method);
        effects(&rows[i], n);
        conditions(&rows[i], n);
        contents(&rows[i], n);
        unique(rows, i);
        i += 1;
    }
    targets(rows);
    heads(rows);
    queries(rows);
    batches(methods, rows);
}

const _: () = prove(METHODS, ROWS);

/// What a method is, whatever the product does with it.
const fn natures(methods: &[Nature]) {
    let mut i = 0;
    while i < methods.len() {
        let n = &methods[i];
        assert!(!n.safe || n.idempotent, "RFC 9110 §9.2.2: a safe method is idempotent");
        assert!(!n.cacheable || n.safe, "RFC 9111 §4: unsafe methods are written through");
        let mut j = i + 1;
        while j < methods.len() {
            assert!(methods[j].method as u8 != n.method as u8, "a method stands twice in METHODS");
            assert!(!same_text(methods[j].name, n.name), "two methods have one name");
            j += 1;
        }
        assert!(is_word(n.name, b'A', b'Z'), "RFC 9110 §9.1: names are upper-case by convention");
        assert!(
            n.safe != matches!(n.false_if_none_match, FalseIfNoneMatch::Failed),
            "RFC 9110 §13.1.2: a false If-None-Match is a 412 on unsafe methods, and only there"
        );
        assert!(
            !matches!(n.false_if_none_match, FalseIfNoneMatch::NotModified) || n.cacheable,
            "RFC 9110 §15.4.5: 304 speaks of a copy that a cache could keep"
        );
        assert!(
            n.safe || !matches!(n.content, Content::Refused),
            "RFC 9110 §9.3.1: content is refused on reads only"
        );
        assert!(!n.bare || n.safe, "RFC 9110 §9.3.2: only a read is answered without its content");
        assert!(
            matches!(n.content, Content::Required) != matches!(n.announcement, Announcement::None),
            "RFC 9110 §15.5.16: a method that takes content says where its types are announced"
        );
        i += 1;
    }
}

/// What a row may do, by what its method promises.
const fn effects(row: &Row, n: &Nature) {
    let writes = matches!(row.handle, Handle::Writer);
    assert!(!n.safe || !writes, "RFC 9110 §9.2.1: a safe method must not reach a writer");
    assert!(!writes || lists(row, 507), "a writing row can meet a full disk");
    assert!(
        !writes || !matches!(row.key, Key::Ignored),
        "a writing row honours Idempotency-Key, or its answer must not be kept"
    );
    assert!(writes || matches!(row.key, Key::Ignored), "a reading row needs no Idempotency-Key");
    assert!(!n.safe || !lists(row, 201), "RFC 9110 §9.2.1: a safe method creates nothing");
    assert!(writes || !lists(row, 201), "RFC 9110 §15.3.2: 201 says that something was created");
    assert!(
        matches!(row.key, Key::Ignored | Key::Withheld)
            || (lists(row, 409) && lists(row, 422) && contains(COMMON_STATUSES, 429)),
        "Idempotency-Key §2.7: a key can be in flight (409), reused (422), one too many (429)"
    );
}

/// Conditions, and the statuses that they lead to.
const fn conditions(row: &Row, n: &Nature) {
    assert!(n.safe || !lists(row, 304), "RFC 9110 §15.4.5: 304 answers safe requests only");
    let writes = matches!(row.handle, Handle::Writer);
    assert!(
        !writes || lists(row, 412) || matches!(row.key, Key::Withheld),
        "RFC 9110 §13.2.2: a writing row can answer 412"
    );
    assert!(
        n.safe || writes || matches!(row.conditions, Conditions::Ignored),
        "RFC 9110 §13.1.2: on a method that is not safe a condition guards a change"
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
        matches!(row.conditions, Conditions::Demandable) == lists(row, 428),
        "RFC 6585 §3: 428 is answered exactly where a condition may be demanded"
    );
    assert!(
        (n.safe && !matches!(row.conditions, Conditions::Ignored)) == lists(row, 304),
        "RFC 9110 §13.2.2: a read that evaluates conditions can answer 304, no other can"
    );
    assert!(
        !matches!(n.false_if_none_match, FalseIfNoneMatch::Ignored)
            || matches!(row.conditions, Conditions::Ignored),
        "RFC 9110 §13.2.1: conditions are ignored on this method"
    );
}

/// Content of the request and of the answer, and how long it is kept.
const fn contents(row: &Row, n: &Nature) {
    assert!(
        n.safe || matches!(row.cache, Cache::Never),
        "RFC 9111 §4.4: an answer to an unsafe method is not kept"
    );
    assert!(
        n.cacheable || matches!(row.cache, Cache::Never),
        "RFC 9110 §9.2.3: this method's answers are not cacheable"
    );
    assert!(
        matches!(n.content, Content::Required) == !row.accepts.is_empty(),
        "a row names media types exactly where content has a meaning"
    );
    assert!(
        row.accepts.is_empty() || lists(row, 415),
        "RFC 9110 §15.5.16: a row that reads content can answer 415"
    );
    assert!(
        !matches!(row.cache, Cache::Revalidate) || !matches!(row.conditions, Conditions::Ignored),
        "RFC 9111 §4.3: who is told to revalidate must be able to"
    );
    assert!(!row.minimal || !n.safe, "RFC 7240 §4.2: return=minimal is for state changes here");
    assert!(
        !row.minimal || lists(row, 204) || lists(row, 201),
        "RFC 7240 §4.2: return=minimal needs an answer that can be empty"
    );
    assert!(
        lists(row, 200) || lists(row, 201) || lists(row, 202) || lists(row, 204),
        "a row that cannot succeed is no row"
    );
    assert!(
        row.offers.is_empty() != (lists(row, 200) || lists(row, 201) || lists(row, 202)),
        "RFC 9110 §12.5.1: a row offers media types exactly where it answers content"
    );
    assert!(are_media_types(row.accepts), "RFC 9110 §8.3.1: not a list of media types");
    assert!(!any_has(row.accepts, b';'), "content is accepted by its type and subtype alone");
    assert!(are_media_types(row.offers), "RFC 9110 §8.3.1: not a list of media types");
    assert!(ascends(row.statuses), "the statuses of a row ascend, each once");
    assert!(!repeats(row.statuses), "a status of a row is one that any row may answer");
    assert!(all_have_problems(row.statuses), "a status of a row has no entry in PROBLEMS");
}

/// No other row says the same of the same.
const fn unique(rows: &[Row], i: usize) {
    let mut j = i + 1;
    while j < rows.len() {
        assert!(
            rows[j].target as u8 != rows[i].target as u8
                || rows[j].method as u8 != rows[i].method as u8,
            "two rows for one target and method"
        );
        j += 1;
    }
}

/// What belongs together on one target.
const fn targets(rows: &[Row]) {
    let mut i = 0;
    while i < rows.len() {
        let target = rows[i].target as u8;
        assert!(
            has(rows, target, Method::Options),
            "RFC 9110 §9.3.7: every target answers OPTIONS"
        );
        assert!(
            has(rows, target, Method::Get) == has(rows, target, Method::Head),
            "RFC 9110 §9.3.2: HEAD stands wherever GET stands"
        );
        assert!(
            !has(rows, target, Method::Query) || has(rows, target, Method::Get),
            "RFC 10008 §2.2: a query has an equivalent GET"
        );
        i += 1;
    }
}

/// HEAD is the same row as GET (RFC 9110 §9.3.2), but for its name.
const fn heads(rows: &[Row]) {
    let mut i = 0;
    while i < rows.len() {
        let mut j = 0;
        while j < rows.len() {
            let (get, head) = (&rows[i], &rows[j]);
            if get.method as u8 == Method::Get as u8
                && head.method as u8 == Method::Head as u8
                && get.target as u8 == head.target as u8
            {
                assert!(
                    head.operation as u8 == get.operation as u8
                        && head.handle as u8 == get.handle as u8
                        && head.cache as u8 == get.cache as u8
                        && head.conditions as u8 == get.conditions as u8
                        && head.key as u8 == get.key as u8
                        && head.minimal == get.minimal
                        && same_texts(head.accepts, get.accepts)
                        && same_texts(head.offers, get.offers)
                        && same_statuses(head.statuses, get.statuses),
                    "RFC 9110 §9.3.2: HEAD does what GET does"
                );
            }
            j += 1;
        }
        i += 1;
    }
}

/// QUERY answers what GET of its equivalent resource does (RFC 10008 §2.2).
const fn queries(rows: &[Row]) {
    let mut i = 0;
    while i < rows.len() {
        let mut j = 0;
        while j < rows.len() {
            let (get, query) = (&rows[i], &rows[j]);
            if get.method as u8 == Method::Get as u8
                && query.method as u8 == Method::Query as u8
                && get.target as u8 == query.target as u8
            {
                assert!(
                    query.handle as u8 == get.handle as u8
                        && query.conditions as u8 == get.conditions as u8
                        && query.cache as u8 == get.cache as u8
                        && same_texts(query.offers, get.offers),
                    "RFC 10008 §2.2: QUERY answers what GET of its equivalent resource does"
                );
            }
            j += 1;
        }
        i += 1;
    }
}

/// A batch fails with the status of the operation that fails, so it lists every error that one of
/// the writes of records can be answered with.
const fn batches(methods: &[Nature], rows: &[Row]) {
    let mut i = 0;
    while i < rows.len() {
        let mut j = 0;
        while j < rows.len() {
            let (batch, write) = (&rows[i], &rows[j]);
            let part = write.target.holds_records() && !find(methods, write.method).safe;
            if matches!(batch.operation, Operation::Batch) && part {
                let mut k = 0;
                while k < write.statuses.len() {
                    let status = write.statuses[k];
                    assert!(
                        status < 400 || lists(batch, status),
                        "a batch lists every error that its operations can be answered with"
                    );
                    k += 1;
                }
                assert!(
                    batch.handle as u8 >= write.handle as u8,
                    "a batch reaches as far as its operations"
                );
            }
            j += 1;
        }
        i += 1;
    }
}

// Every error has words, and there are no words for errors that cannot happen.
const _: () = {
    assert!(ascends(COMMON_STATUSES), "COMMON_STATUSES ascend, each once");
    assert!(all_have_problems(COMMON_STATUSES), "a common status has no entry in PROBLEMS");
    let mut i = 0;
    while i < PROBLEMS.len() {
        let entry = &PROBLEMS[i];
        assert!(entry.kind as usize == i, "a problem does not stand at its index");
        assert!(entry.status >= 400 && entry.status < 600, "a problem is an error");
        assert!(is_answered(entry.status), "no row and no common status answers this problem");
        assert!(is_word(entry.slug, b'a', b'z'), "a slug is lower-case words with hyphens");
        assert!(
            !entry.title.is_empty() && !entry.meaning.is_empty() && !entry.remedy.is_empty(),
            "RFC 9457 §3.1: a problem says what it is, what it means and what to send instead"
        );
        let mut j = i + 1;
        while j < PROBLEMS.len() {
            assert!(!same_text(entry.slug, PROBLEMS[j].slug), "two problems have one slug");
            j += 1;
        }
        i += 1;
    }
};
