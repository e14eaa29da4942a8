//! Who may call.

use async_trait::async_trait;
use imapmcp_core::{oauth::Principal, permission::Permission};
use imapmcp_oauth_server::{AuthorizationServer, BearerError, Challenge};
use std::{net::IpAddr, sync::Arc};

/// Why a request is turned away before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 401 with this WWW-Authenticate value.
    Unauthorized(String),
    /// 429: this network presents one bad token after the other; the seconds to wait.
    TooMany(u32),
    /// 503: the token cannot be checked now (never 401, a client would drop its tokens).
    Unavailable,
}

/// Admits callers. The product's gate is [`BearerGate`]; the conformance fixture has one that admits everybody.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Who calls the resource at `path` from `address`, given the Authorization header.
    async fn admit(
        &self,
        authorization: Option<&str>,
        path: &str,
        address: Option<IpAddr>,
    ) -> Result<Principal, Refusal>;
    /// The WWW-Authenticate value that asks for one permission more.
    fn step_up(&self, path: &str, principal: &Principal, missing: Permission) -> String;
}

/// Bearer tokens of our own authorization server.
pub struct BearerGate(pub Arc<AuthorizationServer>);

#[async_trait]
impl Gate for BearerGate {
    async fn admit(
        &self,
        authorization: Option<&str>,
        path: &str,
        address: Option<IpAddr>,
    ) -> Result<Principal, Refusal> {
        self.0.authenticate(authorization, path, address).await.map_err(|error| match error {
            BearerError::Missing => Refusal::Unauthorized(self.0.challenge(path, Challenge::Missing)),
            BearerError::Invalid => Refusal::Unauthorized(self.0.challenge(path, Challenge::Invalid)),
            BearerError::TooMany { retry_after } => Refusal::TooMany(retry_after),
            BearerError::Unavailable => Refusal::Unavailable,
        })
    }

    fn step_up(&self, path: &str, principal: &Principal, missing: Permission) -> String {
        self.0.step_up(path, principal, missing)
    }
}
