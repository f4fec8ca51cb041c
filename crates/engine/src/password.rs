//! Passwords are kept as argon2id hashes only, and hashed before the writer is met: it takes
//! milliseconds and megabytes on purpose.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use contract::problem::{Kind, Problem};
use model::model::Resource;
use model::record::Record;
use model::value::Value;
use tokio::sync::oneshot;

/// Passwords that may wait: a flood is refused rather than queued.
const WAITING_MAX: usize = 64;

type Job = (String, oneshot::Sender<String>);

/// One thread that hashes, so that no request handler does.
pub(crate) struct Hasher(SyncSender<Job>);

/// The hashes of the passwords of one request, by what was sent.
#[derive(Clone, Default)]
pub(crate) struct Hashes(HashMap<String, String>);

/// The PHC string of a password under a salt of its own.
pub(crate) fn hash(password: &str) -> String {
    Argon2::default()
        .hash_password(password.as_bytes())
        .expect("argon2id with its default costs hashes anything")
        .to_string()
}

impl Hasher {
    /// Starts the thread; it ends with the hasher.
    pub(crate) fn start() -> Self {
        let (jobs, queue) = sync_channel::<Job>(WAITING_MAX);
        std::thread::Builder::new()
            .name("passwords".to_owned())
            .spawn(move || {
                for (password, answer) in queue {
                    // Nobody waits where the client has left.
                    drop(answer.send(hash(&password)));
                }
            })
            .expect("the system starts a thread");
        Self(jobs)
    }

    /// Hashes some passwords.
    ///
    /// # Errors
    /// 503 while too many wait.
    pub(crate) async fn hash_all(&self, passwords: Vec<&str>) -> Result<Hashes, Problem> {
        let mut hashes = HashMap::new();
        for password in passwords {
            let (answer, wait) = oneshot::channel();
            match self.0.try_send((password.to_owned(), answer)) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(busy()),
            }
            hashes.insert(password.to_owned(), wait.await.map_err(|_| busy())?);
        }
        Ok(Hashes(hashes))
    }
}

fn busy() -> Problem {
    Problem::new(Kind::Unavailable, "Too many passwords are being hashed.")
        .with_field(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"))
}

impl Hashes {
    /// Puts hashes in the place of passwords. What `besides` has too is a hash already.
    pub(crate) fn put_in(
        &self,
        resource: &Resource,
        values: &mut [Option<Value>],
        besides: Option<&Record>,
    ) {
        for (index, _) in resource.fields.iter().enumerate().filter(|(_, field)| field.password) {
            let kept = besides.is_some_and(|record| record.values[index] == values[index]);
            if let (false, Some(Value::Text(sent))) = (kept, &values[index]) {
                let hashed = self.0.get(sent).cloned().unwrap_or_else(|| hash(sent));
                values[index] = Some(Value::Text(hashed));
            }
        }
    }
}
