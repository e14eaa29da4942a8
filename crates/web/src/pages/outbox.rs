//! `/outbox`: what waits, what is tried again, what nobody can know, and what left lately; `/outbox/{id}`: one message,
//! whole.

mod preview;
mod row;

pub(crate) use preview::frame;

use crate::{
    error::WebError,
    page::{Page, Template, template},
    resource::see_other,
    security_headers::content_security_policy,
    session::{SignedIn, Submitted, query},
    state::WebState,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, HeaderValue},
    },
    web::{Bytes, Data, Path},
};
use imapmcp_core::{
    id::{OutboxId, UserId},
    outbox::OutboxState,
};
use imapmcp_delivery::{CancelOutcome, HandOutcome, Listing, ListingPage, OutboxView, ReleaseOutcome};
use preview::{PreviewRow, found};
use row::{Names, Row};
use serde::Serialize;

/// Messages on a page, and ended ones below the first.
const ON_A_PAGE: u32 = 50;
const RECENT: u32 = 20;
/// Octets of a message that a list shows whole; a longer one has a page of its own.
const IN_A_LIST: usize = 64 * 1024;

/// What can be said of the last decision.
const NOTICES: [&str; 10] =
    ["released", "cancelled", "stopped", "late", "found", "absent", "arrived", "again", "now", "unread"];

/// `pages/outbox.html`.
#[derive(Debug, Serialize)]
pub(crate) struct OutboxPage {
    /// Wait for the user's approval.
    waiting: Vec<Row>,
    /// Leave by themselves within minutes.
    soon: Vec<Row>,
    /// Leave by themselves: later times, retries, copies.
    open: Vec<Row>,
    /// Nobody can tell whether they left.
    unknown: Vec<Row>,
    /// Ended.
    recent: Vec<Row>,
    /// Whether several can be stopped at once.
    stoppable: bool,
    /// Where the open ones go on, and the ended ones.
    more: String,
    more_ended: String,
    /// This is a later page.
    later: bool,
    /// Only what ended is listed.
    ended: bool,
    /// One of [`NOTICES`] or nothing.
    notice: &'static str,
}

/// `pages/outbox-entry.html`.
#[derive(Debug, Serialize)]
pub(crate) struct OutboxEntryPage {
    row: Row,
}

impl Page for OutboxPage {
    const TEMPLATE: Template = template!("pages/outbox.html");

    fn sample() -> Self {
        Self {
            waiting: vec![Row::sample("Waiting for you")],
            unknown: vec![Row::sample("Outcome unknown")],
            soon: vec![Row::sample("Undo window")],
            open: vec![Row::sample("Will retry")],
            recent: vec![Row::sample("Sent")],
            stoppable: true,
            more: "0.1.out_sample".to_owned(),
            more_ended: "0.1.out_sample".to_owned(),
            later: true,
            ended: false,
            notice: "released",
        }
    }
}

impl Page for OutboxEntryPage {
    const TEMPLATE: Template = template!("pages/outbox-entry.html");

    fn sample() -> Self {
        Self { row: Row::sample("Waiting for you") }
    }
}

/// `GET /outbox` with `before` (where an earlier page ended) and `show=ended`.
pub(super) async fn show(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let user = &signed_in.user;
    let query = query(&request);
    let cursor = Some(query.first("before")).filter(|cursor| !cursor.is_empty());
    let (ended, later, notice) = (query.first("show") == "ended", cursor.is_some(), query.first("notice"));
    let mut page = OutboxPage {
        waiting: Vec::new(),
        soon: Vec::new(),
        open: Vec::new(),
        unknown: Vec::new(),
        recent: Vec::new(),
        stoppable: false,
        more: String::new(),
        more_ended: String::new(),
        later,
        ended,
        notice: NOTICES.into_iter().find(|known| *known == notice).unwrap_or(""),
    };
    let mut open = ListingPage::default();
    if !ended {
        open = state.delivery.list_page(user, Listing::Open, ON_A_PAGE, cursor).await?;
        page.more = open.next.clone().unwrap_or_default();
        page.stoppable = open.iter().filter(|view| view.cancellable).count() > 1;
    }
    let mut recent = Vec::new();
    if ended || !later {
        let (limit, cursor) = if ended { (ON_A_PAGE, cursor) } else { (RECENT, None) };
        let listed = state.delivery.list_page(user, Listing::Ended, limit, cursor).await?;
        page.more_ended = listed.next.unwrap_or_default();
        recent = listed.entries;
    }
    let names = names(&state, user, open.iter().chain(&recent)).await?;
    for (number, view) in open.iter().enumerate() {
        let mut row = names.row(view);
        if view.cancellable && number < 2 * ON_A_PAGE as usize {
            read(&state, user, view, IN_A_LIST, &mut row).await?;
        }
        match view.state {
            OutboxState::PendingApproval => page.waiting.push(row),
            OutboxState::Unknown => page.unknown.push(row),
            _ if number < open.soon.len() => page.soon.push(row),
            _ => page.open.push(row),
        }
    }
    page.recent = recent.iter().map(|view| names.row(view)).collect();
    framed(state.page(StatusCode::OK, &signed_in.visitor, "outbox", &page).await?)
}

/// `GET /outbox/{id}`.
pub(super) async fn entry(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let signed_in = SignedIn::of(&state, &request).await?;
    let user = &signed_in.user;
    let view = found(&state, user, &id).await?;
    let mut row = names(&state, user, [&view]).await?.row(&view);
    read(&state, user, &view, usize::MAX, &mut row).await?;
    framed(state.page(StatusCode::OK, &signed_in.visitor, "outbox", &OutboxEntryPage { row }).await?)
}

/// What the rows of these messages refer to.
async fn names(
    state: &WebState,
    user: &UserId,
    views: impl IntoIterator<Item = &OutboxView>,
) -> Result<Names, WebError> {
    let accounts = state.accounts.list(user).await?;
    let connections = state.server.connections(user).await?;
    let mut grants: Vec<_> = views.into_iter().map(|view| view.grant.clone()).collect();
    grants.sort();
    grants.dedup();
    let clients = state.server.client_names(user, &grants).await?;
    Ok(Names::new(&accounts, &connections, clients, state.server.now()))
}

/// Shows what leaves. Only who reads all of it is asked whether it may.
async fn read(
    state: &WebState,
    user: &UserId,
    view: &OutboxView,
    octets: usize,
    row: &mut Row,
) -> Result<(), WebError> {
    let Some(preview) = state.delivery.preview_within(user, view, octets).await? else { return Ok(()) };
    let preview = PreviewRow::from(preview);
    row.release = view.state == OutboxState::PendingApproval && preview.whole;
    if !preview.subject.is_empty() {
        row.subject.clone_from(&preview.subject);
    }
    row.preview = Some(preview);
    Ok(())
}

/// A page that frames pages of ours.
fn framed(mut response: HttpResponse) -> Result<HttpResponse, WebError> {
    let policy = format!("{}; frame-src 'self'", content_security_policy(""));
    let policy = HeaderValue::from_str(&policy).map_err(|error| WebError::Internal(error.into()))?;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

fn by_hand(outcome: Option<HandOutcome>, done: &'static str) -> Result<&'static str, WebError> {
    match outcome.ok_or(WebError::NotFound)? {
        HandOutcome::Done(_) => Ok(done),
        HandOutcome::TooLate(_) => Ok("late"),
    }
}

/// `POST /outbox` with `csrf` and `do=stop`: stops everything that can still be stopped.
pub(super) async fn act_on_all(
    state: Data<WebState>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    if form.first("do") != "stop" {
        return Err(WebError::BadRequest("Choose what to do with the messages."));
    }
    let stopped = state.delivery.cancel_all(&signed_in.user).await?;
    Ok(see_other(if stopped > 0 { "/outbox?notice=stopped" } else { "/outbox?notice=late" }))
}

/// `POST /outbox/{id}` with `csrf` and `do` (`release`, `cancel`; `look`, `arrived`, `again` for what nobody knows of; `now`
/// for what is tried again later).
pub(super) async fn act(
    state: Data<WebState>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, WebError> {
    let (signed_in, form) = Submitted::signed_in(&state, &request, &body).await?;
    let id: OutboxId = id.parse().map_err(|_| WebError::NotFound)?;
    let user = &signed_in.user;
    let notice = match form.first("do") {
        "release" => release(&state, user, &id).await?,
        "cancel" => match state.delivery.cancel(user, &id).await?.ok_or(WebError::NotFound)? {
            CancelOutcome::Cancelled => "cancelled",
            CancelOutcome::TooLate(_) => "late",
        },
        "look" => match state.delivery.look_again(user, &id).await?.ok_or(WebError::NotFound)? {
            HandOutcome::Done(OutboxState::Unknown) => "absent",
            HandOutcome::Done(_) => "found",
            HandOutcome::TooLate(_) => "late",
        },
        "arrived" => by_hand(state.delivery.arrived(user, &id).await?, "arrived")?,
        "again" => by_hand(state.delivery.send_again(user, &id).await?, "again")?,
        "now" => by_hand(state.delivery.retry_now(user, &id).await?, "now")?,
        _ => return Err(WebError::BadRequest("Choose what to do with the message.")),
    };
    Ok(see_other(&format!("/outbox?notice={notice}")))
}

/// Lets a message go; one that no page can show whole stays.
async fn release(state: &WebState, user: &UserId, id: &OutboxId) -> Result<&'static str, WebError> {
    let view = state.delivery.find(user, id).await?.ok_or(WebError::NotFound)?;
    if view.state == OutboxState::PendingApproval {
        let preview = state.delivery.preview_within(user, &view, usize::MAX).await?;
        if preview.is_none_or(|preview| preview.shown.cut) {
            return Ok("unread");
        }
    }
    Ok(match state.delivery.release(user, id).await?.ok_or(WebError::NotFound)? {
        ReleaseOutcome::Released => "released",
        ReleaseOutcome::NotHeld(_) => "late",
    })
}
