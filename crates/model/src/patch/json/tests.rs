//! The examples of RFC 6902 appendix A, and the traps beside them.
