//! Abuse of both versions, by bytes that no client sends: each gets the answer that it has to get,
//! and the server goes on for everybody else in the memory that it had.

mod http1;
mod http2;

use crate::support::server::Server;

/// Memory of the server, in KiB.
fn memory(server: &Server) -> u64 {
    let status = format!("/proc/{}/status", server.process_id());
    let text = std::fs::read_to_string(status).expect("a process");
    let line = text.lines().find(|line| line.starts_with("VmRSS")).expect("a size");
    line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a number")
}

/// What memory may move by where nothing is kept: allocators do not give everything back at once.
const FLAT_KIB: u64 = 8 * 1024;

/// Does it again and again. The first time may need what stays; after that nothing more may.
fn stays_flat(server: &Server, abuse: impl Fn()) {
    abuse();
    let before = memory(server);
    for _ in 0..3 {
        abuse();
    }
    let after = memory(server);
    assert!(after < before + FLAT_KIB, "{before} KiB became {after} KiB");
    assert_eq!(server.client().get("/api/users/1").status, 200, "the server goes on");
}
