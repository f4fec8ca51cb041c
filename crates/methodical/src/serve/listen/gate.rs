//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::network::{Neighbourhood, neighbourhood};
use model::setting::Settings;

/// Counts connections in and out.
#[derive(Debug)]
pub(crate) struct Gate {
    most: usize,
    most_each: u32,
    /// True where this machine's own are counted by address too: where the limit was set. Without
    /// that, whoever is on it can do worse than open connections.
    is_for_all: bool,
    all: AtomicUsize,
    each: Mutex<HashMap<Neighbourhood, u32>>,
}

/// Why a connection gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// There are as many as there may be.
    All,
    /// There are as many from this address as there may be.
    Each,
}

impl Gate {
    /// A gate with nobody inside.
    pub(crate) fn new(settings: &Settings) -> Arc<Self> {
        let usual = Settings::default().address_connections_max;
        Arc::new(Self {
            is_for_all: settings.address_connections_max != usual,
            most: settings.connections_max,
            most_each: u32::try_from(settings.address_connections_max).unwrap_or(u32::MAX),
            all: AtomicUsize::new(0),
            each: Mutex::new(HashMap::new()),
        })
    }

    /// A place among all, which is free again when it is dropped.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Place, Full> {
        if self.all.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.all.fetch_sub(1, Ordering::Relaxed);
            return Err(Full::All);
        }
        Ok(Place { gate: Arc::clone(self), of: None })
    }

    fn each(&self) -> MutexGuard<'_, HashMap<Neighbourhood, u32>> {
        self.each.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place.
#[derive(Debug)]
pub(crate) struct Place {
    gate: Arc<Gate>,
    of: Option<Neighbourhood>,
}

impl Place {
    /// Counts it as one of this address too.
    ///
    /// # Errors
    /// There are as many from there as there may be.
    pub(crate) fn count(&mut self, address: IpAddr) -> Result<(), Full> {
        let is_near = address.to_canonical().is_loopback();
        if (is_near && !self.gate.is_for_all) || self.of.is_some() {
            return Ok(());
        }
        let of = neighbourhood(Some(address));
        let mut each = self.gate.each();
        let count = each.entry(of).or_default();
        if *count >= self.gate.most_each {
            return Err(Full::Each);
        }
        *count += 1;
        drop(each);
        self.of = Some(of);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.all.fetch_sub(1, Ordering::Relaxed);
        let Some(of) = self.of else { return };
        let mut each = self.gate.each();
        if let Some(count) = each.get_mut(&of) {
            *count -= 1;
            if *count == 0 {
                each.remove(&of);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Full, Gate};
    use model::setting::Settings;
    use std::net::IpAddr;

    #[test]
    fn places_are_counted_in_and_out() {
        let mut settings = Settings::default();
        settings.set("limits.connections", "4").unwrap();
        settings.set("limits.connections_per_address", "2").unwrap();
        let gate = Gate::new(&settings);
        let from = |address: &str| {
            let address: IpAddr = address.parse().unwrap();
            let mut place = gate.enter()?;
            place.count(address).map(|()| place)
        };
        let first = from("2001:db8::1").unwrap();
        let second = from("2001:db8::2").unwrap();
        assert_eq!(from("2001:db8::3").unwrap_err(), Full::Each);
        let others = (from("127.0.0.1").unwrap(), from("192.0.2.9").unwrap());
        assert_eq!(from("127.0.0.1").unwrap_err(), Full::All);
        drop(first);
        let third = from("2001:db8::4").unwrap();
        assert_eq!(from("192.0.2.1").unwrap_err(), Full::All);
        drop((second, third, others));
        assert!(gate.each().is_empty());
        assert!(from("192.0.2.1").is_ok());
        let near = [from("127.0.0.1").unwrap(), from("127.0.0.1").unwrap()];
        assert_eq!(from("127.0.0.1").unwrap_err(), Full::Each, "the limit was set");
        drop(near);
        let usual = Gate::new(&Settings::default());
        let near = || {
            let mut place = usual.enter()?;
            place.count("127.0.0.1".parse().unwrap()).map(|()| place)
        };
        let many: Result<Vec<_>, Full> = (0..300).map(|_| near()).collect();
        assert!(many.is_ok(), "the usual one is for others");
    }
}
