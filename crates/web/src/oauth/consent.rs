//! The consent page: `GET /oauth/consent?request=…` shows, `POST /oauth/consent` decides.

use super::consent_page::ConsentPage;
use crate::{
    error::WebError,
    page::Problem,
    resource::see_other,
    security_headers::content_security_policy,
    session::{SignedIn, Submitted, query},
    state::WebState,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::CONTENT_SECURITY_POLICY},
    web::{Bytes, Data},
};
use imapmcp_core::account::Account;
use imapmcp_oauth_server::{
    Choices, DecideError, PendingConsent,
    redirect::{Destination, destination},
};

/// A request that waits, and the person who is asked.
struct Asked {
    signed_in: SignedIn,
    id: String,
    pending: PendingConsent,
    accounts: Vec<Account>,
}

impl Asked {
    async fn new(state: &WebState, signed_in: SignedIn, id: &str) -> Result<Self, WebError> {
        let pending = state.server.pending(id, signed_in.visitor.session()?).await?;
        let pending = pending.ok_or(WebError::RequestGone)?;
        let accounts = state.accounts.list(&signed_in.user).await?;
        Ok(Self { signed_in, id: id.to_owned(), pending, accounts })
    }

    fn page(&self, state: &WebState, choices: &Choices) -> ConsentPage {
        ConsentPage::new(&self.id, &self.pending, &self.accounts, choices, state.server.now())
    }

    async fn show(
        &self,
        state: &WebState,
        status: StatusCode,
        page: &ConsentPage,
    ) -> Result<HttpResponse, WebError> {
        let mut response = state.page(status, &self.signed_in.visitor, "", page).await?;
        let policy = content_security_policy(&form_targets(&self.pending.request.redirect_uri));
        if let Ok(policy) = policy.parse() {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        Ok(response)
    }
}

/// `GET`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let query = query(&request);
    let asked = Asked::new(&state, signed_in, query.first("request")).await?;
    let local = !matches!(destination(&asked.pending.request.redirect_uri), Destination::Site(_));
    let page = asked.page(&state, &Choices::first(&asked.accounts, local));
    asked.show(&state, StatusCode::OK, &page).await
}

/// `POST` with the fields `csrf`, `request`, `decision` (`allow`, `deny`), and those of [`Choices::submitted`].
pub(super) async fn decide(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let asked = Asked::new(&state, signed_in, form.first("request")).await?;
    let session = asked.signed_in.visitor.session()?;
    match form.first("decision") {
        "deny" => redirect(state.server.deny(&asked.id, session).await),
        "allow" => {
            let choices = Choices::submitted(&form);
            let consent = choices.consent(asked.pending.request.permissions, &asked.accounts);
            match state.server.allow(&asked.id, session, consent).await {
                Err(DecideError::Nothing | DecideError::TooMuch) => {
                    let page = asked.page(&state, &choices).with(nothing(&choices, &asked.accounts));
                    asked.show(&state, StatusCode::UNPROCESSABLE_ENTITY, &page).await
                }
                decided => redirect(decided),
            }
        }
        _ => Err(WebError::BadRequest("Choose Allow or Deny.")),
    }
}

fn nothing(choices: &Choices, accounts: &[Account]) -> Problem {
    if accounts.iter().all(|account| choices.level_of(account.id.as_str()).is_none()) {
        Problem::new(
            "Nothing is allowed yet: no account is ticked",
            "Tick at least one account below, or deny.",
        )
    } else {
        Problem::new("Nothing is allowed yet: choose a level the client asked for", "Or deny.")
    }
}

fn redirect(decision: Result<String, DecideError>) -> Result<HttpResponse, WebError> {
    match decision {
        Ok(location) => Ok(see_other(&location)),
        Err(DecideError::Gone) => Err(WebError::RequestGone),
        Err(DecideError::NotSignedIn) => Err(WebError::SignIn { next: "/".to_owned() }),
        Err(DecideError::Nothing | DecideError::TooMuch) => Err(WebError::BadRequest("Nothing was allowed.")),
        Err(DecideError::Store(error)) => Err(error.into()),
    }
}

/// Where the answer to this page's form may lead, for `form-action`. Chromium applies the directive to every redirect
/// that follows a form, so the client's own redirect and those of its web site after it must be allowed; what the
/// form may be sent to is then wider than needed, but there is one form on the page and its target is fixed.
fn form_targets(redirect_uri: &str) -> String {
    match destination(redirect_uri) {
        Destination::Site(_) => "https:".to_owned(),
        // An IPv6 literal is no host-source (CSP 3 §2.3.1).
        Destination::Loopback { host, .. } if host.starts_with('[') => "http: https:".to_owned(),
        Destination::Loopback { host, port } => format!("http://{host}:{port} https:"),
        Destination::App(scheme) => format!("{scheme}: https:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_may_lead_to_the_client_and_on() {
        assert_eq!(form_targets("https://claude.ai/cb"), "https:");
        assert_eq!(form_targets("http://127.0.0.1:41837/cb"), "http://127.0.0.1:41837 https:");
        assert_eq!(form_targets("http://[::1]:41837/cb"), "http: https:");
        assert_eq!(form_targets("cursor://x/cb"), "cursor: https:");
    }
}
