//! A Reader cannot be turned into a Writer.
//@ error: expected `Writer`, found `Reader`
pub fn promote(reader: store::Reader) -> store::Writer {
    store::Writer::from(reader)
}
