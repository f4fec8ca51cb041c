//! Makes a thread wait for the others where there are more of them than processors.

/// How much nicer a thread of the pool is than the program: it gets about a tenth of a processor
/// that a worker wants too, and all of one that nobody wants.
#[cfg(target_os = "linux")]
const NICER: i32 = 10;

/// Lowers the priority of the calling thread, for as long as it lives. On Linux each thread has its
/// own; elsewhere it would be that of the whole program, and nothing is done.
#[cfg(target_os = "linux")]
pub fn lower() {
    // A sandbox may forbid it: the read is answered all the same.
    let _ = rustix::process::nice(NICER);
}

/// Lowers the priority of the calling thread, for as long as it lives. On Linux each thread has its
/// own; elsewhere it would be that of the whole program, and nothing is done.
#[cfg(not(target_os = "linux"))]
pub fn lower() {}
