//@ error: expected `Writer`, found `Reader`
// A Reader cannot be turned into a Writer.
pub fn promote(reader: store::Reader) -> store::Writer {
    store::Writer::from(reader)
}
