//! Crashes: processes that are killed, power that is cut, disks that are full, fail, and forget.
//! What was acknowledged exists exactly once afterwards, and the server goes on.

mod audit;
mod backup;
mod bank;
mod bulk;
mod crowd;
mod disk;
mod faults;
mod kill;
mod power;
mod transfer;
