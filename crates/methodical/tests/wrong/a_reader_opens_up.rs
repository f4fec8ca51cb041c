//! What is behind a Reader cannot be reached.
//@ error: is private
pub fn read(reader: &store::Reader) {
    let _ = &reader.0;
}
