//! What one connection of an account learned and the others can use. Nothing here needs to be true.

use super::utf7;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Most folders remembered.
const MAX_FOLDERS: usize = 5_000;

/// Per account: spellings and sizes of folders.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    /// Folders whose names on the wire are not what the encoder makes of them.
    odd: Mutex<HashMap<String, String>>,
    exists: Mutex<HashMap<String, u32>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hints {
    /// Decodes a folder name, remembering its spelling if it is not the usual one.
    pub(crate) fn decode(&self, wire: &str) -> String {
        let name = utf7::decode(wire);
        if utf7::encode(&name) != wire {
            let mut odd = lock(&self.odd);
            if odd.len() < MAX_FOLDERS {
                odd.insert(name.clone(), wire.to_owned());
            }
        }
        name
    }

    /// The spelling of a folder, if it is not the usual one.
    pub(crate) fn wire_name(&self, folder: &str) -> Option<String> {
        lock(&self.odd).get(folder).cloned()
    }

    /// How many messages a folder had when it was last open.
    pub(crate) fn exists(&self, folder: &str) -> Option<u32> {
        lock(&self.exists).get(folder).copied()
    }

    /// Remembers how many messages a folder has.
    pub(crate) fn saw(&self, folder: &str, exists: u32) {
        let mut known = lock(&self.exists);
        if known.len() < MAX_FOLDERS || known.contains_key(folder) {
            known.insert(folder.to_owned(), exists);
        }
    }
}
