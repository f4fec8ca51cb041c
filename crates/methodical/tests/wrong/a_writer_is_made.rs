//@ error: is private
// A Writer comes from opening the store, and from nowhere else.
pub fn make() {
    let _ = store::Writer::new;
}
