//! What systemd is told, where it has started us and asks (sd_notify(3)): when we are ready, what
//! becomes of us, and that we are alive. Elsewhere nothing is sent.

use std::time::Duration;

use sd_notify::NotifyState;

use store::Reader;

/// Connections are served from now on.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// What was accepted is finished, and nothing new is taken.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what was accepted")]);
}

/// A new process takes over, under the same id.
pub(crate) fn reloading() {
    // Without a clock it is a state that older versions of systemd understand as well.
    let now = NotifyState::monotonic_usec_now().ok();
    let status = NotifyState::Status("handing over to a new process");
    match now {
        Some(now) => tell(&[NotifyState::Reloading, now, status]),
        None => tell(&[NotifyState::Reloading, status]),
    }
}

/// A lost word is no reason to stop: systemd judges by what it hears.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(fault) = sd_notify::notify(states) {
        tracing::warn!(%fault, "systemd could not be told how this service does");
    }
}

/// Says twice as often as is asked for that we are alive, as long as this runtime goes on and the
/// database answers: whoever only says so in a thread of its own says nothing.
pub(crate) async fn watchdog(reader: Reader) {
    let Some(within) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval((within / 2).max(Duration::from_millis(10)));
    loop {
        ticks.tick().await;
        match reader.ping() {
            Ok(()) => tell(&[NotifyState::Watchdog]),
            Err(fault) => tracing::error!(%fault, "the database does not answer the watchdog"),
        }
    }
}
