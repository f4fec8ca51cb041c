//! Calls over HTTP/1.1, a connection each: they are few, and none may keep another waiting.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, HOST, LOCATION, USER_AGENT};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use model::network::Networks;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::address::is_public;
use crate::error::CallError;
use crate::tls;

/// Most redirects that are followed, all of them on the same host.
const REDIRECTS_MAX: usize = 3;

/// What calls may do.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Addresses that are not public and may be called all the same, in plain HTTP too.
    pub private: Networks,
    /// A file of certificates in PEM that are trusted beside those of browsers.
    pub roots: Option<PathBuf>,
    /// How long a call may take from its beginning to its end.
    pub timeout: Duration,
    /// Largest content of an answer.
    pub bytes_max: usize,
}

/// Calls servers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    rules: Arc<Rules>,
    config: Arc<ClientConfig>,
}

impl Client {
    /// A client under these rules.
    ///
    /// # Errors
    /// The file of certificates cannot be used.
    pub fn new(rules: Rules) -> Result<Self, CallError> {
        let config = tls::config(rules.roots.as_deref())?;
        Ok(Self { rules: Arc::new(rules), config })
    }

    /// Sends a request to where its URI leads, and reads the answer, whatever its status.
    ///
    /// # Errors
    /// Says what came in between. Whether the request has arrived is not known then.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CallError> {
        let host = shown(request.uri());
        let sent = timeout(self.rules.timeout, self.follow(request)).await;
        sent.unwrap_or(Err(CallError::Slow(host)))
    }

    async fn follow(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CallError> {
        let mut uri = request.uri().clone();
        let asks = request.method().is_safe();
        for _ in 0..=REDIRECTS_MAX {
            let response = self.once(&uri, &request).await?;
            let to = response.headers().get(LOCATION).filter(|_| {
                asks && matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
            });
            let Some(to) = to else { return Ok(response) };
            uri = same_host(&uri, to).ok_or_else(|| CallError::Redirected(shown(&uri)))?;
        }
        Err(CallError::Url(shown(&uri), "it leads in circles"))
    }

    async fn once(
        &self,
        uri: &Uri,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        let wrong = |why| CallError::Url(shown(uri), why);
        let authority = uri.authority().ok_or(wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a name or a password stands in it"));
        }
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it is neither https:// nor http://")),
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let address = self.find(&host, port).await?;
        if !encrypted && is_public(address.ip()) {
            return Err(wrong("in plain HTTP only private addresses are called; write https://"));
        }
        let unreachable = |fault| CallError::Unreachable { host: host.clone(), fault };
        let stream = TcpStream::connect(address).await.map_err(unreachable)?;
        let mut outgoing = Request::new(Full::new(request.body().clone()));
        *outgoing.method_mut() = request.method().clone();
        *outgoing.headers_mut() = request.headers().clone();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *outgoing.uri_mut() = path.parse().map_err(|_| wrong("its path cannot be read"))?;
        let fields = outgoing.headers_mut();
        let named = HeaderValue::from_str(authority.as_str());
        fields.insert(HOST, named.map_err(|_| wrong("its host cannot be read"))?);
        fields.insert(CONNECTION, HeaderValue::from_static("close"));
        fields
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("methodical/", env!("CARGO_PKG_VERSION"))));
        if !encrypted {
            return self.exchange(&host, stream, outgoing).await;
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong("its host is no name"))?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(name, stream).await.map_err(unreachable)?;
        self.exchange(&host, stream, outgoing).await
    }

    /// The address that a name leads to. It is judged here and called as it is: a name that leads
    /// somewhere else a moment later makes no difference.
    async fn find(&self, host: &str, port: u16) -> Result<SocketAddr, CallError> {
        let not_found = |fault| CallError::NotFound { host: host.to_owned(), fault };
        let found = tokio::net::lookup_host((host, port)).await.map_err(not_found)?;
        let mut refused = None;
        for address in found {
            let ip = address.ip();
            if is_public(ip) || self.rules.private.contain(ip) {
                return Ok(address);
            }
            refused = Some(ip);
        }
        Err(match refused {
            Some(address) => CallError::Private { host: host.to_owned(), address },
            None => not_found(std::io::ErrorKind::NotFound.into()),
        })
    }

    async fn exchange(
        &self,
        host: &str,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, CallError> {
        let broken = |fault| CallError::Broken { host: host.to_owned(), fault };
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(broken)?;
        // It ends with the answer, or with the sender.
        let driving = tokio::spawn(connection);
        let answered = async {
            let (parts, mut body) =
                sender.send_request(request).await.map_err(broken)?.into_parts();
            let mut content = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
                if content.len() + data.len() > self.rules.bytes_max {
                    return Err(CallError::TooLarge(host.to_owned(), self.rules.bytes_max));
                }
                content.extend_from_slice(&data);
            }
            Ok(Response::from_parts(parts, content.freeze()))
        };
        let answered = answered.await;
        driving.abort();
        answered
    }
}

/// Scheme, host and port of a URL: what may be told of it.
fn shown(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    format!("{scheme}://{}", host.rsplit('@').next().unwrap_or_default())
}

/// Where a redirect leads, if that is the same scheme, host and port.
fn same_host(from: &Uri, to: &HeaderValue) -> Option<Uri> {
    let to = to.to_str().ok()?;
    let absolute = if to.starts_with('/') && !to.starts_with("//") {
        format!("{}://{}{to}", from.scheme_str()?, from.authority()?)
    } else {
        to.to_owned()
    };
    let to: Uri = absolute.parse().ok()?;
    (to.scheme() == from.scheme() && to.authority() == from.authority()).then_some(to)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Client, Rules};
    use crate::error::CallError;
    use bytes::Bytes;
    use http::Request;
    use model::network::Networks;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn client(private: &str) -> Client {
        let timeout = Duration::from_secs(5);
        let private = Networks::parse(private).unwrap();
        Client::new(Rules { private, roots: None, timeout, bytes_max: 100 }).unwrap()
    }

    fn get(url: &str) -> Request<Bytes> {
        Request::get(url).body(Bytes::new()).unwrap()
    }

    /// Answers every connection with the same bytes.
    async fn server(answer: String) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut asked = [0; 1024];
                    let _ = stream.read(&mut asked).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn only_declared_private_addresses_are_called() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let address = server(answer.to_owned()).await;
        let url = format!("http://{address}/a?b");
        let answer = client("127.0.0.1").send(get(&url)).await.unwrap();
        assert_eq!(answer.body().as_ref(), b"hello");
        let refused = client("10.0.0.0/8").send(get(&url)).await.unwrap_err();
        assert!(matches!(refused, CallError::Private { .. }), "{refused}");
        assert!(refused.to_string().contains("outbound.private"), "{refused}");
        let named = format!("http://localhost:{}/", address.port());
        assert!(matches!(client("off").send(get(&named)).await, Err(CallError::Private { .. })));
        for url in ["ftp://127.0.0.1/", "/a", "http://user:secret@127.0.0.1/"] {
            let refused = client("127.0.0.1").send(get(url)).await.unwrap_err();
            assert!(matches!(refused, CallError::Url(..)), "{url}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }

    #[tokio::test]
    async fn what_is_too_large_or_leads_away_is_refused() {
        let large = format!("HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{}", "x".repeat(200));
        let url = format!("http://{}/", server(large).await);
        let fault = client("127.0.0.1").send(get(&url)).await.unwrap_err();
        assert!(matches!(fault, CallError::TooLarge(_, 100)), "{fault}");
        let away = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\nContent-Length: 0\r\n\r\n";
        let url = format!("http://{}/", server(away.to_owned()).await);
        let fault = client("127.0.0.0/8").send(get(&url)).await.unwrap_err();
        assert!(matches!(fault, CallError::Redirected(_)), "{fault}");
        let circle = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n";
        let url = format!("http://{}/", server(circle.to_owned()).await);
        let fault = client("127.0.0.0/8").send(get(&url)).await.unwrap_err();
        assert!(matches!(fault, CallError::Url(..)), "{fault}");
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let fault = client("127.0.0.1").send(get(&format!("http://{nobody}/"))).await.unwrap_err();
        assert!(matches!(fault, CallError::Unreachable { .. }), "{fault}");
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let quick =
            Rules { timeout: Duration::from_millis(50), ..(*client("127.0.0.1").rules).clone() };
        let fault = Client::new(quick).unwrap().send(get(&url)).await.unwrap_err();
        assert!(matches!(fault, CallError::Slow(_)), "{fault}");
    }
}
