use super::StoreError;
use crate::{id::ClientId, oauth::Client, time::Timestamp};
use async_trait::async_trait;

/// How many registered clients are kept that no user ever consented to.
#[derive(Debug, Clone, Copy)]
pub struct ClientBounds {
    /// Of one network.
    pub of_network: u32,
    /// In all.
    pub in_all: u32,
    /// A person who was asked about one since then may be deciding now.
    pub asked_since: Timestamp,
}

/// OAuth clients.
#[async_trait]
pub trait ClientRepository: Send + Sync {
    /// Adds or (same identifier) replaces name, redirects and `created_at` of a client.
    async fn put_client(&self, client: &Client) -> Result<(), StoreError>;
    /// By identifier.
    async fn find_client(&self, id: &ClientId) -> Result<Option<Client>, StoreError>;
    /// Adds a client that was registered from `network` (empty if unknown). Where there are too many that no user ever
    /// consented to, one makes room: the oldest of this network, or else the oldest of the network that has most. Those
    /// that a person is asked about go last.
    async fn register_client(
        &self,
        client: &Client,
        network: &str,
        bounds: &ClientBounds,
    ) -> Result<(), StoreError>;
    /// A person who is signed in is asked about this client. Nothing is noted of one that somebody consented to.
    async fn note_asked(&self, client: &ClientId, now: Timestamp) -> Result<(), StoreError>;
    /// Removes registered clients made before `made_before` that no user ever consented to nor was asked about since
    /// `asked_since`; returns how many.
    async fn sweep_clients(
        &self,
        made_before: Timestamp,
        asked_since: Timestamp,
    ) -> Result<usize, StoreError>;
}
