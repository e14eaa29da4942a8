use crate::AuthorizationServer;
use imapmcp_core::{store::StoreError, time::Timestamp};

/// Clients that no user consented to within a day are removed.
const UNUSED_CLIENT_SECONDS: i64 = 24 * 3600;
/// But not while somebody may be deciding about them.
const DECIDING_SECONDS: i64 = 3600;

impl AuthorizationServer {
    /// Removes what has lapsed: unused clients, requests, codes, tokens, browser sessions, password links. Returns how many rows.
    /// To be called now and then (hourly) by whoever runs the server; nothing depends on it but disk space.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let made_before = now.plus_seconds(-UNUSED_CLIENT_SECONDS);
        let clients = self.stores.clients.sweep_clients(made_before, self.asked_since()).await?;
        let tokens = self.stores.tokens.sweep_tokens(now).await?;
        let sessions = self.stores.users.sweep_sessions(now, self.idle_since()).await?;
        let links = self.stores.people.sweep_password_links(now).await?;
        Ok(clients + tokens + sessions + links)
    }

    /// Whoever was asked about a client since then may be deciding now.
    pub(crate) fn asked_since(&self) -> Timestamp {
        self.now().plus_seconds(-DECIDING_SECONDS)
    }
}
