//! How people come, change their password, and go.

use crate::{
    browser::{Answer, Browser},
    house::{House, PASSWORD, app},
};
use actix_web::http::StatusCode;
use imapmcp_core::{
    id::{ClientId, UserId},
    oauth::Grant,
    store::{AccountRepository, GrantRepository, PeopleRepository, PersonalTokenRepository, UserRepository},
};
use imapmcp_oauth_server::SignUp;
use imapmcp_testkit::builders;

const NEW: &str = "unrelated words in a row";

impl House {
    /// Marie looks after people.
    async fn with_administrator(sign_up: SignUp) -> Self {
        let house = Self::open_to(sign_up).await;
        let _ = house.database.set_administrator(&builders::user_id("marie"), true).await.unwrap();
        house
    }

    /// A personal token of somebody's.
    async fn connect(&self, user: &UserId, name: &str) -> Grant {
        let grant = builders::grant(name, user, &ClientId::personal());
        let token = builders::personal_token(name, &grant);
        self.database.add_personal_token(&grant, &token).await.unwrap();
        grant
    }

    async fn is_live(&self, grant: &Grant) -> bool {
        let now = self.server.now();
        self.database.live(&grant.user, &grant.id, now).await.unwrap().is_some()
    }
}

/// The address of the link that a page shows once.
fn link_on(page: &Answer) -> String {
    let rest = page.body.split_once("https://mail.example/welcome?token=").expect("a link").1;
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    assert_eq!(token.len(), 43, "256 bits");
    format!("/welcome?token={token}")
}

#[track_caller]
fn says(page: &Answer, text: &str) {
    assert!(page.body.contains(text), "{text} in {}", page.body);
}

#[actix_web::test]
async fn an_invitation_lets_one_person_in_once() {
    let house = House::with_administrator(SignUp::Invite).await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let csrf = marie.get("/admin/people").await.field("csrf");
    let form = [("csrf", &*csrf), ("act", "invite"), ("email", "new@example.org")];
    let stale = link_on(&marie.post("/admin/people", &form).await);
    let link = link_on(&marie.post("/admin/people", &form).await);
    says(&marie.get("/admin/people").await, "Invited");

    let (mut guest, mut other) = (Browser::new(&app), Browser::new(&app));
    let gone = guest.get(&stale).await;
    assert_eq!(gone.status, StatusCode::GONE, "a newer one took its place");
    says(&gone, "This link does not work any more");
    let page = guest.get(&link).await;
    says(&page, "new@example.org");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let (csrf, token) = (page.field("csrf"), page.field("token"));
    let weak = guest.post("/welcome", &[("csrf", &*csrf), ("token", &*token), ("password", "short")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    let theirs = other.get(&link).await.field("csrf");
    let forged = other.post("/welcome", &[("csrf", "forged"), ("token", &*token), ("password", NEW)]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let before = guest.cookie.clone();
    let good = [("csrf", &*csrf), ("token", &*token), ("password", NEW)];
    assert_eq!(guest.post("/welcome", &good).await.location(), "/");
    assert_ne!(guest.cookie, before, "the cookie is another after signing in");
    says(&guest.get("/settings").await, "new@example.org");
    assert_eq!(guest.get("/admin/people").await.status, StatusCode::NOT_FOUND, "no administrator");
    let late = other.post("/welcome", &[("csrf", &*theirs), ("token", &*token), ("password", NEW)]).await;
    assert_eq!(late.status, StatusCode::GONE);
    assert_eq!(other.get("/settings").await.status, StatusCode::SEE_OTHER);
}

#[actix_web::test]
async fn invitations_lapse_are_withdrawn_and_end_with_sign_up() {
    let house = House::with_administrator(SignUp::Invite).await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let csrf = marie.get("/admin/people").await.field("csrf");
    let invite = async |marie: &mut Browser<_>, email| {
        link_on(&marie.post("/admin/people", &[("csrf", &*csrf), ("act", "invite"), ("email", email)]).await)
    };
    let withdrawn = invite(&mut marie, "a@example.org").await;
    let done = marie
        .post("/admin/people", &[("csrf", &*csrf), ("act", "withdraw"), ("email", "A@example.org")])
        .await;
    assert_eq!(done.location(), "/admin/people?notice=withdrawn");
    let lapsing = invite(&mut marie, "b@example.org").await;
    for (email, why) in [
        ("Paul@example.com", "There is a user with that address"),
        ("nonsense", "That is not an e-mail address"),
    ] {
        let refused =
            marie.post("/admin/people", &[("csrf", &*csrf), ("act", "invite"), ("email", email)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        says(&refused, why);
    }
    let mut guest = Browser::new(&app);
    assert_eq!(guest.get(&withdrawn).await.status, StatusCode::GONE);
    assert_eq!(guest.get(&lapsing).await.status, StatusCode::OK);
    house.clock.advance_seconds(3 * 24 * 3600);
    assert_eq!(guest.get(&lapsing).await.status, StatusCode::GONE);

    let closed = House::with_administrator(SignUp::Closed).await;
    let app = app!(closed);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let page = marie.get("/admin/people").await;
    says(&page, "Sign-up is closed");
    let csrf = marie.get("/settings").await.field("csrf");
    let refused =
        marie.post("/admin/people", &[("csrf", &*csrf), ("act", "invite"), ("email", "c@example.org")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(marie.get("/sign-up").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn anybody_signs_up_where_that_is_open_and_nowhere_else() {
    let house = House::open_to(SignUp::Open).await;
    let app = app!(house);
    let mut guest = Browser::new(&app);
    says(&guest.get("/login").await, "/sign-up");
    let csrf = guest.get("/sign-up").await.field("csrf");
    for (email, password, why) in [
        ("nonsense", NEW, "not an e-mail address"),
        ("MARIE@example.com", NEW, "That address cannot be used"),
        ("new@example.org", "new@example.org", "easy to guess"),
    ] {
        let refused =
            guest.post("/sign-up", &[("csrf", &*csrf), ("email", email), ("password", password)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        says(&refused, why);
    }
    let form = [("csrf", &*csrf), ("email", "new@example.org"), ("password", NEW)];
    assert_eq!(guest.post("/sign-up", &form).await.location(), "/");
    says(&guest.get("/settings").await, "new@example.org");

    for sign_up in [SignUp::Closed, SignUp::Invite] {
        let house = House::open_to(sign_up).await;
        let app = app!(house);
        let mut guest = Browser::new(&app);
        let page = guest.get("/login").await;
        assert!(!page.body.contains("/sign-up"));
        let form = [("csrf", &*page.field("csrf")), ("email", "new@example.org"), ("password", NEW)];
        assert_eq!(guest.post("/sign-up", &form).await.status, StatusCode::NOT_FOUND);
    }
}

#[actix_web::test]
async fn a_new_password_of_ones_own_ends_every_other_access() {
    let house = House::new().await;
    let app = app!(house);
    let id = builders::user_id("marie");
    let grant = house.connect(&id, "laptop").await;
    let (mut marie, mut thief) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    thief.sign_in("marie@example.com", "/").await;
    let page = marie.get("/settings").await;
    let form = [("csrf", &*page.field("csrf")), ("password", NEW)];
    house.clock.advance_seconds(301);
    let again = marie.post("/settings/password", &form).await;
    assert_eq!(again.location(), "/login?again=1&next=%2Fsettings", "the old password is asked for first");
    says(&marie.get("/settings").await, "Confirm your password");
    let csrf = marie.get(again.location()).await.field("csrf");
    let confirmed =
        [("csrf", &*csrf), ("email", "marie@example.com"), ("password", PASSWORD), ("next", "/settings")];
    assert_eq!(marie.post("/login", &confirmed).await.location(), "/settings");
    let csrf = marie.get("/settings").await.field("csrf");
    let weak = marie.post("/settings/password", &[("csrf", &*csrf), ("password", "short")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(house.is_live(&grant).await);
    let done = marie.post("/settings/password", &[("csrf", &*csrf), ("password", NEW)]).await;
    assert_eq!(done.location(), "/settings?notice=password");
    says(&marie.get("/settings?notice=password").await, "Your password was changed");
    assert_eq!(thief.get("/settings").await.status, StatusCode::SEE_OTHER, "signed out");
    assert!(!house.is_live(&grant).await, "the client is out");
    let csrf = thief.get("/login").await.field("csrf");
    let old = [("csrf", &*csrf), ("email", "marie@example.com"), ("password", PASSWORD), ("next", "/")];
    assert_eq!(thief.post("/login", &old).await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn sessions_are_seen_and_ended_by_their_owner_only() {
    let house = House::new().await;
    let app = app!(house);
    let grant = house.connect(&builders::user_id("marie"), "phone").await;
    let (mut here, mut there, mut paul) = (Browser::new(&app), Browser::new(&app), Browser::new(&app));
    there.address = Some("203.0.113.24");
    here.sign_in("marie@example.com", "/").await;
    there.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let page = here.get("/settings").await;
    says(&page, "203.0.113.24");
    let (csrf, other) = (page.field("csrf"), page.field("end"));
    let stranger = paul.get("/settings").await.field("csrf");
    let not_his = paul.post("/settings/sessions", &[("csrf", &*stranger), ("end", &*other)]).await;
    assert_eq!(not_his.status, StatusCode::NOT_FOUND);
    assert_eq!(there.get("/settings").await.status, StatusCode::OK);
    let ended = here.post("/settings/sessions", &[("csrf", &*csrf), ("end", &*other)]).await;
    assert_eq!(ended.location(), "/settings?notice=session");
    assert_eq!(there.get("/settings").await.status, StatusCode::SEE_OTHER);
    assert!(house.is_live(&grant).await, "one session is no client");

    there.sign_in("marie@example.com", "/").await;
    here.post("/settings/sign-out", &[("csrf", &*csrf)]).await;
    assert_eq!(there.get("/settings").await.status, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/settings").await.status, StatusCode::OK);
    assert!(!house.is_live(&grant).await);
    assert_eq!(paul.get("/settings").await.status, StatusCode::OK, "somebody else's are their own");
}

#[actix_web::test]
async fn administrators_look_after_people_and_the_last_one_stays() {
    let house = House::with_administrator(SignUp::Invite).await;
    let app = app!(house);
    let (paul, grant) = (builders::user_id("paul"), house.connect(&builders::user_id("paul"), "pauls").await);
    house.database_account_of_paul().await;
    let (mut marie, mut his) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    his.sign_in("paul@example.com", "/").await;
    let csrf = his.get("/settings").await.field("csrf");
    let stranger = his.post("/admin/people/usr_marie", &[("csrf", &*csrf), ("act", "disable")]).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND, "for him there is no such page");

    let csrf = marie.get("/admin/people").await.field("csrf");
    let act = async |marie: &mut Browser<_>, who: &str, act: &str| {
        marie.post(&format!("/admin/people/usr_{who}"), &[("csrf", &*csrf), ("act", act)]).await
    };
    for last in ["disable", "user"] {
        let refused = act(&mut marie, "marie", last).await;
        says(&refused, "The last administrator stays");
    }
    let mistyped = [("csrf", &*csrf), ("act", "remove"), ("confirm", "marie")];
    says(&marie.post("/admin/people/usr_marie", &mistyped).await, "The address was not typed");
    let typed = [("csrf", &*csrf), ("act", "remove"), ("confirm", "marie@example.com")];
    says(&marie.post("/admin/people/usr_marie", &typed).await, "The last administrator stays");
    assert_eq!(act(&mut marie, "nobody", "disable").await.status, StatusCode::NOT_FOUND);

    assert_eq!(act(&mut marie, "paul", "disable").await.location(), "/admin/people?notice=disabled");
    assert_eq!(his.get("/settings").await.status, StatusCode::SEE_OTHER);
    assert!(!house.is_live(&grant).await);
    act(&mut marie, "paul", "enable").await;
    assert!(house.is_live(&grant).await);
    his.sign_in("paul@example.com", "/").await;
    let link = link_on(&act(&mut marie, "paul", "reset").await);
    let page = his.get(&link).await;
    says(&page, "Choose a new password");
    let form = [("csrf", &*page.field("csrf")), ("token", &*page.field("token")), ("password", NEW)];
    assert_eq!(his.post("/welcome", &form).await.location(), "/");
    assert!(!house.is_live(&grant).await, "whoever had the old password is out");

    act(&mut marie, "paul", "administrator").await;
    assert_eq!(his.get("/admin/people").await.status, StatusCode::OK);
    act(&mut marie, "paul", "user").await;
    let removed = [("csrf", &*csrf), ("act", "remove"), ("confirm", "paul@example.com")];
    assert_eq!(
        marie.post("/admin/people/usr_paul", &removed).await.location(),
        "/admin/people?notice=removed"
    );
    assert!(house.database.find_user(&paul).await.unwrap().is_none());
    assert!(house.database.list_accounts(&paul).await.unwrap().is_empty());
    assert_eq!(his.get("/settings").await.status, StatusCode::SEE_OTHER);

    house.clock.advance_seconds(301);
    let late = act(&mut marie, "marie", "reset").await;
    assert_eq!(late.location(), "/login?again=1&next=%2Fadmin%2Fpeople");
}
