//! Passwords are kept as argon2id hashes only, and hashed and verified before the writer is met: it
//! takes milliseconds and megabytes on purpose, so it is done on a few threads of a low priority.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use contract::problem::{Kind, Problem};
use http::{HeaderValue, header};
use model::model::Resource;
use model::network::neighbourhood;
use model::record::Record;
use model::setting::Settings;
use model::value::Value;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::Inner;
use crate::admit::Admitted;

/// How long a password may wait for its turn: whoever would wait longer is told so at once.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// What one is thought to take before any was measured.
const GUESS: Duration = Duration::from_millis(30);

/// Threads that hash and verify, so that no request handler does. They end with it.
pub(crate) struct Hasher(Arc<Shared>);

struct Shared {
    queues: Mutex<Queues>,
    arrived: Condvar,
    threads_max: usize,
    /// Most that wait, of each kind.
    waiting_max: usize,
    verified: AtomicU64,
    /// What one took of late, in microseconds.
    each_us: AtomicU64,
    /// Verified where there is nothing to be verified, so that it takes as long.
    nobodys: OnceLock<String>,
}

#[derive(Default)]
struct Queues {
    hashes: VecDeque<ToHash>,
    verifications: VecDeque<ToVerify>,
    /// Whose turn it is where both kinds wait.
    turn: Turn,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

/// Passwords that are set and passwords that are tried take turns: however many there are of one
/// kind, each of the other waits for one of them at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    /// One that is tried.
    #[default]
    Verify,
    /// One that is set.
    Hash,
}

struct ToHash(String, oneshot::Sender<String>);

struct ToVerify {
    password: String,
    hash: Option<String>,
    answer: oneshot::Sender<Verified>,
}

enum Job {
    Hash(ToHash),
    Verify(ToVerify),
}

/// Whether a password is the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// It is.
    Right,
    /// It is not, or there is none.
    Wrong,
}

/// The hashes of the passwords of one request, by what was sent.
#[derive(Clone, Default)]
pub(crate) struct Hashes(HashMap<String, String>);

/// The PHC string of a password under a salt of its own.
pub(crate) fn hash(password: &str) -> String {
    let hash: argon2::password_hash::Result<PasswordHash> =
        Argon2::default().hash_password(password.as_bytes());
    hash.expect("argon2id with its default costs hashes anything").to_string()
}

/// What a session keeps of the hash of the password that opened it.
pub(crate) fn seal(hash: &str) -> [u8; 16] {
    let mut seal = [0; 16];
    seal.copy_from_slice(&Sha256::digest(hash.as_bytes())[..16]);
    seal
}

/// The hash that is kept of a user's password, where there is one.
pub(crate) fn of<'a>(resource: &Resource, record: &'a Record) -> Option<&'a str> {
    let index = resource.fields.iter().position(|field| field.password)?;
    match record.values.get(index)?.as_ref()? {
        Value::Text(hash) => Some(hash),
        _ => None,
    }
}

impl Hasher {
    /// A pool whose threads begin when there is work for them.
    pub(crate) fn start(settings: &Settings) -> Self {
        Self(Arc::new(Shared {
            queues: Mutex::default(),
            arrived: Condvar::new(),
            threads_max: settings.login_threads,
            waiting_max: settings.login_queue_max,
            verified: AtomicU64::new(0),
            each_us: AtomicU64::new(micros(GUESS)),
            nobodys: OnceLock::new(),
        }))
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// 429 while too many wait.
    async fn hash(&self, password: &str) -> Result<String, Problem> {
        let (answer, wait) = oneshot::channel();
        {
            let mut queues = self.0.lock();
            self.0.admit(&queues, queues.hashes.len(), queues.verifications.len())?;
            queues.hashes.push_back(ToHash(password.to_owned(), answer));
            self.staff(&mut queues);
        }
        self.0.arrived.notify_one();
        wait.await.map_err(|_| busy())
    }

    /// Verifies a password against a hash; against one that it cannot have where there is none, so
    /// that nobody learns from the time whether there is.
    ///
    /// # Errors
    /// 429 while too many wait.
    pub(crate) async fn verify(
        &self,
        password: &str,
        hash: Option<&str>,
    ) -> Result<Verified, Problem> {
        let (answer, wait) = oneshot::channel();
        {
            let mut queues = self.0.lock();
            self.0.admit(&queues, queues.verifications.len(), queues.hashes.len())?;
            let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
            queues.verifications.push_back(ToVerify { password, hash, answer });
            self.staff(&mut queues);
        }
        self.0.arrived.notify_one();
        wait.await.map_err(|_| busy())
    }

    /// How many passwords were verified.
    pub(crate) fn verified(&self) -> u64 {
        self.0.verified.load(Ordering::Relaxed)
    }

    /// Begins another thread where there is more work than idle ones.
    fn staff(&self, queues: &mut Queues) {
        let waiting = queues.hashes.len() + queues.verifications.len();
        if waiting <= queues.idle || queues.threads >= self.0.threads_max {
            return;
        }
        let shared = Arc::clone(&self.0);
        let thread = std::thread::Builder::new().name("passwords".to_owned());
        if thread.spawn(move || shared.work()).is_ok() {
            queues.threads += 1;
        }
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.arrived.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of one thread.
    fn work(&self) {
        // Whoever signs in waits for milliseconds anyway: all other requests go first.
        store::priority::lower();
        // Before the first attempt, so that it is not told from the others by its time.
        self.nobodys.get_or_init(|| hash(""));
        while let Some(job) = self.next() {
            // A panic has been reported where it happened, and the asker sees that nothing comes.
            drop(catch_unwind(AssertUnwindSafe(|| self.carry_out(job))));
        }
    }

    /// Whether another password of a kind may wait, by how many of it do, and of the other kind.
    ///
    /// # Errors
    /// 429 where its turn would come too late.
    fn admit(&self, queues: &Queues, own: usize, others: usize) -> Result<(), Problem> {
        let free = queues.idle + self.threads_max.saturating_sub(queues.threads);
        let before = if own + others < free { 0 } else { own + others.min(own + 1) + 1 };
        let each = Duration::from_micros(self.each_us.load(Ordering::Relaxed));
        let many = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let wait = each.saturating_mul(many(before)) / many(self.threads_max).max(1);
        if own >= self.waiting_max || wait > WAIT_MAX { Err(flooded(wait)) } else { Ok(()) }
    }

    /// Notes what one took.
    fn measured(&self, took: Duration) {
        let smoothed = |each: u64| Some((each * 7 + micros(took).min(u64::MAX / 16)) / 8);
        // The closure never gives up.
        let _ = self.each_us.fetch_update(Ordering::Relaxed, Ordering::Relaxed, smoothed);
    }

    /// The next job.
    fn next(&self) -> Option<Job> {
        let mut queues = self.lock();
        loop {
            if let Some(job) = queues.next() {
                return Some(job);
            }
            if queues.is_closed {
                return None;
            }
            queues.idle += 1;
            queues = self.arrived.wait(queues).unwrap_or_else(PoisonError::into_inner);
            queues.idle -= 1;
        }
    }

    /// Does it. Nobody waits where the client has left.
    fn carry_out(&self, job: Job) {
        match job {
            Job::Hash(ToHash(password, answer)) if !answer.is_closed() => {
                let begun = Instant::now();
                let hash = hash(&password);
                self.measured(begun.elapsed());
                let _ = answer.send(hash);
            }
            Job::Verify(ToVerify { password, hash, answer }) if !answer.is_closed() => {
                let begun = Instant::now();
                self.verified.fetch_add(1, Ordering::Relaxed);
                let verified = self.verify(&password, hash.as_deref());
                self.measured(begun.elapsed());
                let _ = answer.send(verified);
            }
            Job::Hash(_) | Job::Verify(_) => {}
        }
    }

    fn verify(&self, password: &str, hash: Option<&str>) -> Verified {
        let own = hash.and_then(|hash| PasswordHash::new(hash).ok());
        let is_there = own.is_some();
        let nobodys = || self.nobodys.get_or_init(|| self::hash(""));
        let against = own.or_else(|| PasswordHash::new(nobodys()).ok());
        let fits = against.is_some_and(|hash| {
            Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
        });
        if fits && is_there { Verified::Right } else { Verified::Wrong }
    }
}

fn busy() -> Problem {
    Problem::new(Kind::Unavailable, "Too many passwords are being hashed.")
        .with_field(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn flooded(wait: Duration) -> Problem {
    let detail = "Too many passwords wait to be verified or hashed. This one was not looked at.";
    let seconds = wait.as_secs().max(1);
    Problem::new(Kind::TooManyRequests, detail)
        .with_field(header::RETRY_AFTER, HeaderValue::from(seconds))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Queues {
    fn next(&mut self) -> Option<Job> {
        let hash = |queues: &mut Self| queues.hashes.pop_front().map(Job::Hash);
        let verify = |queues: &mut Self| queues.verifications.pop_front().map(Job::Verify);
        let job = match self.turn {
            Turn::Verify => verify(self).or_else(|| hash(self)),
            Turn::Hash => hash(self).or_else(|| verify(self)),
        }?;
        self.turn = match job {
            Job::Hash(_) => Turn::Verify,
            Job::Verify(_) => Turn::Hash,
        };
        Some(job)
    }
}

impl Hashes {
    /// Hashes the passwords that somebody sets.
    ///
    /// # Errors
    /// 429 where more are set from one address than may by whoever is no admin, and while too many
    /// wait.
    pub(crate) async fn make(
        inner: &Inner,
        admitted: &Admitted,
        passwords: Vec<&str>,
    ) -> Result<Self, Problem> {
        let is_counted = !admitted.sight.caller.is_admin();
        let from = neighbourhood(admitted.address);
        let mut hashes = HashMap::new();
        for password in passwords {
            if hashes.contains_key(password) {
                continue;
            }
            if is_counted {
                inner.attempts.set(from)?;
            }
            let hash = inner.hasher.hash(password).await.inspect_err(|_| {
                if is_counted {
                    inner.attempts.unset(from);
                }
            })?;
            hashes.insert(password.to_owned(), hash);
        }
        Ok(Self(hashes))
    }

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

    /// The hash of a password, where it was hashed.
    pub(crate) fn of(&self, password: &str) -> Option<&str> {
        self.0.get(password).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use futures_util::{Future, future};

    use super::{Hasher, Verified, hash};
    use model::setting::Settings;

    #[tokio::test]
    async fn each_attempt_costs_one_verification_whatever_there_is() {
        let hasher = Hasher::start(&Settings::default());
        let right = hash("hunter22");
        for (kept, password, verified) in [
            (Some(right.as_str()), "hunter22", Verified::Right),
            (Some(right.as_str()), "hunter23", Verified::Wrong),
            (None, "hunter22", Verified::Wrong),
            (None, "", Verified::Wrong),
            (Some("not a hash"), "", Verified::Wrong),
        ] {
            let before = hasher.verified();
            let found = hasher.verify(password, kept).await.expect("nobody else waits");
            assert_eq!((found, hasher.verified() - before), (verified, 1));
        }
    }

    #[tokio::test]
    async fn those_that_are_set_and_those_that_are_tried_take_turns() {
        let settings = Settings { login_threads: 1, login_queue_max: 1000, ..Settings::default() };
        let hasher = Hasher::start(&settings);
        let sets = (0..20).map(|_| hasher.hash("x"));
        let mut sets = Box::pin(future::join_all(sets));
        // All of them wait before the one that is tried.
        let mut context = Context::from_waker(Waker::noop());
        assert!(sets.as_mut().poll(&mut context).is_pending());
        let tried = hasher.verify("x", None);
        let (first, _) = match future::select(sets, Box::pin(tried)).await {
            future::Either::Right(first) => first,
            future::Either::Left(_) => panic!("20 went before one that was tried"),
        };
        assert_eq!(first.expect("it waits for one or two"), Verified::Wrong);
    }

    #[tokio::test]
    async fn whoever_would_wait_long_is_told_so_at_once() {
        let settings = Settings { login_threads: 1, login_queue_max: 1000, ..Settings::default() };
        let hasher = Hasher::start(&settings);
        let begun = std::time::Instant::now();
        let all = (0..1000).map(|_| hasher.verify("x", None));
        let answers = future::join_all(all).await;
        let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
        let refused: Vec<_> = refused.collect();
        // 2 s of what takes 30 ms until it was measured.
        assert_eq!(answers.len() - refused.len(), 66, "{:?}", begun.elapsed());
        let field = refused[0].fields.iter().find(|(name, _)| name == http::header::RETRY_AFTER);
        assert_eq!(field.expect("when to come again").1, "2");
    }

    #[tokio::test]
    async fn a_flood_is_refused_at_once() {
        let settings = Settings { login_threads: 1, login_queue_max: 2, ..Settings::default() };
        let hasher = Hasher::start(&settings);
        let all = (0..20).map(|_| hasher.verify("x", None));
        let answers = future::join_all(all).await;
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        assert!((16..=18).contains(&refused), "{refused} of 20 were refused");
        assert_eq!(hasher.verified(), 20 - refused as u64);
    }
}
