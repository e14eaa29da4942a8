//! The key ring at start: made once, then only ever recognised.

use crate::Settings;
use imapmcp_core::{
    random::Entropy,
    store::{KeyRepository, StoreError},
    time::Clock,
};
use imapmcp_vault::{KeyRing, KeyRingError, OpenError, RingVault};
use rustix::fs::{AtFlags, CWD, OFlags, linkat};
use std::{
    fs,
    io::{self, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    },
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
    if settings.keys.is_none() {
        remove_drafts(&settings.key_file);
    }
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
    match write_unnamed(path, ring.to_text().as_bytes()) {
        Err(error) if !is_there(&error) => write_named(path, ring.to_text().as_bytes()),
        written => written,
    }
    .map_err(file)?;
    Ok(ring)
}

fn is_there(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}

/// By way of a file without a name, of which nothing is left whenever the process is killed. Not every file system can.
fn write_unnamed(path: &Path, text: &[u8]) -> io::Result<()> {
    let flags = i32::try_from(OFlags::TMPFILE.bits()).map_err(io::Error::other)?;
    let mut new =
        fs::OpenOptions::new().write(true).mode(0o600).custom_flags(flags).open(directory_of(path))?;
    new.write_all(text)?;
    new.sync_all()?;
    // unlike a rename, a link does not replace what another process has just made
    let name = format!("/proc/self/fd/{}", new.as_raw_fd());
    Ok(linkat(CWD, name, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// By way of a draft under a lock; the draft of a process that was killed is removed by the next start.
fn write_named(path: &Path, text: &[u8]) -> io::Result<()> {
    let directory = fs::File::open(directory_of(path))?;
    directory.lock()?;
    let draft = path.with_extension("new");
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut new| new.write_all(text).and_then(|()| new.sync_all()))
        .and_then(|()| fs::hard_link(&draft, path));
    drop(fs::remove_file(&draft));
    written
}

/// Removes drafts that killed processes left (`keys.new`, and `keys.new-` with a number by earlier releases): each holds
/// a key. A directory that cannot be read or locked keeps them.
fn remove_drafts(path: &Path) {
    let draft = path.with_extension("new");
    let Some(draft) = draft.file_name().and_then(|name| name.to_str()) else { return };
    let is_draft = |name: &str| {
        name.strip_prefix(draft).is_some_and(|rest| {
            rest.is_empty()
                || rest.strip_prefix('-').is_some_and(|pid| pid.bytes().all(|octet| octet.is_ascii_digit()))
        })
    };
    let directory = directory_of(path);
    let Ok(lock) = fs::File::open(directory) else { return };
    let found = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    let left: Vec<PathBuf> = found
        .filter(|entry| entry.file_name().to_str().is_some_and(is_draft))
        .map(|entry| entry.path())
        .collect();
    if left.is_empty() || lock.lock().is_err() {
        return;
    }
    for path in left {
        match fs::remove_file(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "the draft of a key file was removed"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "the draft of a key file cannot be removed");
            }
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imapmcp_core::{
        secret::{Binding, SealedColumn, Vault as _},
        time::SystemClock,
    };
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
    async fn a_start_removes_the_drafts_of_processes_that_were_killed() {
        let directory = tempfile::tempdir().unwrap();
        let (settings, database) = (settings(directory.path(), &[]), database().await);
        let draft = |name: &str| directory.path().join(name);
        for round in 0..2 {
            for name in ["keys.new-4711", "keys.new", "keys.newer", "keys.new-old"] {
                fs::write(draft(name), "k1:x").unwrap();
            }
            open(&settings, &database).await.unwrap();
            let left =
                ["keys.new-4711", "keys.new", "keys.newer", "keys.new-old"].map(|name| draft(name).exists());
            assert_eq!(left, [false, false, true, true], "round {round}");
        }
    }

    #[test]
    fn both_ways_to_write_a_key_file_leave_one_file_and_replace_none() {
        for write in [write_unnamed, write_named] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("keys");
            let racers: Vec<_> = (0..8)
                .map(|number| {
                    let path = path.clone();
                    std::thread::spawn(move || write(&path, format!("{number}").as_bytes()))
                })
                .collect();
            let done = racers.into_iter().filter_map(|racer| racer.join().unwrap().ok()).count();
            assert_eq!(done, 1);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(is_there(&write(&path, b"x").unwrap_err()));
            assert_eq!(fs::read(&path).unwrap().len(), 1);
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
        }
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
        let binding = Binding { column: SealedColumn::AccountCredential, row: "r", user: "u", context: "" };
        assert!(vault.open(binding, &vault.seal(binding, b"x")).is_ok());
    }
}
