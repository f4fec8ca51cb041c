//@ error: is private
// What is behind a Reader cannot be reached.
pub fn read(reader: &store::Reader) {
    let _ = &reader.0;
}
