//! What `/admin/people` shows.

use crate::{
    error::WebError,
    page::{Page, Problem, Template, initial, template},
    phrases::{ago, ahead},
    session::SignedIn,
    state::WebState,
};
use imapmcp_core::{
    time::Timestamp,
    user::{LinkPurpose, PasswordLink},
};
use imapmcp_oauth_server::{Person, SignUp};
use serde::Serialize;

/// `pages/people.html`.
#[derive(Debug, Serialize)]
pub(crate) struct PeoplePage {
    people: Vec<Row>,
    invitations: Vec<Invitation>,
    /// Whether invitations work on this server.
    invites: bool,
    /// The password was given within the last five minutes.
    recent: bool,
    /// What was just done.
    pub(super) notice: &'static str,
    pub(super) offer: Option<Offer>,
    pub(super) problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    email: String,
    initial: String,
    is_admin: bool,
    is_disabled: bool,
    is_you: bool,
    seen: String,
}

#[derive(Debug, Serialize)]
struct Invitation {
    email: String,
    is_admin: bool,
    lapses: String,
}

/// A link that was just made.
#[derive(Debug, Serialize)]
pub(super) struct Offer {
    link: String,
    email: String,
    is_invitation: bool,
    lapses: String,
}

impl Offer {
    pub(super) fn new(link: String, email: &str, is_invitation: bool, expires_at: Timestamp) -> Self {
        let lapses = crate::phrases::moment(expires_at);
        Self { link, email: email.to_owned(), is_invitation, lapses }
    }
}

impl Row {
    fn new(person: &Person, you: &SignedIn, now: Timestamp) -> Self {
        let Person { user, seen_at } = person;
        Self {
            id: user.id.to_string(),
            email: user.email.clone(),
            initial: initial(&user.email),
            is_admin: user.is_admin,
            is_disabled: user.disabled_at.is_some(),
            is_you: user.id == you.user,
            seen: seen_at
                .map_or_else(|| "not signed in".to_owned(), |at| format!("last seen {}", ago(at, now))),
        }
    }
}

impl Invitation {
    fn new(link: &PasswordLink, now: Timestamp) -> Option<Self> {
        let LinkPurpose::Invitation { email, is_admin } = &link.purpose else { return None };
        let lapses = ahead(link.expires_at, now);
        Some(Self { email: email.clone(), is_admin: *is_admin, lapses })
    }
}

impl PeoplePage {
    pub(super) async fn new(state: &WebState, signed_in: &SignedIn) -> Result<Self, WebError> {
        let now = state.server.now();
        let people = state.server.everybody().await?;
        let invitations = state.server.invitations().await?;
        Ok(Self {
            people: people.iter().map(|person| Row::new(person, signed_in, now)).collect(),
            invitations: invitations.iter().filter_map(|link| Invitation::new(link, now)).collect(),
            invites: state.server.config().sign_up != SignUp::Closed,
            recent: state.server.is_recent(signed_in.visitor.session()?),
            notice: "",
            offer: None,
            problem: None,
        })
    }
}

impl Page for PeoplePage {
    const TEMPLATE: Template = template!("pages/people.html");

    fn sample() -> Self {
        let row = |is_you| Row {
            id: "usr_sample".to_owned(),
            email: "marie@example.org".to_owned(),
            initial: "M".to_owned(),
            is_admin: is_you,
            is_disabled: !is_you,
            is_you,
            seen: "last seen 2 hours ago".to_owned(),
        };
        let invitation = Invitation {
            email: "paul@example.org".to_owned(),
            is_admin: true,
            lapses: "in 3 days".to_owned(),
        };
        let link = "https://mail.example.org/welcome?token=sample".to_owned();
        Self {
            people: vec![row(true), row(false)],
            invitations: vec![invitation],
            invites: true,
            recent: false,
            notice: "disabled",
            offer: Some(Offer::new(link, "paul@example.org", true, Timestamp(1_767_268_800_000))),
            problem: Some(Problem::new("That is not an e-mail address", "It looks like marie@example.org.")),
        }
    }
}
