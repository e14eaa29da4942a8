//! The user's decision about an authorization request.

use crate::{
    AuthorizationServer, authorize::Held, clean_name, documents::seen, error::ACCESS_DENIED, redirect,
};
use imapmcp_core::{
    id::GrantId,
    oauth::{AccountScope, AuthorizationCode, AuthorizationRequest, Client, ClientKind, Grant, SendPolicy},
    permission::Permissions,
    secret::TokenHash,
    store::StoreError,
    user::BrowserSession,
};

/// Codes live this long: time for one redirect (RFC 6749 §4.1.2 asks for ten minutes at most).
const CODE_SECONDS: i64 = 60;

/// A request that waits for a decision, and the client that made it.
#[derive(Debug, Clone)]
pub struct PendingConsent {
    /// The request.
    pub request: AuthorizationRequest,
    /// The client.
    pub client: Client,
    /// The client's metadata document names other redirects than when somebody here last consented to it.
    pub changed: bool,
}

/// How long a consent lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// 24 hours.
    Day,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
    /// Until the user ends it.
    Unlimited,
}

impl Lifetime {
    /// From the shortest to the longest.
    pub const ALL: [Self; 4] = [Self::Day, Self::Month, Self::Quarter, Self::Unlimited];

    /// What the form's field `expiry` says.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::Unlimited => "never",
        }
    }

    pub(crate) fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lifetime| lifetime.value() == value)
    }

    const fn seconds(self) -> Option<i64> {
        match self {
            Self::Day => Some(24 * 3600),
            Self::Month => Some(30 * 24 * 3600),
            Self::Quarter => Some(90 * 24 * 3600),
            Self::Unlimited => None,
        }
    }
}

/// What the user allows.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Within what was requested; what any of the accounts allows.
    pub permissions: Permissions,
    /// At least one, each within `permissions`. That they are the user's own is for the caller to see to.
    pub accounts: AccountScope,
    /// How messages leave, at the soonest.
    pub send_policy: SendPolicy,
    /// For how long.
    pub lifetime: Lifetime,
}

/// Why a decision was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Unknown, lapsed, already decided, or another session's: the same answer.
    #[error("the request is no longer there")]
    Gone,
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// No permission or no account; the request stays open.
    #[error("nothing is allowed")]
    Nothing,
    /// More than the client asked for; the request stays open.
    #[error("more than was requested")]
    TooMuch,
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// The request behind the consent page's URL, if it is this session's and still open. A client whose metadata document
    /// says something else by now, or is gone, has to ask anew: what is consented to is what was seen.
    pub async fn pending(
        &self,
        id: &str,
        session: &BrowserSession,
    ) -> Result<Option<PendingConsent>, StoreError> {
        let Some(Held { request, document }) = self.held(id, session) else { return Ok(None) };
        if self.stores.consents.is_decided(&request.hash).await? {
            return Ok(None);
        }
        let stored = self.stores.clients.find_client(&request.client).await?;
        if request.client.is_document() {
            let Ok(client) = self.document_client(&request.client, None).await else { return Ok(None) };
            let changed = stored.is_some_and(|stored| stored.redirect_uris != client.redirect_uris);
            let is_the_same = document == Some(seen(&client));
            return Ok(is_the_same.then_some(PendingConsent { request, client, changed }));
        }
        let Some(client) = stored else { return Ok(None) };
        // strangers can keep no registration by this
        if session.user.is_some()
            && client.used_at.is_none()
            && let Err(error) = self.stores.clients.note_asked(&client.id, self.now()).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "that somebody is asked about a client was not noted");
        }
        Ok(Some(PendingConsent { request, client, changed: false }))
    }

    /// Stores the consent with a fresh code; the result is the client's redirect with `code`, `state` and `iss`.
    pub async fn allow(
        &self,
        id: &str,
        session: &BrowserSession,
        consent: Consent,
    ) -> Result<String, DecideError> {
        let user = session.user.clone().ok_or(DecideError::NotSignedIn)?;
        let PendingConsent { request, client, .. } =
            self.pending(id, session).await?.ok_or(DecideError::Gone)?;
        let no_account = matches!(&consent.accounts, AccountScope::Some(list) if list.is_empty());
        if consent.permissions.is_empty() || no_account {
            return Err(DecideError::Nothing);
        }
        let within = |permissions: Permissions, most| permissions.intersect(most) == permissions;
        let each_within = match &consent.accounts {
            AccountScope::All => true,
            AccountScope::Some(list) => list.iter().all(|one| within(one.permissions, consent.permissions)),
        };
        if !each_within || !within(consent.permissions, request.permissions) {
            return Err(DecideError::TooMuch);
        }
        if client.kind == ClientKind::Document {
            self.stores.clients.put_client(&client).await?;
        }
        let now = self.now();
        let code = self.secret();
        let grant = Grant {
            id: GrantId::random(&*self.entropy),
            user,
            client: client.id.clone(),
            client_name: clean_name(&client.name, 80),
            permissions: consent.permissions,
            accounts: consent.accounts,
            send_policy: consent.send_policy,
            resource: request.resource.clone(),
            created_at: now,
            expires_at: consent.lifetime.seconds().map(|seconds| now.plus_seconds(seconds)),
            revoked_at: None,
            used_at: None,
        };
        let stored = AuthorizationCode {
            hash: TokenHash::of(&code),
            grant: grant.id.clone(),
            client: client.id,
            redirect_uri: request.redirect_uri.clone(),
            code_challenge: request.code_challenge.clone(),
            resource: request.resource.clone(),
            offline: request.offline,
            expires_at: now.plus_seconds(CODE_SECONDS),
            consumed_at: None,
        };
        let consent = Some((&grant, &stored));
        if !self.stores.consents.decide(&request.hash, request.expires_at, consent, now).await? {
            return Err(DecideError::Gone);
        }
        let mut answer = vec![("code", code.as_str())];
        answer.extend(request.state.as_deref().map(|state| ("state", state)));
        answer.push(("iss", &self.config.issuer));
        Ok(redirect::with_answer(&request.redirect_uri, &answer))
    }

    /// Spends the request; the result is the client's redirect with `error=access_denied`, `state` and `iss`.
    pub async fn deny(&self, id: &str, session: &BrowserSession) -> Result<String, DecideError> {
        let Held { request, .. } = self.held(id, session).ok_or(DecideError::Gone)?;
        if !self.stores.consents.decide(&request.hash, request.expires_at, None, self.now()).await? {
            return Err(DecideError::Gone);
        }
        Ok(self.error_redirect(&request.redirect_uri, request.state.as_deref(), ACCESS_DENIED))
    }
}
