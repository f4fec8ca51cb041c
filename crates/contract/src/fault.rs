//! Seeded faults: each breaks one promise on purpose, so that the suite can show that it would
//! notice (`make mutants`). Without the feature `faults` no fault can be switched on.

macro_rules! faults {
    ($($fault:ident $name:literal)*) => {
        /// A promise that can be broken on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Fault { $(#[doc = concat!("`", $name, "`")] $fault,)* }

        /// Every fault with the name that selects it.
        #[cfg(feature = "faults")]
        pub const FAULTS: &[(Fault, &str)] = &[$((Fault::$fault, $name),)*];
    };
}

faults! {
    HeadWithBody "head-with-body"
    NotModifiedOnPut "304-on-put"
    ReplayRenderedAnew "replay-rendered-anew"
    VaryDropped "vary-dropped"
    PreconditionOutsideTransaction "precondition-outside-transaction"
    KeyAfterIfMatch "key-after-if-match"
    OneEtagForCodings "one-etag-for-codings"
    AllowMissing "allow-missing"
    PutEtag "put-etag"
    WeakIfMatch "weak-if-match"
    PutMerges "put-merges"
    ErrorCacheable "error-cacheable"
    HeadWithoutLength "head-without-length"
    IfNoneMatchIgnored "if-none-match-ignored"
    KeyUnscoped "key-unscoped"
    FingerprintIgnored "fingerprint-ignored"
    KeyNotRemembered "key-not-remembered"
    UnknownMethod405 "unknown-method-405"
    GetContentAccepted "get-content-accepted"
    UnknownParameterIgnored "unknown-parameter-ignored"
    SecretInUrlAccepted "secret-in-url-accepted"
    DuplicateMemberAccepted "duplicate-member-accepted"
    PatchNotAtomic "patch-not-atomic"
    StarIfNoneMatchIgnored "star-if-none-match-ignored"
    ListEtagStale "list-etag-stale"
    DeleteSays204 "delete-says-204"
    LocationMissing "location-missing"
    MergeNullKept "merge-null-kept"
    ContentRangeAccepted "content-range-accepted"
    ClTeAccepted "cl-te-accepted"
    TeLastChunkedUnchecked "te-last-chunked-unchecked"
    TwoHostsAccepted "two-hosts-accepted"
    SyncOff "sync-off"
    UpdatedAtStuck "updated-at-stuck"
    No412Repeat "no-412-repeat"
}

/// True where the fault is switched on: never, in this build.
#[cfg(not(feature = "faults"))]
#[must_use]
pub const fn on(_: Fault) -> bool {
    false
}

#[cfg(feature = "faults")]
pub use switch::{clear, on, select};

#[cfg(feature = "faults")]
mod switch {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::{FAULTS, Fault};

    /// One bit a fault.
    static SELECTED: AtomicU64 = AtomicU64::new(0);

    const _: () = assert!(FAULTS.len() <= 64, "a fault has no bit");

    /// True where the fault is switched on.
    #[must_use]
    pub fn on(fault: Fault) -> bool {
        SELECTED.load(Relaxed) & bit(fault) != 0
    }

    /// Switches one fault on, by its name; others that are on stay on.
    ///
    /// # Errors
    /// A text that lists the names, where there is none of this name.
    pub fn select(name: &str) -> Result<(), String> {
        let Some((fault, _)) = FAULTS.iter().find(|(_, known)| *known == name) else {
            let known: Vec<_> = FAULTS.iter().map(|(_, known)| *known).collect();
            return Err(format!("no fault is named {name:?}; there are {}", known.join(", ")));
        };
        SELECTED.fetch_or(bit(*fault), Relaxed);
        Ok(())
    }

    /// Switches every fault off.
    pub fn clear() {
        SELECTED.store(0, Relaxed);
    }

    const fn bit(fault: Fault) -> u64 {
        1 << fault as u8
    }
}

#[cfg(all(test, feature = "faults"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Uses faults of other rooms only, because the switch is one for all tests of the process.
    #[test]
    fn a_fault_is_on_from_its_selection_to_the_clearing() {
        assert!(!on(Fault::SyncOff));
        select("sync-off").unwrap();
        assert!(on(Fault::SyncOff) && !on(Fault::UpdatedAtStuck));
        clear();
        assert!(!on(Fault::SyncOff));
        assert!(select("sync-of").unwrap_err().contains("sync-off"));
    }

    #[test]
    fn every_fault_has_a_name_of_its_own_at_its_index() {
        for (index, (fault, name)) in FAULTS.iter().enumerate() {
            assert_eq!(*fault as usize, index);
            assert_eq!(FAULTS.iter().filter(|(_, other)| other == name).count(), 1);
        }
    }
}
