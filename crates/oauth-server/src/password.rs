//! Passwords: Argon2id with the parameters OWASP asks for at least (19 MiB, 2 passes, 1 lane), in PHC string form.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{PasswordHash, SaltString},
};
use imapmcp_core::{
    random::Entropy,
    secret::{ExposeSecret, SecretString},
};
use std::sync::Arc;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// The fewest characters a password may have.
pub const MIN_CHARACTERS: usize = 12;
/// The most characters a password may have: a bound before work.
pub const MAX_CHARACTERS: usize = 1024;
/// At most this many computations at once: 4 × 19 MiB.
const AT_ONCE: usize = 4;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_OCTETS: usize = 16;

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

/// Hashes a new password into a PHC string. Takes tens of milliseconds and 19 MiB: on async threads use
/// [`Passwords::hash`].
pub fn hash(password: &SecretString, entropy: &dyn Entropy) -> Result<SecretString, PasswordError> {
    check_length(password)?;
    let mut salt = [0; SALT_OCTETS];
    entropy.fill(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|_| PasswordError::Failed)?;
    let phc = argon2()
        .and_then(|argon2| Ok(argon2.hash_password(password.expose_secret().as_bytes(), &salt)?.to_string()))
        .map_err(|_| PasswordError::Failed)?;
    Ok(phc.into())
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
    let Ok(parsed) = PasswordHash::new(phc) else { return false };
    Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed).is_ok()
}

fn argon2() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The same on async threads: off the runtime's workers, at most four at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// See [`hash`].
    pub async fn hash(
        &self,
        password: SecretString,
        entropy: Arc<dyn Entropy>,
    ) -> Result<SecretString, PasswordError> {
        // The length rule costs nothing and needs no slot.
        check_length(&password)?;
        self.run(move || hash(&password, &*entropy)).await.unwrap_or(Err(PasswordError::Failed))
    }

    /// See [`verify`]; without a PHC string it takes the same time and says no.
    pub async fn verify(&self, password: SecretString, phc: Option<SecretString>) -> bool {
        self.run(move || match phc {
            Some(phc) => verify(&password, &phc),
            None => verify_nobody(&password),
        })
        .await
        .unwrap_or(false)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        spawn_blocking(move || {
            // The slot goes with the work: a caller that hangs up does not make room before the work is over.
            let _slot = slot;
            work()
        })
        .await
        .ok()
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
        let phc = passwords.hash("correct horse battery".into(), Arc::new(Fixed)).await.unwrap();
        assert!(passwords.verify("correct horse battery".into(), Some(phc.clone())).await);
        assert!(!passwords.verify("wrong horse battery".into(), Some(phc)).await);
        assert!(!passwords.verify("correct horse battery".into(), None).await);
        assert_eq!(
            passwords.hash("short".into(), Arc::new(Fixed)).await.unwrap_err(),
            PasswordError::TooShort
        );
    }
}
