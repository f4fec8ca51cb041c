//! Mail: over SMTP with TLS, or into a folder for development.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

/// Where mail goes.
#[derive(Clone)]
pub enum Post {
    /// To a server.
    Server(AsyncSmtpTransport<Tokio1Executor>),
    /// Into a folder, a file each.
    Folder(PathBuf),
}

/// A mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Names it for ever: the same mail that is sent again has the same.
    pub id: String,
    /// Who sends it: `Shop <shop@shop.example>`.
    pub from: String,
    /// To whom: an address.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
}

/// Why a mail was not sent. No address is in it, and nothing that the mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// It may be sent later.
    Now(String),
    /// It will never be.
    Ever(String),
}

impl std::fmt::Debug for Post {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Post")
    }
}

impl Post {
    /// A server: `smtps://user:password@host:465`, or `smtp://host:587` with STARTTLS. In the clear
    /// mail goes to this machine alone.
    ///
    /// # Errors
    /// The URL cannot be read, or would have mail sent in the clear; without the password in it.
    pub fn server(url: &str, roots: Option<&Path>, within: Duration) -> Result<Self, String> {
        let form = "expected smtps://USER:PASSWORD@HOST:465 or smtp://USER:PASSWORD@HOST:587";
        let (scheme, rest) = url.split_once("://").ok_or(form)?;
        let (host, port) = host(rest).ok_or(form)?;
        let loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let local = host == "localhost" || loopback;
        let tls = || {
            let mut parameters = TlsParameters::builder(host.to_owned());
            for root in roots.map(read).transpose()?.into_iter().flatten() {
                parameters = parameters.add_root_certificate(root);
            }
            parameters.build().map_err(|fault| format!("TLS cannot be set up: {fault}"))
        };
        let tls = match scheme {
            "smtps" => Tls::Wrapper(tls()?),
            "smtp" if local => Tls::None,
            "smtp" => Tls::Required(tls()?),
            _ => return Err(form.to_owned()),
        };
        let plain = url.replacen("smtps://", "smtp://", 1);
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&plain)
            // What it says might repeat the password.
            .map_err(|_| form.to_owned())?
            .tls(tls)
            .timeout(Some(within));
        let usual = if scheme == "smtps" { 465 } else { 587 };
        let transport = if port.is_some() { transport } else { transport.port(usual) };
        Ok(Self::Server(transport.build()))
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// Says whether it makes sense to try again.
    pub async fn send(&self, mail: &Mail) -> Result<(), Unsent> {
        let message = message(mail)?;
        match self {
            Self::Folder(folder) => keep(folder, &mail.id, &message.formatted())
                .map_err(|fault| Unsent::Now(format!("{}: {fault}", folder.display()))),
            Self::Server(server) => match server.send(message).await {
                Ok(_) => Ok(()),
                Err(fault) if fault.is_permanent() => {
                    let status = fault.status().map(|code| code.to_string()).unwrap_or_default();
                    Err(Unsent::Ever(format!("the mail server refuses it for good: {status}")))
                }
                Err(fault) => {
                    let why = match fault.status() {
                        Some(code) => format!("it says {code}"),
                        None => std::error::Error::source(&fault)
                            .map_or_else(|| fault.to_string(), ToString::to_string),
                    };
                    Err(Unsent::Now(format!("the mail server does not take it now: {why}")))
                }
            },
        }
    }
}

/// True for what can stand as the sender of mails.
#[must_use]
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// The host of what follows the scheme, without the brackets of an IPv6 address, and its port.
fn host(rest: &str) -> Option<(&str, Option<&str>)> {
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit('@').next()?;
    let (host, after) = match place.strip_prefix('[') {
        Some(place) => place.split_once(']')?,
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    (!host.is_empty()).then_some((host, after.strip_prefix(':')))
}

/// Builds the message. The library encodes what is not ASCII, and refuses what would end a field.
fn message(mail: &Mail) -> Result<Message, Unsent> {
    let from: Mailbox =
        mail.from.parse().map_err(|_| Unsent::Ever("`mail.from` is no address".to_owned()))?;
    let to = mail.to.parse().map_err(|_| Unsent::Ever("the address cannot be used".to_owned()))?;
    let host = from.email.domain().to_owned();
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(mail.subject.replace(['\r', '\n'], " "))
        .message_id(Some(format!("<{}@{host}>", mail.id)))
        .header(ContentType::TEXT_PLAIN)
        .body(mail.text.clone())
        .map_err(|fault| Unsent::Ever(format!("the mail cannot be written: {fault}")))
}

fn keep(folder: &Path, id: &str, text: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let part = folder.join(format!("{id}.part"));
    let mut file = fs::File::create(&part)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(part, folder.join(format!("{id}.eml")))
}

fn read(path: &Path) -> Result<Vec<Certificate>, String> {
    let text = fs::read(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    let one = Certificate::from_pem(&text);
    one.map(|certificate| vec![certificate]).map_err(|fault| format!("{}: {fault}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Mail, Post, Unsent};
    use std::time::Duration;

    fn mail() -> Mail {
        Mail {
            id: "01-a".to_owned(),
            from: "Shöp <shop@shop.example>".to_owned(),
            to: "alice@example.com".to_owned(),
            subject: "Grüße\r\nBcc: everybody@example.com".to_owned(),
            text: "Hällo\n".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_mail_is_kept_as_it_would_be_sent() {
        let home = tempfile::tempdir().unwrap();
        let post = Post::Folder(home.path().join("out"));
        post.send(&mail()).await.unwrap();
        post.send(&mail()).await.unwrap();
        let text = std::fs::read_to_string(home.path().join("out/01-a.eml")).unwrap();
        assert!(text.contains("Message-ID: <01-a@shop.example>\r\n"), "{text}");
        assert!(text.contains("To: alice@example.com\r\n"), "{text}");
        assert!(!text.contains("\nBcc"), "{text}");
        let bad = Mail { to: "a@b.example\r\nBcc: c@d.example".to_owned(), ..mail() };
        assert!(matches!(post.send(&bad).await, Err(Unsent::Ever(_))));
    }

    #[tokio::test]
    async fn a_server_is_named_by_a_url() {
        let within = Duration::from_secs(1);
        for url in [
            "smtps://u:p@mail.example",
            "smtp://mail.example:25",
            "smtp://localhost:2525",
            "smtp://u:p@[::1]",
            "smtps://u:p@[2001:db8::1]:465",
        ] {
            assert!(Post::server(url, None, within).is_ok(), "{url}");
        }
        for url in
            ["mail.example", "http://mail.example", "", "smtp://", "smtp://[::1", "smtp://:25"]
        {
            assert!(Post::server(url, None, within).is_err(), "{url}");
        }
        assert_eq!(super::host("u:p%40x@[::1]:25/?a=b@c"), Some(("::1", Some("25"))));
        assert_eq!(super::host("mail.example"), Some(("mail.example", None)));
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let post = Post::server(&format!("smtp://{nobody}"), None, within).unwrap();
        assert!(matches!(post.send(&mail()).await, Err(Unsent::Now(_))));
    }
}
