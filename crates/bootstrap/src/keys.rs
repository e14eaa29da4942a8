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
        None if records.is_empty() => make(&settings.key_file, &*entropy)?,
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

/// The very first start. Of two at once, the second finds the file and fails instead of replacing it.
fn make(path: &Path, entropy: &dyn Entropy) -> Result<KeyRing, KeyError> {
    let file = |source| KeyError::File { path: path.to_owned(), source };
    let ring = KeyRing::generate(entropy);
    let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file)?;
    new.write_all(ring.to_text().as_bytes()).and_then(|()| new.sync_all()).map_err(file)?;
    Ok(ring)
}
