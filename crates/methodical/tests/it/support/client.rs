//! A small blocking HTTP/1.1 client: exact bytes go in, every byte that comes out is kept, and
//! every answer is held against what no answer may break (`answer::Answer::check`).

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::answer::Answer;
use super::server::PATIENCE;

/// A client of one server. Each request has a connection of its own, read to its end, so that a
/// byte too much is seen.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    /// Added to requests that say nothing about it.
    authorization: Option<String>,
}

/// A request under construction.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method, as it goes onto the wire.
    pub(crate) method: String,
    /// The request target, as it goes onto the wire.
    pub(crate) target: String,
    /// Fields, in order. Host, Connection and Content-Length are added where they are missing.
    pub(crate) fields: Vec<(String, String)>,
    /// The content.
    pub(crate) content: Option<Vec<u8>>,
}

impl Request {
    /// A request without fields.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            fields: Vec::new(),
            content: None,
        }
    }

    /// Adds a field.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds content of a media type.
    pub(crate) fn content(self, media_type: &str, content: impl Into<Vec<u8>>) -> Self {
        let mut request = self.field("content-type", media_type);
        request.content = Some(content.into());
        request
    }

    /// Adds JSON content.
    pub(crate) fn json(self, content: impl Into<Vec<u8>>) -> Self {
        self.content("application/json", content)
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// The bytes on the wire. A field with the value `-` is left out, even where it would be added.
    pub(crate) fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut add = |name: &str, value: &str| {
            if value != "-" {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        };
        if !self.has("host") {
            add("Host", &address.to_string());
        }
        for (name, value) in &self.fields {
            add(name, value);
        }
        if !self.has("connection") {
            add("Connection", "close");
        }
        let framed = self.has("content-length") || self.has("transfer-encoding");
        if let (Some(content), false) = (&self.content, framed) {
            add("Content-Length", &content.len().to_string());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.content.as_deref().unwrap_or_default());
        bytes
    }
}

impl Client {
    /// A client of the server at an address.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, authorization: None }
    }

    /// The same with a token or an API key: what is sent without Authorization gets this one. A
    /// request that says `authorization: -` goes without.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        Self { address: self.address, authorization: Some(format!("Bearer {token}")) }
    }

    /// The request as this client sends it.
    fn signed(&self, request: &Request) -> Request {
        match &self.authorization {
            Some(value) if !request.has("authorization") => {
                request.clone().field("authorization", value)
            }
            _ => request.clone(),
        }
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> Connection {
        self.try_connect().expect("the server takes a connection")
    }

    /// Opens a connection, where the server is there.
    pub(crate) fn try_connect(&self) -> std::io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, unread: Vec::new(), ended: false })
    }

    /// Sends a request and gives its answer, held against what no answer may break.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        match self.try_send(request) {
            Ok(answer) => answer,
            Err(error) => panic!("no answer to {} {}: {error}", request.method, request.target),
        }
    }

    /// As `send`, where the server may be gone.
    pub(crate) fn try_send(&self, request: &Request) -> std::io::Result<Answer> {
        let request = &self.signed(request);
        let mut connection = self.try_connect()?;
        // A refusal may come before the whole of the content is taken.
        let written = connection.stream.write_all(&request.bytes(self.address));
        let answer = connection.answer(&request.method);
        match (written, answer) {
            (_, Ok(answer)) => {
                let left = connection.rest();
                assert!(
                    left.is_empty() || !answer.closes(),
                    "{} {}: {} bytes after the answer: {:?}",
                    request.method,
                    request.target,
                    left.len(),
                    String::from_utf8_lossy(&left)
                );
                answer.check(&request.method, &request.target);
                Ok(answer)
            }
            (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(error),
        }
    }

    /// GET without fields.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send(&Request::new("GET", target))
    }
}

/// One connection, for tests that choose their own bytes.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    ended: bool,
}

impl Connection {
    /// Sends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        // The server may have closed already.
        drop(self.stream.shutdown(Shutdown::Write));
    }

    /// Reads one answer, interim ones (1xx) as answers of their own.
    pub(crate) fn answer(&mut self, method: &str) -> std::io::Result<Answer> {
        loop {
            if let Some((answer, taken)) = Answer::parse(&self.unread, method, self.ended)? {
                self.unread.drain(..taken);
                return Ok(answer);
            }
            if self.ended {
                return Err(std::io::Error::new(
                    std::io::ErrorKind::UnexpectedEof,
                    format!(
                        "the connection ended after {} bytes of an answer: {:?}",
                        self.unread.len(),
                        String::from_utf8_lossy(&self.unread)
                    ),
                ));
            }
            self.fill()?;
        }
    }

    /// Reads until the server closes, and gives every byte that was not part of an answer.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while !self.ended {
            if let Err(error) = self.fill() {
                panic!("the server did not close the connection: {error}");
            }
        }
        std::mem::take(&mut self.unread)
    }

    fn fill(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.ended = true,
            Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
            // What was not read by the server resets the connection: its end all the same.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => self.ended = true,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
