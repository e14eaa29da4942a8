//! Documents as a test wants them.

use async_trait::async_trait;
use imapmcp_core::{
    document::{DocumentSource, FetchFault, Fetched},
    time::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Script {
    answers: HashMap<String, Result<Fetched, FetchFault>>,
    fetches: Vec<String>,
    held: bool,
}

/// A source of scripted documents. What is not in the script has the status 404.
#[derive(Debug, Default)]
pub struct ScriptedDocuments {
    script: Mutex<Script>,
    released: Notify,
}

impl ScriptedDocuments {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the address has this document.
    pub fn publish(&self, url: &str, body: &str, fresh_seconds: i64) {
        self.answer(url, Ok(Fetched { body: body.as_bytes().to_vec(), fresh_seconds }));
    }

    /// From now on this comes of fetching from the address.
    pub fn answer(&self, url: &str, answer: Result<Fetched, FetchFault>) {
        self.script().answers.insert(url.to_owned(), answer);
    }

    /// Every address that was fetched from, in order.
    pub fn fetches(&self) -> Vec<String> {
        self.script().fetches.clone()
    }

    /// Fetches wait from now on until they are let go.
    pub fn hold(&self) {
        self.script().held = true;
    }

    /// Lets those go that wait, and all that come.
    pub fn release(&self) {
        self.script().held = false;
        self.released.notify_waiters();
    }
}

#[async_trait]
impl DocumentSource for ScriptedDocuments {
    async fn fetch(&self, url: &str, _: Timestamp) -> Result<Fetched, FetchFault> {
        self.script().fetches.push(url.to_owned());
        let released = self.released.notified();
        let held = self.script().held;
        if held {
            released.await;
        }
        self.script().answers.get(url).cloned().unwrap_or(Err(FetchFault::Status(404)))
    }
}
