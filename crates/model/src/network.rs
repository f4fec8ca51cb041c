//! Networks: whose word about others counts.

use std::net::IpAddr;

/// Addresses that begin with the same bits: `10.0.0.0/8`, or one of them: `127.0.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Several of them; none where nothing is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Reads addresses and networks with commas between them; `off` is none.
    ///
    /// # Errors
    /// Says which one is none, or has bits behind its length.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::default());
        }
        text.split(',').map(|one| Network::parse(one.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// True where one of them has this address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

/// What counts as one address.
pub type Neighbourhood = [u16; 4];

/// What counts as one address: of IPv6 a whole /64, since that is what one household is given.
#[must_use]
pub fn neighbourhood(address: Option<IpAddr>) -> Neighbourhood {
    match address.map(|address| address.to_canonical()) {
        None => [0; 4],
        Some(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            [0, 0xffff, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
        }
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d]
        }
    }
}

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let hint = || {
            format!(
                "`{text}` is no address or network: expected such as \"127.0.0.1\", \"::1\" or \
                 \"10.0.0.0/8\", or \"off\""
            )
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| hint())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let plain =
            |bits: &&str| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = match bits {
            None => most,
            Some(bits) => {
                let bits = Some(bits).filter(plain).and_then(|bits| bits.parse().ok());
                bits.filter(|bits| *bits <= most).ok_or_else(hint)?
            }
        };
        // What arrives for IPv4 over a socket of IPv6 is compared as IPv4.
        let network = Self { address: address.to_canonical(), bits };
        if network.address.is_ipv4() != address.is_ipv4() {
            return Err(hint());
        }
        if first(address, bits) != number(address) {
            return Err(format!(
                "`{text}` has bits behind its length, so that one of the two is not meant"
            ));
        }
        Ok(network)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && first(address, self.bits) == number(self.address)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn first(address: IpAddr, bits: u8) -> u128 {
    let rest = u128::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
    number(address) & !rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Networks;

    #[test]
    fn an_address_is_of_a_network_by_its_first_bits() {
        let networks = Networks::parse("127.0.0.1, 10.0.0.0/8,2001:db8::/33,::1").unwrap();
        for inside in ["127.0.0.1", "::ffff:127.0.0.1", "10.255.0.1", "2001:db8:7fff::1", "::1"] {
            assert!(networks.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["127.0.0.2", "11.0.0.1", "2001:db8:8000::", "::2", "::", "0.0.0.0"] {
            assert!(!networks.contain(outside.parse().unwrap()), "{outside}");
        }
        assert!(!Networks::parse("off").unwrap().contain("127.0.0.1".parse().unwrap()));
        assert!(Networks::parse("0.0.0.0/0").unwrap().contain("9.9.9.9".parse().unwrap()));
        assert!(!Networks::parse("0.0.0.0/0").unwrap().contain("::9".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in [
            "",
            "localhost",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::1/129",
            "10.0.0.1/8",
            "127.0.0.1,",
            "::ffff:10.0.0.1",
            "10.0.0.0/8/8",
            "010.0.0.1",
        ] {
            assert!(Networks::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_household_is_one_address() {
        let of = |text: &str| super::neighbourhood(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
