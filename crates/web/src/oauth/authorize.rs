//! `GET /oauth/authorize`: checks the request, binds it to the browser session and goes on to the consent page.

use crate::{address, error::WebError, session::query, state::WebState, visitor::Visitor};
use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use imapmcp_oauth_server::{
    AuthorizeError, Guess,
    error::{UNKNOWN_CLIENT, UNUSABLE_DOCUMENT},
};

pub(super) async fn start(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let parameters = query(&request);
    let from = address::of(&request, &state.trusted_proxies);
    state.server.may_look(Guess::Client, from)?;
    let valid = match state.server.authorize(&parameters, from).await {
        Ok(valid) => valid,
        Err(AuthorizeError::Page(error)) => {
            if error == UNKNOWN_CLIENT || error == UNUSABLE_DOCUMENT {
                state.server.wrong(Guess::Client, from)?;
            }
            return Err(WebError::Authorize(error));
        }
        Err(AuthorizeError::TooMany(too_many)) => return Err(too_many.into()),
        Err(AuthorizeError::Redirect(location)) => {
            return Ok(HttpResponse::Found().insert_header((LOCATION, location)).finish());
        }
    };
    let visitor = Visitor::with_session(&state, &request).await?;
    let id = state.server.hold(&valid, visitor.session()?);
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, format!("/oauth/consent?request={id}")));
    if let Some(cookie) = visitor.cookie(state.server.config()) {
        response.cookie(cookie);
    }
    Ok(response.finish())
}
