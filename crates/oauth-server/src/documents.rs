//! Clients that are known by their metadata documents: fetched when somebody is sent here, one fetch at a time for each, and
//! kept for as long as their HTTP headers say, within bounds. Nothing is stored before a person consents.

use crate::{AuthorizationServer, Guess, TooMany, metadata_document};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::{
    document::DocumentSource, id::ClientId, oauth::Client, secret::TokenHash, time::Timestamp,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Mutex as Turn, Semaphore},
    time::timeout,
};

/// A document is kept for this many seconds at least and at most: what a person is asked about must not change while they
/// read, and a client that was taken down is not asked for a second day.
const KEPT: (i64, i64) = (300, 24 * 3600);
/// That there is no document worth keeping is remembered for this many seconds.
const MISSED: i64 = 30;
/// Documents kept at once.
const MOST: usize = 1_000;
/// Documents that are fetched at once, for all who ask.
const AT_ONCE: usize = 16;
/// Whoever waits for a document, their own turn included, waits no longer: a fetch may take five seconds.
const PATIENCE: Duration = Duration::from_millis(5_500);

/// Why there is no client. Whoever asked is told nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoDocument {
    /// The address, the fetch or what it says.
    Unusable,
    /// The network that asks has caused too many fetches.
    TooMany(TooMany),
}

/// What was found at an address, `None` if it was no good.
struct Found {
    client: Option<Client>,
    at: Timestamp,
    until: Timestamp,
}

/// Whoever holds it fetches; the others wait for what comes of it.
type Slot = Arc<Turn<Option<Found>>>;

/// The documents of late.
pub(crate) struct Documents {
    source: Arc<dyn DocumentSource>,
    slots: Mutex<HashMap<ClientId, Slot>>,
    fetches: Semaphore,
}

impl Documents {
    pub(crate) fn new(source: Arc<dyn DocumentSource>) -> Self {
        Self { source, slots: Mutex::default(), fetches: Semaphore::new(AT_ONCE) }
    }

    fn slot(&self, id: &ClientId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST && !slots.contains_key(id) {
            slots.clear();
        }
        Arc::clone(slots.entry(id.clone()).or_default())
    }
}

impl AuthorizationServer {
    /// The client behind the address of a metadata document. `address` is that of whoever sent a person here with it; a person
    /// who is deciding has none.
    pub(crate) async fn document_client(
        &self,
        id: &ClientId,
        address: Option<IpAddr>,
    ) -> Result<Client, NoDocument> {
        if !metadata_document::is_document_url(id.as_str()) {
            return Err(NoDocument::Unusable);
        }
        let found = timeout(PATIENCE, self.find_document(id, address)).await;
        found.unwrap_or(Ok(None))?.ok_or(NoDocument::Unusable)
    }

    async fn find_document(
        &self,
        id: &ClientId,
        address: Option<IpAddr>,
    ) -> Result<Option<Client>, NoDocument> {
        let slot = self.documents.slot(id);
        let mut found = slot.lock().await;
        let now = self.now();
        // a clock that went back knows nothing
        if let Some(found) = found.as_ref().filter(|found| (found.at..found.until).contains(&now)) {
            return Ok(found.client.clone());
        }
        self.wrong(Guess::Document, address).map_err(NoDocument::TooMany)?;
        let (client, seconds) = self.fetch_document(id, now).await;
        *found = Some(Found { client: client.clone(), at: now, until: now.plus_seconds(seconds) });
        Ok(client)
    }

    /// The client, and for how many seconds that is kept.
    async fn fetch_document(&self, id: &ClientId, now: Timestamp) -> (Option<Client>, i64) {
        let Ok(_permit) = self.documents.fetches.acquire().await else { return (None, 0) };
        let fetched = match self.documents.source.fetch(id.as_str(), now).await {
            Ok(fetched) => fetched,
            Err(fault) => {
                tracing::info!(client = %id, fault = %fault, "a client's metadata document was not fetched");
                return (None, MISSED);
            }
        };
        let client = metadata_document::read(id, &fetched.body, &self.config.private_use_schemes, now);
        if client.is_none() {
            tracing::info!(client = %id, "a client's metadata document does not say what it must");
            return (None, MISSED);
        }
        (client, fetched.fresh_seconds.clamp(KEPT.0, KEPT.1))
    }
}

/// What a person sees of such a client, in few characters: another document is asked about anew.
pub(crate) fn seen(client: &Client) -> String {
    let text = serde_json::json!([client.name, client.redirect_uris]).to_string();
    URL_SAFE_NO_PAD.encode(TokenHash::of(&text).0)
}
