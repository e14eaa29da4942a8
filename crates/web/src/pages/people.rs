//! `/admin/people`: who may sign in here. Administrators see that people exist, never their mail.

mod page;

pub(crate) use page::PeoplePage;

use crate::{
    error::WebError,
    page::Problem,
    resource::see_other,
    session::{SignedIn, Submitted, query},
    state::WebState,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use imapmcp_core::{form::Parameters, id::UserId, secret::ExposeSecret};
use imapmcp_oauth_server::{PasswordOffer, PeopleError};
use page::Offer;

const PAGE: &str = "/admin/people";

/// What an act leads to.
enum Done {
    /// Back to the page, which says so.
    Said(&'static str),
    /// A link, shown once.
    Offered(Offer),
}

/// `GET`. For others than administrators there is no such page.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = administrator(SignedIn::of(&state, &request).await?)?;
    let notice = match query(&request).first("notice") {
        "withdrawn" => "withdrawn",
        "disabled" => "disabled",
        "enabled" => "enabled",
        "administrator" => "administrator",
        "user" => "user",
        "removed" => "removed",
        _ => "",
    };
    let mut page = PeoplePage::new(&state, &signed_in).await?;
    page.notice = notice;
    state.page(StatusCode::OK, &signed_in.visitor, "people", &page).await
}

/// `POST /admin/people` with `csrf`, `act` (`invite`, `withdraw`), `email`, `admin`.
pub(super) async fn invite(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = acting(&state, &request, &body).await?;
    let email = form.first("email").trim();
    let done = if form.first("act") == "withdraw" {
        state.server.withdraw_invitation(email).await?;
        Ok(Done::Said("withdrawn"))
    } else {
        let offer = state.server.invite(email, form.first("admin") == "yes").await;
        offer.map(|offer| offered(&offer, email, true))
    };
    answer(&state, &signed_in, done).await
}

/// `POST /admin/people/{id}` with `csrf`, `act` (`reset`, `disable`, `enable`, `administrator`, `user`, `remove`), and for
/// `remove` the address once more as `confirm`.
pub(super) async fn act(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = acting(&state, &request, &body).await?;
    let id: UserId = id.parse().map_err(|_| WebError::NotFound)?;
    let everybody = state.server.everybody().await?;
    let person = everybody.into_iter().find(|person| person.user.id == id).ok_or(WebError::NotFound)?;
    let server = &state.server;
    let done = match form.first("act") {
        "reset" => server.offer_reset(&id).await.map(|offer| offered(&offer, &person.user.email, false)),
        "disable" => server.disable(&id).await.map(|()| Done::Said("disabled")),
        "enable" => server.enable(&id).await.map(|()| Done::Said("enabled")),
        "administrator" => server.set_administrator(&id, true).await.map(|()| Done::Said("administrator")),
        "user" => server.set_administrator(&id, false).await.map(|()| Done::Said("user")),
        "remove" if form.first("confirm").trim().eq_ignore_ascii_case(&person.user.email) => {
            let accounts = state.accounts.list(&id).await?;
            let removed = server.remove(&id).await;
            if removed.is_ok() {
                for account in &accounts {
                    state.accounts.close(&account.id);
                }
            }
            removed.map(|()| Done::Said("removed"))
        }
        "remove" => {
            let text = format!("To remove {0}, type {0}. Nothing was changed.", person.user.email);
            return problem(&state, &signed_in, Problem::new("The address was not typed", text)).await;
        }
        _ => return Err(WebError::BadRequest("This form is not known.")),
    };
    answer(&state, &signed_in, done).await
}

fn offered(offer: &PasswordOffer, email: &str, is_invitation: bool) -> Done {
    let link = offer.link.expose_secret().to_owned();
    Done::Offered(Offer::new(link, email, is_invitation, offer.expires_at))
}

async fn answer(
    state: &WebState,
    signed_in: &SignedIn,
    done: Result<Done, PeopleError>,
) -> Result<HttpResponse, WebError> {
    let refused = match done {
        Ok(Done::Said(notice)) => return Ok(see_other(&format!("{PAGE}?notice={notice}"))),
        Ok(Done::Offered(offer)) => {
            let mut page = PeoplePage::new(state, signed_in).await?;
            page.offer = Some(offer);
            return state.page(StatusCode::OK, &signed_in.visitor, "people", &page).await;
        }
        Err(PeopleError::Closed) => Problem::new(
            "Sign-up is closed on this server",
            "To invite people, its operator sets IMAPMCP_SIGN_UP to invite. Nothing was changed.",
        ),
        Err(PeopleError::Email) => {
            Problem::new("That is not an e-mail address", "It looks like marie@example.org.")
        }
        Err(PeopleError::Taken) => Problem::new(
            "There is a user with that address",
            "Make a reset link if they forgot their password.",
        ),
        Err(PeopleError::LastAdministrator) => Problem::new(
            "The last administrator stays",
            "Somebody has to look after this server: make another user an administrator first.",
        ),
        Err(PeopleError::Unknown) => return Err(WebError::NotFound),
        Err(PeopleError::Store(error)) => return Err(error.into()),
        Err(error @ (PeopleError::Link | PeopleError::Password(_) | PeopleError::NotRecent)) => {
            return Err(WebError::Internal(error.into()));
        }
    };
    problem(state, signed_in, refused).await
}

async fn problem(state: &WebState, signed_in: &SignedIn, problem: Problem) -> Result<HttpResponse, WebError> {
    let mut page = PeoplePage::new(state, signed_in).await?;
    page.problem = Some(problem);
    state.page(StatusCode::UNPROCESSABLE_ENTITY, &signed_in.visitor, "people", &page).await
}

fn administrator(signed_in: SignedIn) -> Result<SignedIn, WebError> {
    let is_admin = signed_in.visitor.user.as_ref().is_some_and(|user| user.is_admin);
    if is_admin { Ok(signed_in) } else { Err(WebError::NotFound) }
}

/// An administrator who gave their password within the last five minutes.
async fn acting(
    state: &WebState,
    request: &HttpRequest,
    body: &Bytes,
) -> Result<(SignedIn, Parameters), WebError> {
    let (signed_in, form) = Submitted::signed_in(state, request, body).await?;
    let signed_in = administrator(signed_in)?;
    if !state.server.is_recent(signed_in.visitor.session()?) {
        return Err(WebError::SignInAgain { next: PAGE.to_owned() });
    }
    Ok((signed_in, form))
}
