//@ error: no method named `transact` found for reference `&Reader`
// RFC 9110 §9.2.1: whoever is given a Reader has no way to write.
pub async fn read(reader: &store::Reader) {
    let _ = reader.transact::<()>(Vec::new()).await;
}
