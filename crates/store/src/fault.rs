//! Seeded faults of the store, for the suite that must notice each of them. Without the feature
//! `faults`, which no release build has, none exists and `on` is the constant false.

/// A fault that the test suite must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    /// `synchronous=NORMAL`: an acknowledged write can be lost in a power cut.
    SyncOff = 1,
    /// What a write must know is looked up before its transaction begins, and not again.
    #[cfg(feature = "faults")]
    PreconditionOutsideTransaction,
    /// The version that was decided on is not repeated in the WHERE.
    No412Repeat,
    /// Nothing is kept for an Idempotency-Key.
    KeyNotRemembered,
    /// The change counter of a table is not read.
    ListEtagStale,
}

#[cfg(feature = "faults")]
mod chosen {
    use super::Fault;
    use std::sync::atomic::{AtomicU8, Ordering};

    static CHOSEN: AtomicU8 = AtomicU8::new(0);

    pub(crate) fn on(fault: Fault) -> bool {
        CHOSEN.load(Ordering::Relaxed) == fault as u8
    }

    /// Switches on the fault of this name, and any other off. Before `open`.
    ///
    /// False where the store has no fault of this name; none is on then.
    pub fn select(name: &str) -> bool {
        let fault = match name {
            "sync-off" => Fault::SyncOff as u8,
            "precondition-outside-transaction" => Fault::PreconditionOutsideTransaction as u8,
            "no-412-repeat" => Fault::No412Repeat as u8,
            "key-not-remembered" => Fault::KeyNotRemembered as u8,
            "list-etag-stale" => Fault::ListEtagStale as u8,
            _ => 0,
        };
        CHOSEN.store(fault, Ordering::Relaxed);
        fault != 0
    }
}

#[cfg(feature = "faults")]
pub(crate) use chosen::on;
#[cfg(feature = "faults")]
pub use chosen::select;

#[cfg(not(feature = "faults"))]
pub(crate) const fn on(_: Fault) -> bool {
    false
}
