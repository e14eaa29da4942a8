use crate::AuthorizationServer;
use imapmcp_core::store::StoreError;

/// Clients that no user consented to within a day are removed.
pub(crate) const UNUSED_CLIENT_SECONDS: i64 = 24 * 3600;

impl AuthorizationServer {
    /// Removes what has lapsed: unused clients, requests, codes, tokens, browser sessions. Returns how many rows.
    /// To be called now and then (hourly) by whoever runs the server; nothing depends on it but disk space.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let clients = self.oauth.sweep_clients(now.plus_seconds(-UNUSED_CLIENT_SECONDS)).await?;
        let tokens = self.oauth.sweep_tokens(now).await?;
        let sessions = self.users.sweep_sessions(now, self.idle_since()).await?;
        Ok(clients + tokens + sessions)
    }
}
