//! A Writer comes from opening the store, and from nowhere else.
//@ error: is private
pub fn make() {
    let _ = store::Writer::new;
}
