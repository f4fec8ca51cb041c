//! A row that is given a Reader cannot be bound to a handler that writes.
//@ error: an operation reaches further than its row allows
use contract::table::Handle;

const _: () = engine::serve::keeps_within(Handle::Reader, Handle::Writer);
