//! Passwords: Argon2id with the parameters OWASP asks for at least (19 MiB, 2 passes, 1 lane), in PHC string form.

use crate::common::is_common;
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString},
};
use imapmcp_core::{
    random::Entropy,
    secret::{ExposeSecret, SecretString},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

/// The fewest characters a password may have.
pub const MIN_CHARACTERS: usize = 12;
/// The most characters a password may have: a bound before work.
pub const MAX_CHARACTERS: usize = 1024;
/// At most this many computations at once: 4 × 19 MiB, one of them for those who are known.
const STRANGERS_AT_ONCE: usize = 3;
const KNOWN_AT_ONCE: usize = 1;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_OCTETS: usize = 16;
/// Blocks of 1 KiB that room is made for; only those that are used cost memory. So large an allocation always is a mapping
/// of its own (glibc never takes more than 32 MiB from its heaps), which goes back to the system as soon as the work is done.
const ROOM: usize = 34 * 1024;
/// So many may wait for their turn, and so long.
const MOST_WAITING: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);

/// A hash no password has, with the parameters of a real one: checked for unknown users, so they cost the same time.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`MIN_CHARACTERS`].
    #[error("a password needs at least 12 characters")]
    TooShort,
    /// More than [`MAX_CHARACTERS`].
    #[error("a password has at most 1,024 characters")]
    TooLong,
    /// One of those that are tried first.
    #[error("the password is a common one, a row of characters, or made of what anybody knows")]
    Common,
    /// Too many passwords are being computed; try again in a few seconds.
    #[error("too many passwords are being checked")]
    Busy,
    /// A bug, or no memory: Argon2 itself failed.
    #[error("the password could not be hashed")]
    Failed,
}

/// Checks the length rule alone.
pub fn check_length(password: &SecretString) -> Result<(), PasswordError> {
    match password.expose_secret().chars().take(MAX_CHARACTERS + 1).count() {
        0..MIN_CHARACTERS => Err(PasswordError::TooShort),
        MIN_CHARACTERS..=MAX_CHARACTERS => Ok(()),
        _ => Err(PasswordError::TooLong),
    }
}

/// Checks all rules for a new password. `known` is what anybody knows of its owner and this site: the e-mail address, the
/// host.
pub fn check_new(password: &SecretString, known: &[&str]) -> Result<(), PasswordError> {
    check_length(password)?;
    if is_common(password.expose_secret(), known) { Err(PasswordError::Common) } else { Ok(()) }
}

/// Hashes a new password into a PHC string. Takes tens of milliseconds and 19 MiB: on async threads use
/// [`Passwords::hash`].
pub fn hash(password: &SecretString, entropy: &dyn Entropy) -> Result<SecretString, PasswordError> {
    check_new(password, &[])?;
    let mut salt = [0; SALT_OCTETS];
    entropy.fill(&mut salt);
    let phc = || {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
        let text = SaltString::encode_b64(&salt).ok()?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(text.as_salt()),
            hash: Some(digest(password, &salt, Version::V0x13, params, Params::DEFAULT_OUTPUT_LEN)?),
        };
        Some(phc.to_string())
    };
    phc().map(SecretString::from).ok_or(PasswordError::Failed)
}

/// Whether the password belongs to the PHC string. The parameters are those of the string.
pub fn verify(password: &SecretString, phc: &SecretString) -> bool {
    matches(password, phc.expose_secret())
}

/// Takes the time of [`verify`] and always says no.
pub fn verify_nobody(password: &SecretString) -> bool {
    // A password whose digest is all zeros cannot be found, and would still be refused.
    std::hint::black_box(matches(password, NOBODY));
    false
}

fn matches(password: &SecretString, phc: &str) -> bool {
    // An overlong guess would only buy the guesser our time.
    if check_length(password) == Err(PasswordError::TooLong) {
        return false;
    }
    let same = || {
        let parsed = PasswordHash::new(phc).ok()?;
        if parsed.algorithm != Algorithm::Argon2id.ident() {
            return None;
        }
        let version = parsed.version.unwrap_or(Version::V0x13.into()).try_into().ok()?;
        let (mut salt, expected) = ([0; Salt::MAX_LENGTH], parsed.hash?);
        let salt = parsed.salt?.decode_b64(&mut salt).ok()?;
        let found = digest(password, salt, version, Params::try_from(&parsed).ok()?, expected.len())?;
        // in constant time
        Some(found == expected)
    };
    same().unwrap_or(false)
}

/// Argon2id (RFC 9106). Where the library makes room itself, the blocks come from heaps that keep them.
fn digest(
    password: &SecretString,
    salt: &[u8],
    version: Version,
    params: Params,
    octets: usize,
) -> Option<Output> {
    let count = params.block_count();
    let mut blocks = Vec::with_capacity(count.max(ROOM));
    blocks.resize(count, Block::new());
    let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
    let password = password.expose_secret().as_bytes();
    Output::init_with(octets, |out| {
        Ok(argon2.hash_password_into_with_memory(password, salt, out, &mut blocks)?)
    })
    .ok()
}

/// Who asks: they wait in queues of their own, so that no flood of strangers keeps out who has been here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Anybody.
    Stranger,
    /// Somebody who is signed in, or a browser in which they once were.
    Known,
}

/// The same on async threads: off the runtime's workers, at most four at once, and short queues before them.
#[derive(Debug, Clone)]
pub struct Passwords {
    strangers: Queue,
    known: Queue,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { strangers: Queue::new(STRANGERS_AT_ONCE), known: Queue::new(KNOWN_AT_ONCE) }
    }
}

#[derive(Debug, Clone)]
struct Queue {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    fn new(at_once: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once)), waiting: Arc::default() }
    }
}

/// A place in the queue.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Passwords {
    /// See [`hash`]. Whoever sets a password is known, but where anybody may sign up.
    pub async fn hash(
        &self,
        password: SecretString,
        asker: Asker,
        entropy: Arc<dyn Entropy>,
    ) -> Result<SecretString, PasswordError> {
        // The rules cost nothing and need no slot.
        check_new(&password, &[])?;
        self.queue(asker).run(move || hash(&password, &*entropy)).await?
    }

    /// See [`verify`]; without a PHC string it takes the same time and says no. [`PasswordError::Busy`] where too many are
    /// before it.
    pub async fn verify(
        &self,
        password: SecretString,
        phc: Option<SecretString>,
        asker: Asker,
    ) -> Result<bool, PasswordError> {
        let work = move || match phc {
            Some(phc) => verify(&password, &phc),
            None => verify_nobody(&password),
        };
        self.queue(asker).run(work).await
    }

    fn queue(&self, asker: Asker) -> &Queue {
        if asker == Asker::Known { &self.known } else { &self.strangers }
    }
}

impl Queue {
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let slot = {
            let before = self.waiting.fetch_add(1, Ordering::Relaxed);
            let _waiting = Waiting(&self.waiting);
            if before >= MOST_WAITING {
                return Err(PasswordError::Busy);
            }
            let slot = timeout(PATIENCE, Arc::clone(&self.slots).acquire_owned()).await;
            slot.map_err(|_| PasswordError::Busy)?.map_err(|_| PasswordError::Failed)?
        };
        let (done, result) = oneshot::channel();
        let thread = std::thread::Builder::new().name("password".to_owned()).spawn(move || {
            give_way();
            // The slot goes with the work: a caller that hangs up does not make room before the work is over, and whoever has
            // the result finds the slot free.
            let result = work();
            drop(slot);
            let _ = done.send(result);
        });
        thread.map_err(|_| PasswordError::Failed)?;
        result.await.map_err(|_| PasswordError::Failed)
    }
}

/// Lets every other thread go first: a flood of guesses takes the time nobody else needs. A thread of its own, because a
/// priority that was given up cannot be taken back.
fn give_way() {
    // elsewhere it would be the priority of the whole process
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(error = &error as &dyn std::error::Error, "the priority stayed as it was");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let phc = hash(&"correct horse battery".into(), &Fixed).unwrap();
        assert!(
            phc.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            phc.expose_secret()
        );
        assert!(verify(&"correct horse battery".into(), &phc));
        assert!(!verify(&"correct horse batterz".into(), &phc));
        assert!(!verify(&"correct horse battery".into(), &"not a hash".into()));
    }

    #[test]
    fn length_counts_characters_and_has_its_own_errors() {
        assert_eq!(check_length(&"elevenchars".into()), Err(PasswordError::TooShort));
        assert_eq!(check_length(&"zwölfzeichen".into()), Ok(()));
        assert_eq!(check_length(&"é".repeat(1024).into()), Ok(()));
        assert_eq!(check_length(&"é".repeat(1025).into()), Err(PasswordError::TooLong));
        assert!(matches!(hash(&"short".into(), &Fixed), Err(PasswordError::TooShort)));
    }

    #[test]
    fn nobody_costs_what_somebody_costs() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
        assert_eq!(nobody.hash.unwrap().len(), 32);
        assert!(!verify_nobody(&"correct horse battery".into()));
    }

    #[tokio::test]
    async fn the_async_form_gives_the_same_answers() {
        let passwords = Passwords::default();
        let phc =
            passwords.hash("correct horse battery".into(), Asker::Known, Arc::new(Fixed)).await.unwrap();
        assert!(
            passwords.verify("correct horse battery".into(), Some(phc.clone()), Asker::Known).await.unwrap()
        );
        assert!(!passwords.verify("wrong horse battery".into(), Some(phc), Asker::Known).await.unwrap());
        assert!(!passwords.verify("correct horse battery".into(), None, Asker::Stranger).await.unwrap());
        assert_eq!(
            passwords.hash("short".into(), Asker::Known, Arc::new(Fixed)).await.unwrap_err(),
            PasswordError::TooShort
        );
    }

    #[test]
    fn hashes_of_other_programs_are_read_too() {
        // argon2 0.5.3 `hash_password` with other parameters
        let phc = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";
        let other =
            argon2::Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let mut out = [0; 32];
        other.hash_password_into(b"correct horse battery", b"somesalt", &mut out).unwrap();
        let phc = format!("{phc}{}", Output::new(&out).unwrap());
        assert!(verify(&"correct horse battery".into(), &phc.clone().into()));
        assert!(!verify(&"correct horse batterz".into(), &phc.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_when_too_many_wait_is_told_to_come_again() {
        let passwords = Passwords::default();
        let busy = Arc::clone(&passwords.strangers.slots).acquire_many_owned(3).await.unwrap();
        let queue: Vec<_> = (0..MOST_WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move {
                    passwords.verify("correct horse battery".into(), None, Asker::Stranger).await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        let late = passwords.verify("correct horse battery".into(), None, Asker::Stranger).await;
        assert_eq!(late, Err(PasswordError::Busy), "at once");
        let known = passwords.verify("correct horse battery".into(), None, Asker::Known).await;
        assert_eq!(known, Ok(false), "who was here before does not wait behind strangers");
        for waiting in queue {
            assert_eq!(waiting.await.unwrap(), Err(PasswordError::Busy), "after a few seconds");
        }
        drop(busy);
        assert_eq!(passwords.verify("correct horse battery".into(), None, Asker::Stranger).await, Ok(false));
        assert_eq!(passwords.strangers.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_memory_is_given_back_and_at_most_four_shares_of_it_exist() {
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (passwords, before) = (Passwords::default(), resident());
        let racers: Vec<_> = (0..45)
            .map(|_| {
                let passwords = passwords.clone();
                runtime.spawn(async move {
                    passwords.verify("wrong horse battery".into(), None, Asker::Stranger).await
                })
            })
            .collect();
        let mut most = 0;
        while racers.iter().any(|racer| !racer.is_finished()) {
            most = most.max(resident());
            std::thread::yield_now();
        }
        drop(runtime);
        assert!(most - before < 4 * 19 + 16, "{before} MiB before, {most} MiB at most");
        assert!(resident().saturating_sub(before) < 16, "{before} MiB before, {} after", resident());
    }
}
