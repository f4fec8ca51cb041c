//! Under overload: whoever would only make everybody wait longer is refused at once, which costs a
//! fraction of the work, so that what is accepted is answered in bounded time and memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use contract::problem::{Kind, Problem};
use contract::table::{Handle, Operation};
use http::header::{self, HeaderValue};

use crate::Inner;
use crate::call::Call;

/// How many requests are at the database.
#[derive(Debug, Default)]
pub(crate) struct Load(AtomicUsize);

/// A request's place, which is free again when it is dropped.
pub(super) struct Place<'a>(&'a AtomicUsize);

/// A place at the database.
///
/// # Errors
/// 503 where as many are there as may be.
pub(super) fn enter<'a>(inner: &'a Inner, call: &Call) -> Result<Place<'a>, Problem> {
    let load = &inner.load.0;
    let present = load.fetch_add(1, Ordering::Relaxed);
    let place = Place(load);
    // What needs no database is not kept from saying so, nor is whoever asks how we are.
    let row = call.routed.row;
    let counts = row.handle != Handle::None && row.operation != Operation::Ready;
    if counts && present >= inner.settings.requests_max {
        let detail = "This server has more to do than it can. Nothing was done; send it again \
                      after a second, an unsafe request with its Idempotency-Key.";
        return Err(Problem::new(Kind::Unavailable, detail)
            .with_field(header::RETRY_AFTER, HeaderValue::from_static("1")));
    }
    Ok(place)
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
