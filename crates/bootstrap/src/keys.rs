//! The key ring at start: made once, then only ever recognised.

use crate::Settings;
use imapmcp_core::{
    random::Entropy,
    store::{KeyRepository, StoreError},
    time::Clock,
};
use imapmcp_vault::{KeyRing, KeyRingError, OpenError, RingVault};
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// Why the keys cannot be used. In each case nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database knows keys, but there is no key file.
    #[error(
        "the key file {0} is missing, but the database holds data sealed with it; put it back (a new key cannot open that data)"
    )]
    Missing(PathBuf),
    /// It cannot be read or written.
    #[error("cannot use the key file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("the key file {0} can be read by others; run: chmod 600 {0}")]
    Permissions(PathBuf),
    /// Its text is wrong.
    #[error(transparent)]
    Ring(#[from] KeyRingError),
    /// It does not hold the keys the data was sealed with.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Loads the ring (making it on the very first start), checks it against what the database knows, and registers its
/// first key if the database knows none.
pub async fn open_vault(
    settings: &Settings,
    keys: &dyn KeyRepository,
    clock: &dyn Clock,
    entropy: Arc<dyn Entropy>,
) -> Result<RingVault, KeyError> {
    let mut records = keys.list_keys().await?;
    let ring = match read_key_ring(settings)? {
        Some(ring) => ring,
        None if records.is_empty() => match make(&settings.key_file, &*entropy) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                read_key_ring(settings)?.ok_or_else(|| KeyError::Missing(settings.key_file.clone()))?
            }
            made => made?,
        },
        None => return Err(KeyError::Missing(settings.key_file.clone())),
    };
    if records.is_empty() {
        let first = ring.first_record(clock.now());
        match keys.add_key(&first).await {
            // another replica may have been faster; whether it had the same key is checked below
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        records = keys.list_keys().await?;
    }
    Ok(RingVault::open(&ring, &records, entropy)?)
}

/// The ring of the environment or of the key file; `None` if neither is there. Writes nothing.
pub fn read_key_ring(settings: &Settings) -> Result<Option<KeyRing>, KeyError> {
    if let Some(text) = settings.keys_from_environment() {
        // the environment has no line breaks: commas separate keys there
        return Ok(Some(KeyRing::parse(&Zeroizing::new(text.replace(',', "\n")))?));
    }
    let path = &settings.key_file;
    let file = |source| KeyError::File { path: path.clone(), source };
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file(error)),
    };
    if fs::metadata(path).map_err(file)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Permissions(path.clone()));
    }
    Ok(Some(KeyRing::parse(&text)?))
}

/// The very first start: the file appears whole or not at all, and never in the place of another.
fn make(path: &Path, entropy: &dyn Entropy) -> Result<KeyRing, KeyError> {
    let file = |source| KeyError::File { path: path.to_owned(), source };
    let ring = KeyRing::generate(entropy);
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut new| new.write_all(ring.to_text().as_bytes()).and_then(|()| new.sync_all()))
        // unlike a rename, a link does not replace what another process has just made
        .and_then(|()| fs::hard_link(&draft, path));
    drop(fs::remove_file(&draft));
    written.map_err(file)?;
    Ok(ring)
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::{secret::Vault as _, time::SystemClock};
    use imapmcp_storage::Database;
    use imapmcp_vault::SystemEntropy;

    async fn database() -> Database {
        let database = Database::open(&"sqlite::memory:".parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        database
    }

    fn settings(directory: &Path, more: &[(&'static str, &str)]) -> Settings {
        let flags = [("IMAPMCP_DATA_DIR", directory.to_str().unwrap())];
        let flags = flags.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned()));
        Settings::load(None, [], flags).unwrap()
    }

    async fn open(settings: &Settings, database: &Database) -> Result<RingVault, KeyError> {
        open_vault(settings, database, &SystemClock, Arc::new(SystemEntropy)).await
    }

    #[tokio::test]
    async fn the_first_start_makes_a_key_and_later_ones_recognise_it() {
        let directory = tempfile::tempdir().unwrap();
        let (settings, database) = (settings(directory.path(), &[]), database().await);
        let first = open(&settings, &database).await.unwrap();
        let mode = fs::metadata(&settings.key_file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
        let again = open(&settings, &database).await.unwrap();
        assert_eq!(first.active_kid(), again.active_kid());
        assert_eq!(database.list_keys().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn without_its_key_file_a_used_database_is_refused_and_nothing_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let (settings, database) = (settings(directory.path(), &[]), database().await);
        open(&settings, &database).await.unwrap();
        fs::remove_file(&settings.key_file).unwrap();
        assert!(matches!(open(&settings, &database).await, Err(KeyError::Missing(_))));
        assert!(!settings.key_file.exists());

        fs::write(&settings.key_file, KeyRing::generate(&SystemEntropy).to_text().as_bytes()).unwrap();
        fs::set_permissions(&settings.key_file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(open(&settings, &database).await, Err(KeyError::Open(OpenError::Missing(_)))));
        assert_eq!(database.list_keys().await.unwrap().len(), 1);
        fs::set_permissions(&settings.key_file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(open(&settings, &database).await, Err(KeyError::Permissions(_))));
    }

    #[tokio::test]
    async fn keys_of_the_environment_win_and_make_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (KeyRing::generate(&SystemEntropy), KeyRing::generate(&SystemEntropy));
        let text = format!("{},{}", one.to_text().trim(), two.to_text().trim());
        let settings = settings(directory.path(), &[("IMAPMCP_KEYS", &text)]);
        let vault = open(&settings, &database().await).await.unwrap();
        assert_eq!(Some(vault.active_kid()), one.kids().next());
        assert!(!settings.key_file.exists());
        let binding =
            imapmcp_core::secret::Binding { field: "accounts.credential", row: "r", user: "u", context: "" };
        assert!(vault.open(binding, &vault.seal(binding, b"x")).is_ok());
    }
}
