//! Token revocation (RFC 7009).

use crate::{
    AuthorizationServer,
    error::{MISSING_TOKEN, OAuthError},
};
use imapmcp_core::{form::Parameters, secret::TokenHash};

impl AuthorizationServer {
    /// Answers `POST /oauth/revoke`: ends the whole consent the token rests on (§2.1 lets a refresh token take its
    /// access tokens along). Unknown tokens and those of other clients are no error (§2.2) and change nothing: `false`.
    /// `authorization` is the value of the request's `Authorization` header: a client proves itself here as at the token
    /// endpoint (§2.1).
    pub async fn revoke(
        &self,
        parameters: &Parameters,
        authorization: Option<&str>,
    ) -> Result<bool, OAuthError> {
        let token = parameters.one("token")?.ok_or(MISSING_TOKEN)?;
        let client = self.client(parameters, authorization).await?;
        let ended = self.stores.tokens.revoke_token(&TokenHash::of(token), &client.id, self.now()).await?;
        if ended {
            self.callers.forget_all();
        }
        Ok(ended)
    }
}
