//! The token endpoint (RFC 6749 §3.2). Order of checks: look up, client, redirect, PKCE, resource, then spend; a try
//! that fails spends and revokes nothing. What a replay means is the repository's promise.

use crate::{
    AuthorizationServer,
    error::{
        INVALID_CODE, INVALID_REFRESH_TOKEN, INVALID_TARGET, MISSING_CODE, MISSING_GRANT_TYPE,
        MISSING_REFRESH_TOKEN, MISSING_VERIFIER, OAuthError, UNSUPPORTED_GRANT_TYPE, WIDER_SCOPE,
        WRONG_REDIRECT, WRONG_VERIFIER,
    },
    pkce,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::{
    form::Parameters,
    id::TokenId,
    oauth::{Exchange, Grant, Issue, Salt, TokenKind},
    permission::Permissions,
    secret::TokenHash,
    time::Timestamp,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Access tokens live at most this long.
const ACCESS_SECONDS: i64 = 3600;
/// A refresh token lapses this long after it was made, and never outlives its grant.
const REFRESH_SECONDS: i64 = 30 * 24 * 3600;

/// RFC 6749 §5.1. No `Debug`: it carries tokens.
#[derive(Serialize)]
pub struct TokenResponse {
    /// `ima_` and 43 characters.
    pub access_token: String,
    token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    /// `imr_` and 43 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// What the user granted, which may be less than was asked for.
    pub scope: String,
}

/// What follows from a refresh token. Whoever presents it again within the grace is given the same, and never a second
/// chain beside the first (RFC 9700 §4.14.2): made of the token, which is not stored, and of a random salt, which says
/// nothing without it.
fn successor(kind: u8, salt: &Salt, presented: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update([kind]).chain_update(presented).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// Fresh tokens: what the client gets, and what is stored.
struct Fresh {
    access: String,
    refresh: Option<String>,
    issue: Issue,
}

impl AuthorizationServer {
    /// Answers `POST /oauth/token`. `authorization` is the value of the request's `Authorization` header. To be sent with
    /// `Cache-Control: no-store` (RFC 6749 §5.1).
    pub async fn token(
        &self,
        parameters: &Parameters,
        authorization: Option<&str>,
    ) -> Result<TokenResponse, OAuthError> {
        match parameters.one("grant_type")? {
            Some("authorization_code") => self.exchange_code(parameters, authorization).await,
            Some("refresh_token") => self.refresh(parameters, authorization).await,
            Some(_) => Err(UNSUPPORTED_GRANT_TYPE),
            None => Err(MISSING_GRANT_TYPE),
        }
    }

    async fn exchange_code(
        &self,
        parameters: &Parameters,
        authorization: Option<&str>,
    ) -> Result<TokenResponse, OAuthError> {
        let presented = parameters.one("code")?.ok_or(MISSING_CODE)?;
        let verifier = parameters.one("code_verifier")?.ok_or(MISSING_VERIFIER)?;
        let redirect_uri = parameters.one("redirect_uri")?;
        let client = self.client(parameters, authorization).await?;

        let hash = TokenHash::of(presented);
        let code = self.stores.exchanges.find_code(&hash).await?.ok_or(INVALID_CODE)?;
        if code.client != client.id {
            return Err(INVALID_CODE);
        }
        // OAuth 2.1 §4.1.3 dropped the parameter in favour of PKCE; sent, it must be right (RFC 6749 §4.1.3).
        if redirect_uri.is_some_and(|uri| uri != code.redirect_uri) {
            return Err(WRONG_REDIRECT);
        }
        if !pkce::verify(verifier, &code.code_challenge) {
            return Err(WRONG_VERIFIER);
        }
        self.check_resource(parameters, &code.resource)?;

        let now = self.now();
        let fresh = self.fresh(now, code.offline);
        match self.stores.exchanges.spend_code(&hash, &fresh.issue, now).await? {
            Exchange::Issued(grant) => Ok(answer(fresh, &grant, now)),
            Exchange::Invalid | Exchange::Repeated { .. } => Err(INVALID_CODE),
            Exchange::Replayed => {
                self.callers.forget_all();
                tracing::warn!(client = %client.id, "an authorization code was replayed; its grant is revoked");
                Err(INVALID_CODE)
            }
        }
    }

    async fn refresh(
        &self,
        parameters: &Parameters,
        authorization: Option<&str>,
    ) -> Result<TokenResponse, OAuthError> {
        let presented = parameters.one("refresh_token")?.ok_or(MISSING_REFRESH_TOKEN)?;
        let client = self.client(parameters, authorization).await?;

        let now = self.now();
        let hash = TokenHash::of(presented);
        let found = self.stores.tokens.find_token(&hash, now).await?.ok_or(INVALID_REFRESH_TOKEN)?;
        if found.token.kind != TokenKind::Refresh || found.grant.client != client.id {
            return Err(INVALID_REFRESH_TOKEN);
        }
        self.check_resource(parameters, &found.grant.resource)?;
        // RFC 6749 §6: no scope beyond what was granted. A narrower one is answered with the whole, named in `scope`.
        if let Some(scope) = parameters.one("scope")? {
            let wanted = Permissions::from_scope(scope);
            if wanted.intersect(found.grant.permissions) != wanted {
                return Err(WIDER_SCOPE);
            }
        }

        let mut salt = Salt::default();
        self.entropy.fill(&mut salt);
        let fresh = self.follow(presented, &salt, now.plus_seconds(ACCESS_SECONDS), now);
        match self.stores.exchanges.rotate(&hash, &fresh.issue, &salt, now).await? {
            Exchange::Issued(grant) => Ok(answer(fresh, &grant, now)),
            Exchange::Repeated { grant, salt, access_expires_at } => {
                Ok(answer(self.follow(presented, &salt, access_expires_at, now), &grant, now))
            }
            Exchange::Invalid => Err(INVALID_REFRESH_TOKEN),
            Exchange::Replayed => {
                self.callers.forget_all();
                tracing::warn!(client = %client.id, "a refresh token was replayed; its grant is revoked");
                Err(INVALID_REFRESH_TOKEN)
            }
        }
    }

    fn check_resource(&self, parameters: &Parameters, bound: &str) -> Result<(), OAuthError> {
        match self.requested_resource(parameters)? {
            Some(requested) if requested != bound => Err(INVALID_TARGET),
            _ => Ok(()),
        }
    }

    fn fresh(&self, now: Timestamp, with_refresh: bool) -> Fresh {
        let refresh = with_refresh.then(|| self.secret());
        self.issue(&self.secret(), refresh.as_deref(), now.plus_seconds(ACCESS_SECONDS), now)
    }

    fn follow(&self, presented: &str, salt: &Salt, lapses: Timestamp, now: Timestamp) -> Fresh {
        let made = |kind| successor(kind, salt, presented);
        self.issue(&made(b'a'), Some(&made(b'r')), lapses, now)
    }

    fn issue(&self, access: &str, refresh: Option<&str>, lapses: Timestamp, now: Timestamp) -> Fresh {
        let access = format!("ima_{access}");
        let refresh = refresh.map(|refresh| format!("imr_{refresh}"));
        let issue = Issue {
            access_id: TokenId::random(&*self.entropy),
            access: TokenHash::of(&access),
            access_expires_at: lapses,
            refresh: refresh
                .as_deref()
                .map(|refresh| (TokenId::random(&*self.entropy), TokenHash::of(refresh))),
            refresh_expires_at: now.plus_seconds(REFRESH_SECONDS),
        };
        Fresh { access, refresh, issue }
    }
}

fn answer(fresh: Fresh, grant: &Grant, now: Timestamp) -> TokenResponse {
    // Tokens die with their grant, so the client is told the earlier of the two.
    let lapses =
        grant.expires_at.map_or(fresh.issue.access_expires_at, |end| end.min(fresh.issue.access_expires_at));
    let left = lapses.seconds() - now.seconds();
    TokenResponse {
        access_token: fresh.access,
        token_type: "Bearer",
        expires_in: left.clamp(0, ACCESS_SECONDS),
        refresh_token: fresh.refresh,
        scope: grant.permissions.to_string(),
    }
}
