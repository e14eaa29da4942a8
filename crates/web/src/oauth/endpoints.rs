//! Token, revocation, registration.

use crate::{session::is_form, state::WebState};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::{Bytes, Data},
};
use imapmcp_oauth_server::{OAuthError, Parameters, error};
use serde::Serialize;

/// `POST /oauth/token`.
pub(super) async fn token(state: Data<WebState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let answer = match form(&request, &body) {
        Ok(parameters) => state.server.token(&parameters).await,
        Err(error) => Err(error),
    };
    finish(StatusCode::OK, answer)
}

/// `POST /oauth/revoke`.
pub(super) async fn revoke(state: Data<WebState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let answer = match form(&request, &body) {
        Ok(parameters) => state.server.revoke(&parameters).await,
        Err(error) => Err(error),
    };
    match answer {
        // RFC 7009 §2.2: the body is of no interest.
        Ok(()) => private(StatusCode::OK).finish(),
        Err(error) => refusal(error),
    }
}

/// `POST /oauth/register`.
pub(super) async fn register(state: Data<WebState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    // anybody may register, so one network cannot use up the room for all (the cap on clients never used)
    let network = crate::address::of(&request, &state.trusted_proxies).map(crate::address::network);
    if network.is_some_and(|network| state.registrations.check_key(&network).is_err()) {
        return refusal(error::TOO_MANY_CLIENTS);
    }
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    finish(StatusCode::CREATED, state.server.register(&body, authorization).await)
}

fn form(request: &HttpRequest, body: &Bytes) -> Result<Parameters, OAuthError> {
    // RFC 6749 §5.2: whoever tries to authenticate by the header is told which schemes there are, and there is none
    let scheme = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    if scheme.and_then(|value| value.get(..5)).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")) {
        return Err(error::NO_CLIENT_SECRETS);
    }
    if is_form(request) { Ok(Parameters::parse(body)) } else { Err(error::NOT_A_FORM) }
}

fn finish(status: StatusCode, answer: Result<impl Serialize, OAuthError>) -> HttpResponse {
    match answer {
        Ok(answer) => private(status).json(answer),
        Err(error) => refusal(error),
    }
}

fn refusal(error: OAuthError) -> HttpResponse {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = private(status);
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        response.insert_header((RETRY_AFTER, "5"));
    }
    if error == error::REGISTRATION_NEEDS_TOKEN {
        response.insert_header((WWW_AUTHENTICATE, "Bearer"));
    }
    if error == error::NO_CLIENT_SECRETS {
        response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"imapmcp\""));
    }
    response.json(error)
}

/// RFC 6749 §5.1: nothing of this is kept by anybody on the way.
fn private(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    response
}
