//! What a Reader can do, so that what it cannot do fails for its own cause.
//@ compiles
pub async fn read(reader: &store::Reader, lookup: store::lookup::Lookup) -> bool {
    reader.read(lookup).await.is_ok()
}
