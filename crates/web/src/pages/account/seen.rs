//! An account, who looks at it, and what becomes of a form on its page.

use super::page::{AccountPage, StyleView};
use crate::{
    error::WebError,
    page::Problem,
    resource::see_other,
    session::{SignedIn, Submitted},
    state::{TooManyTries, WebState},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Bytes};
use imapmcp_core::{account::Account, form::Parameters, id::AccountId};

/// The account, and who looks at it.
pub(super) struct Seen {
    pub(super) signed_in: SignedIn,
    pub(super) account: Account,
    pub(super) page: AccountPage,
}

/// What becomes of a form.
pub(super) enum Next {
    /// It is done: the account's page says so under this name.
    Done(&'static str),
    /// It is done, and the account's page with it: on to this one.
    Leave(&'static str),
    /// The page again, as it is now.
    Show,
    /// The page again, with what is wrong.
    Refuse(StatusCode, Problem),
    /// The page again: too many passwords were tried. The headline says what was not done.
    Wait(TooManyTries, &'static str),
}

impl Next {
    /// What was entered cannot be taken.
    pub(super) fn refuse(title: &str, text: impl Into<String>) -> Self {
        Self::Refuse(StatusCode::UNPROCESSABLE_ENTITY, Problem::new(title, text))
    }
}

impl Seen {
    pub(super) async fn new(state: &WebState, signed_in: SignedIn, id: &str) -> Result<Self, WebError> {
        let id: AccountId = id.parse().map_err(|_| WebError::NotFound)?;
        let account = state.accounts.get(&signed_in.user, &id).await?;
        let recent = state.server.is_recent(signed_in.visitor.session()?);
        let mut page = AccountPage::new(&account, state.server.now(), recent);
        page.style =
            state.styles.all(&signed_in.user).await?.remove(&id).map(|style| StyleView::new(&style.told()));
        Ok(Self { signed_in, account, page })
    }

    /// Goes on only if the user's own password was given within the last five minutes.
    pub(super) fn wants_password(&self) -> Result<(), WebError> {
        if self.page.recent {
            return Ok(());
        }
        Err(WebError::SignInAgain { next: format!("/accounts/{}", self.account.id) })
    }

    pub(super) async fn show(&self, state: &WebState, status: StatusCode) -> Result<HttpResponse, WebError> {
        state.page(status, &self.signed_in.visitor, "accounts", &self.page).await
    }
}

/// Answers a form of the account's page: `act` does what it asks for.
pub(super) async fn act_on(
    state: &WebState,
    request: &HttpRequest,
    id: &str,
    body: &Bytes,
    act: impl AsyncFnOnce(&mut Seen, &Parameters) -> Result<Next, WebError>,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(state, request, body).await?;
    let mut seen = Seen::new(state, signed_in, id).await?;
    match act(&mut seen, &form).await? {
        Next::Done(notice) => Ok(see_other(&format!("/accounts/{}?notice={notice}", seen.account.id))),
        Next::Leave(location) => Ok(see_other(location)),
        Next::Show => seen.show(state, StatusCode::OK).await,
        Next::Refuse(status, problem) => {
            seen.page.problem = Some(problem);
            seen.show(state, status).await
        }
        Next::Wait(wait, title) => {
            seen.page.problem = Some(wait.problem(title));
            Ok(wait.mark(seen.show(state, StatusCode::TOO_MANY_REQUESTS).await?))
        }
    }
}
