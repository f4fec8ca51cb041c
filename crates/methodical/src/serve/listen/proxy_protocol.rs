//! The PROXY protocol, version 1 and 2: a declared proxy says before anything else who has
//! connected to it (<https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>).

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use engine::report::Scheme;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What version 2 begins with (§2.2).
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, with its end (§2.1).
const LINE_BYTES_MAX: usize = 107;
/// More than addresses and what else a proxy has to say take.
const REST_BYTES_MAX: usize = 4096;
/// `PP2_TYPE_SSL` (§2.2.6), and the bit of it that says that the client spoke TLS.
const TYPE_TLS: u8 = 0x20;
const CLIENT_TLS: u8 = 0x01;

/// What a proxy says of whoever has connected to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its address; none where the proxy speaks for itself, or does not know.
    pub(crate) client: Option<IpAddr>,
    /// What was spoken with it, where that is said.
    pub(crate) scheme: Scheme,
}

impl Said {
    const NOTHING: Self = Self { client: None, scheme: Scheme::Unsaid };
}

/// Reads what the proxy says, and nothing behind it.
///
/// # Errors
/// The connection ends, or begins with something else.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Said> {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    if start == SIGNATURE {
        return second(stream).await;
    }
    let mut line = start.to_vec();
    // Byte by byte: what follows the line is not ours to read.
    while !line.ends_with(b"\r\n") && line.len() < LINE_BYTES_MAX && line.starts_with(b"PROXY ") {
        line.push(stream.read_u8().await?);
    }
    first(&line).ok_or_else(malformed)
}

/// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`
fn first(line: &[u8]) -> Option<Said> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Some(Said::NOTHING),
        ["PROXY", family @ ("TCP4" | "TCP6"), source, to, from_port, to_port] => {
            let is_port = |text: &str| text.parse::<u16>().is_ok();
            let address = |text: &str| {
                text.parse().ok().filter(|found: &IpAddr| found.is_ipv4() == (family == "TCP4"))
            };
            let sound = is_port(from_port) && is_port(to_port) && address(to).is_some();
            let client = address(source).filter(|_| sound)?;
            Some(Said { client: Some(client), ..Said::NOTHING })
        }
        _ => None,
    }
}

async fn second(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Said> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [command, family, ..] = head;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if length > REST_BYTES_MAX {
        return Err(malformed());
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match command {
        // LOCAL: the proxy looks whether we are there.
        0x20 => Ok(Said::NOTHING),
        0x21 => proxied(family, &rest).ok_or_else(malformed),
        _ => Err(malformed()),
    }
}

fn proxied(family: u8, rest: &[u8]) -> Option<Said> {
    let (client, more) = match family {
        0x11 => {
            let (addresses, more) = rest.split_at_checked(12)?;
            let client: [u8; 4] = addresses[..4].try_into().ok()?;
            (Some(IpAddr::V4(Ipv4Addr::from(client))), more)
        }
        0x21 => {
            let (addresses, more) = rest.split_at_checked(36)?;
            let client: [u8; 16] = addresses[..16].try_into().ok()?;
            (Some(IpAddr::V6(Ipv6Addr::from(client)).to_canonical()), more)
        }
        // Not over TCP, or not said.
        _ => (None, &[][..]),
    };
    Some(Said { client, scheme: scheme(more)? })
}

/// Looks through what else is said for what was spoken with the client.
fn scheme(mut more: &[u8]) -> Option<Scheme> {
    let mut found = Scheme::Unsaid;
    while !more.is_empty() {
        let (head, rest) = more.split_at_checked(3)?;
        let length = usize::from(u16::from_be_bytes([head[1], head[2]]));
        let (value, rest) = rest.split_at_checked(length)?;
        if head[0] == TYPE_TLS {
            let tls = value.first()? & CLIENT_TLS != 0;
            found = if tls { Scheme::Https } else { Scheme::Http };
        }
        more = rest;
    }
    Some(found)
}

fn malformed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "what a declared proxy says is no PROXY protocol")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{SIGNATURE, Said, read};
    use engine::report::Scheme;
    use tokio::io::AsyncReadExt;

    /// What is read, and what is left.
    async fn said(bytes: &[u8]) -> Option<(Said, String)> {
        let mut stream = bytes;
        let said = read(&mut stream).await.ok()?;
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        Some((said, rest))
    }

    fn second(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest, b"GET"].concat()
    }

    fn client(address: &str, scheme: Scheme) -> Option<(Said, String)> {
        Some((Said { client: address.parse().ok(), scheme }, "GET".to_owned()))
    }

    #[tokio::test]
    async fn lines_of_the_first_version() {
        for (line, address) in [
            ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443", "192.0.2.1"),
            ("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443", "2001:db8::1"),
            ("PROXY UNKNOWN", ""),
            ("PROXY UNKNOWN ffff::1 ffff::2 1 2", ""),
        ] {
            let found = said(format!("{line}\r\nGET").as_bytes()).await;
            assert_eq!(found, client(address, Scheme::Unsaid), "{line}");
        }
        for line in [
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
            "PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 99999\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\nGET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "PROXY TCP4 192.0.2.1",
        ] {
            assert_eq!(said(line.as_bytes()).await, None, "{line}");
        }
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(200));
        assert_eq!(said(long.as_bytes()).await, None);
    }

    #[tokio::test]
    async fn bytes_of_the_second_version() {
        let four = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 1, 187];
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 1, 0xd, 0xb8]);
        six[15] = 1;
        let tls = [&four[..], &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
        let plain = [&four[..], &[4, 0, 1, 0, 0x20, 0, 5, 0, 0, 0, 0, 0]].concat();
        for (bytes, expected) in [
            (second(0x21, 0x11, &four), client("192.0.2.1", Scheme::Unsaid)),
            (second(0x21, 0x21, &six), client("2001:db8::1", Scheme::Unsaid)),
            (second(0x21, 0x11, &tls), client("192.0.2.1", Scheme::Https)),
            (second(0x21, 0x11, &plain), client("192.0.2.1", Scheme::Http)),
            (second(0x20, 0x11, &four), client("", Scheme::Unsaid)),
            (second(0x21, 0x00, &[]), client("", Scheme::Unsaid)),
            (second(0x21, 0x11, &four[..8]), None),
            (second(0x21, 0x11, &[&four[..], &[0x20, 0, 9, 1]].concat()), None),
            (second(0x31, 0x11, &four), None),
            (second(0x21, 0x11, &[0; 5000]), None),
        ] {
            assert_eq!(said(&bytes).await, expected, "{bytes:?}");
        }
    }
}
