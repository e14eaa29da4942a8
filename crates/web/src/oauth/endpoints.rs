//! Token, revocation, registration.

use crate::{
    address::{self, network},
    session::is_form,
    state::WebState,
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::{Bytes, Data},
};
use imapmcp_core::form::Parameters;
use imapmcp_oauth_server::{Guess, OAuthError, Registration, TooMany, basic_credentials, error};
use serde::Serialize;
use std::net::IpAddr;

/// `POST /oauth/token`.
pub(super) async fn token(state: Data<WebState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let from = Stranger::of(&state, &request);
    let answer = async {
        let parameters = form(&request, &body)?;
        from.may_look()?;
        Ok(state.server.token(&parameters, from.authorization).await?)
    };
    from.finish(StatusCode::OK, answer.await)
}

/// `POST /oauth/revoke`.
pub(super) async fn revoke(state: Data<WebState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let from = Stranger::of(&state, &request);
    let answer = async {
        let parameters = form(&request, &body)?;
        from.may_look()?;
        if !state.server.revoke(&parameters, from.authorization).await? {
            from.wrong()?;
        }
        Ok(())
    };
    match answer.await {
        // RFC 7009 §2.2: the body is of no interest.
        Ok(()) => private(StatusCode::OK).finish(),
        Err(refusal) => from.refuse(refusal),
    }
}

/// `POST /oauth/register`.
pub(super) async fn register(state: Data<WebState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let from = Stranger::of(&state, &request);
    // where anybody may register, one network must not use up the room for all
    let open = state.server.config().registration == Registration::Open;
    let network = from.address.map(network).filter(|_| open);
    if network.is_some_and(|network| state.registrations.check_key(&network).is_err()) {
        return from.refuse(error::TOO_MANY_CLIENTS.into());
    }
    let answer = state.server.register(&body, from.authorization, from.address).await;
    from.finish(StatusCode::CREATED, answer.map_err(Refusal::from))
}

/// Whoever asks, before anything is known of them but where they are.
struct Stranger<'a> {
    state: &'a WebState,
    address: Option<IpAddr>,
    /// Value of the `Authorization` header.
    authorization: Option<&'a str>,
}

/// An error, and when to come back.
struct Refusal {
    error: OAuthError,
    retry_after: u32,
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self { error, retry_after: 5 }
    }
}

impl From<TooMany> for Refusal {
    fn from(TooMany { retry_after }: TooMany) -> Self {
        Self { error: error::TOO_MANY_GUESSES, retry_after }
    }
}

impl<'a> Stranger<'a> {
    fn of(state: &'a WebState, request: &'a HttpRequest) -> Self {
        let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        Self { state, address: address::of(request, &state.trusted_proxies), authorization }
    }

    fn may_look(&self) -> Result<(), TooMany> {
        self.state.server.may_look(Guess::Token, self.address)
    }

    fn wrong(&self) -> Result<(), TooMany> {
        self.state.server.wrong(Guess::Token, self.address)
    }

    fn finish(&self, status: StatusCode, answer: Result<impl Serialize, Refusal>) -> HttpResponse {
        match answer {
            Ok(answer) => private(status).json(answer),
            Err(refusal) => self.refuse(refusal),
        }
    }

    fn refuse(&self, mut refusal: Refusal) -> HttpResponse {
        if refusal.error.is_wrong_guess()
            && let Err(too_many) = self.wrong()
        {
            refusal = too_many.into();
        }
        let Refusal { error, retry_after } = refusal;
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = private(status);
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            response.insert_header((RETRY_AFTER, retry_after.to_string()));
        }
        if error == error::REGISTRATION_NEEDS_TOKEN {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        // RFC 6749 §5.2: whoever tried to authenticate by the header is told by which scheme that is done
        if status == StatusCode::UNAUTHORIZED
            && self.authorization.is_some_and(|it| basic_credentials(it).is_some())
        {
            response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"imapmcp\""));
        }
        response.json(error)
    }
}

fn form(request: &HttpRequest, body: &Bytes) -> Result<Parameters, OAuthError> {
    if is_form(request) { Ok(Parameters::parse(body)) } else { Err(error::NOT_A_FORM) }
}

/// RFC 6749 §5.1: nothing of this is kept by anybody on the way.
fn private(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    response
}
