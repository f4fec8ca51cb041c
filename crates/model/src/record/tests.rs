//! Documents into drafts, records into JSON.
