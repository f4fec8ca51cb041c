//! JSON that is taken, JSON that is not, and where the fault is said to be.
