//! Bearer tokens at the protected resource (RFC 6750, RFC 9728 §5). At most one repository call a request.

use crate::{AuthorizationServer, Guess, TooMany, metadata::RESOURCE_WELL_KNOWN};
use imapmcp_core::{
    oauth::Principal,
    permission::{Permission, Permissions},
    secret::TokenHash,
};
use std::{fmt::Write, net::IpAddr};

/// Longer tokens are not ours.
const MAX_TOKEN: usize = 256;

/// Why a request has no principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// No bearer token was sent: 401 with [`Challenge::Missing`].
    #[error("no bearer token")]
    Missing,
    /// Unknown, lapsed, ended, or for another resource: 401 with [`Challenge::Invalid`].
    #[error("the bearer token is not valid")]
    Invalid,
    /// This network presents one bad token after the other: 429.
    #[error("too many bearer tokens that are not valid")]
    TooMany {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// The store did not answer: 503, never 401, on which a client would drop its tokens.
    #[error("the token cannot be checked now")]
    Unavailable,
}

impl From<TooMany> for BearerError {
    fn from(TooMany { retry_after }: TooMany) -> Self {
        Self::TooMany { retry_after }
    }
}

/// What the resource asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// 401: a token. No `error` member (RFC 6750 §3.1).
    Missing,
    /// 401: another token.
    Invalid,
    /// 403: a token with these permissions; name every one the call needs.
    InsufficientScope(Permissions),
}

/// The token of an `Authorization` header's value (RFC 6750 §2.1; the scheme's case does not matter).
pub(crate) fn token_of(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl AuthorizationServer {
    /// Who calls. `authorization` is the value of the `Authorization` header, `path` the resource's path (`/mcp`).
    /// A token for any of this server's resources is good at each of them: they are one resource with two addresses.
    /// The answer may be a second old (callers are remembered so long). `address` is the caller's: a network that presents many bad
    /// tokens is told to wait, while good ones of the same network go on being let in.
    pub async fn authenticate(
        &self,
        authorization: Option<&str>,
        path: &str,
        address: Option<IpAddr>,
    ) -> Result<Principal, BearerError> {
        let token = authorization.and_then(token_of).ok_or(BearerError::Missing)?;
        let (hash, now) = (TokenHash::of(token), self.now());
        if token.len() > MAX_TOKEN || self.resource_at(path).is_none() {
            return Err(self.bad_token(address));
        }
        if let Some(principal) = self.callers.find(&hash, now) {
            return Ok(principal);
        }
        self.may_look(Guess::Bearer, address.filter(|_| !self.callers.knows(&hash)))?;
        match self.stores.tokens.principal(&hash, &self.config.resources, now).await {
            Ok(Some(principal)) => {
                self.callers.remember(hash, principal.clone(), now);
                Ok(principal)
            }
            Ok(None) => Err(self.bad_token(address)),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a bearer token could not be checked"
                );
                Err(BearerError::Unavailable)
            }
        }
    }

    fn bad_token(&self, address: Option<IpAddr>) -> BearerError {
        self.wrong(Guess::Bearer, address).err().map_or(BearerError::Invalid, BearerError::from)
    }

    /// The value of `WWW-Authenticate` for the resource at `path`. `scope` names what to ask for: everything but
    /// permanent deletion where nothing in particular is missing, as the user decides what of it to grant.
    pub fn challenge(&self, path: &str, challenge: Challenge) -> String {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut value =
            format!("Bearer resource_metadata=\"{}{RESOURCE_WELL_KNOWN}{path}\"", self.config.issuer);
        let (error, scope) = match challenge {
            Challenge::Missing => (None, Permissions::legacy()),
            Challenge::Invalid => (Some("invalid_token"), Permissions::legacy()),
            Challenge::InsufficientScope(needed) => (Some("insufficient_scope"), needed),
        };
        // Writing into a String cannot fail.
        let _ = write!(value, ", scope=\"{scope}\"");
        if let Some(error) = error {
            let _ = write!(value, ", error=\"{error}\"");
        }
        value
    }

    /// The challenge for one missing permission on top of what the caller has, so that a new consent keeps the old
    /// permissions.
    pub fn step_up(&self, path: &str, principal: &Principal, missing: Permission) -> String {
        let needed = principal.permissions.iter().chain([missing]).collect();
        self.challenge(path, Challenge::InsufficientScope(needed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bearer_scheme_carries_a_token() {
        assert_eq!(token_of("Bearer abc"), Some("abc"));
        assert_eq!(token_of("bearer  abc "), Some("abc"));
        for none in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(token_of(none), None, "{none:?}");
        }
    }
}
