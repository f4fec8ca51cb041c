//! Now, and everything random: the only source of both in the engine, so that decisions are pure.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::value::Timestamp;

/// The present moment.
#[must_use]
pub fn now() -> Timestamp {
    #[allow(clippy::disallowed_methods)]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A version-7 UUID: unguessable, and ordered by the time of its making.
#[must_use]
pub fn uuid() -> String {
    uuid::Uuid::now_v7().hyphenated().to_string()
}

/// What a record's version is born with: 62 random bits, never negative.
#[must_use]
pub fn birth() -> i64 {
    i64::try_from(random() >> 2).unwrap_or(0)
}

/// 256 random bits as 43 characters of base64url, behind what tells whose token it is. Drawn from
/// the kernel each time: nothing in our memory has held it before.
#[must_use]
pub fn token(prefix: &str) -> String {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).expect("the kernel has a source of randomness");
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits))
}

/// 64 random bits.
#[must_use]
pub fn draw() -> u64 {
    random()
}

const POOL_BYTES: usize = 1024;

thread_local! {
    // The kernel is asked once for many: a call a request would be a tenth of its time.
    static POOL: RefCell<([u8; POOL_BYTES], usize)> =
        const { RefCell::new(([0; POOL_BYTES], POOL_BYTES)) };
}

fn random() -> u64 {
    POOL.with_borrow_mut(|(pool, used)| {
        if *used + 8 > POOL_BYTES {
            getrandom::fill(pool).expect("the kernel has a source of randomness");
            *used = 0;
        }
        let mut taken = [0; 8];
        taken.copy_from_slice(&pool[*used..*used + 8]);
        pool[*used..*used + 8].fill(0);
        *used += 8;
        u64::from_ne_bytes(taken)
    })
}
