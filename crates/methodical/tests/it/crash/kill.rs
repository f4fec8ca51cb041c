//! Processes that are killed while clients write.

use std::time::Duration;

use super::audit::{audit, confirm, total};
use super::bank::{self, Payment};
use super::crowd::Crowd;
use crate::property::chance::{Chance, rounds, setting};

const CLIENTS: usize = 8;
const KILLS: usize = 60;

#[test]
fn after_sixty_kills_under_load_every_acknowledged_payment_exists_exactly_once() {
    let seed = setting("METHODICAL_TEST_SEED", 1);
    let mut chance = Chance::new(seed);
    let mut server = bank::options().start();
    let crowd = Crowd::<Payment>::gather("kill", CLIENTS);
    for _ in 0..rounds(KILLS) {
        crowd.point_at(Some(server.address()));
        crowd.await_more(chance.below(30) + 1);
        std::thread::sleep(Duration::from_micros(chance.next() % 3_000));
        crowd.point_at(None);
        server.kill();
        audit(&server.database(), &crowd.promises());
        server.restart();
    }
    crowd.point_at(Some(server.address()));
    let harvest = crowd.disperse();
    confirm(&server.client(), &harvest.promises);
    assert_eq!(total(&server.client()), harvest.promises.len() as u64);
    server.kill();
    audit(&server.database(), &harvest.promises);
}
