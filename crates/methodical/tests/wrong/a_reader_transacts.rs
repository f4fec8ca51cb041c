//! A Reader has no way to write (RFC 9110 §9.2.1).
//@ error: no method named `transact` found for reference `&Reader`
pub async fn read(reader: &store::Reader) {
    let _ = reader.transact::<()>(Vec::new()).await;
}
