//! Mail accounts: added after a test, tested, changed, removed.

use crate::{
    browser::{Answer, Browser},
    house::{House, app},
};
use actix_web::http::StatusCode;
use imapmcp_core::{account::Account, oauth::SendPolicy, secret::Sealed, store::AccountRepository as _};
use imapmcp_testkit::builders;

const SETTINGS: [(&str, &str); 9] = [
    ("email", "choir@example.org"),
    ("label", "Choir"),
    ("from_name", "Marie"),
    ("imap_host", "imap.example.org"),
    ("imap_port", "993"),
    ("imap_security", "tls"),
    ("smtp_port", "587"),
    ("smtp_security", "starttls"),
    ("do", "test"),
];

fn settings<'a>(csrf: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<_> = SETTINGS.to_vec();
    fields.extend([("csrf", csrf), ("smtp_host", "smtp.example.org"), ("password", "right")]);
    fields.retain(|(name, _)| changes.iter().all(|(other, _)| other != name));
    fields.extend(changes);
    fields
}

fn says(answer: &Answer, part: &str) {
    assert!(answer.body.contains(part), "{part} in {}", answer.body);
}

#[actix_web::test]
async fn an_account_is_saved_after_its_test_has_passed() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let csrf = marie.get("/accounts/new").await.field("csrf");

    let refused = marie.post("/accounts/new", &settings(&csrf, &[("password", "wrong-secret")])).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    says(&refused, "The server refused the user name or password");
    says(&refused, "auth_failed");
    says(&refused, "value=\"imap.example.org\"");
    assert!(!refused.body.contains("wrong-secret"), "the password is not sent back");

    let bad =
        marie.post("/accounts/new", &settings(&csrf, &[("imap_port", "70000"), ("email", "choir")])).await;
    says(&bad, "Enter a port from 1 to 65535, usually 993");
    let bad = marie.post("/accounts/new", &settings(&csrf, &[("email", "choir")])).await;
    says(&bad, "This is not an e-mail address.");
    let bad = marie.post("/accounts/new", &settings(&csrf, &[("imap_host", "bad host")])).await;
    says(&bad, "This is not a host name.");
    let bad = marie.post("/accounts/new", &settings(&csrf, &[("imap_security", "insecure")])).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY, "no TLS is the operator's choice");

    let saved = marie.post("/accounts/new", &settings(&csrf, &[])).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    let shown = marie.get(saved.location()).await;
    says(&shown, "The account was added");
    says(&shown, "smtp.example.org, 587, STARTTLS");
    says(&marie.get("/accounts").await, "Choir");

    let taken = marie.post("/accounts/new", &settings(&csrf, &[])).await;
    says(&taken, "You have an account with that label");
}

#[actix_web::test]
async fn reading_alone_may_be_saved_when_sending_does_not_work() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let csrf = marie.get("/accounts/new").await.field("csrf");
    let silent = [("smtp_host", "silent.example.org"), ("next", "/connect")];
    let half = marie.post("/accounts/new", &settings(&csrf, &silent)).await;
    assert_eq!(half.status, StatusCode::UNPROCESSABLE_ENTITY);
    says(&half, "Reading works, sending does not");
    says(&half, "Nothing answers at that host and port");
    says(&half, "Save for reading only");
    let [host, next] = silent;
    let saved = marie.post("/accounts/new", &settings(&csrf, &[host, next, ("do", "save")])).await;
    assert_eq!(saved.location(), "/connect", "and on to where it was asked for");
    let evil = [host, ("next", "https://evil.example"), ("label", "Other"), ("do", "save")];
    assert_eq!(marie.post("/accounts/new", &settings(&csrf, &evil)).await.location(), "/");
}

#[actix_web::test]
async fn an_account_is_tested_changed_and_removed_by_its_owner_only() {
    let house = House::new().await;
    let app = app!(house);
    let (mut marie, mut paul) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let csrf = marie.get("/accounts/new").await.field("csrf");
    let saved = marie.post("/accounts/new", &settings(&csrf, &[])).await;
    let path = saved.location().split('?').next().unwrap().to_owned();
    let (test, password, remove) =
        (format!("{path}/test"), format!("{path}/password"), format!("{path}/remove"));

    let pauls = paul.get("/accounts").await.field("csrf");
    assert_eq!(paul.get(&path).await.status, StatusCode::NOT_FOUND);
    for action in [&test, &password, &remove] {
        let fields = [("csrf", &*pauls), ("password", "right"), ("confirm", "yes")];
        assert_eq!(paul.post(action, &fields).await.status, StatusCode::NOT_FOUND, "{action}");
    }

    says(&marie.post(&test, &[("csrf", &csrf)]).await, "Everything works");
    let wrong = marie.post(&password, &[("csrf", &csrf), ("password", "wrong")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    says(&wrong, "The password was not changed");
    says(&marie.post(&test, &[("csrf", &csrf)]).await, "Everything works");
    let changed = marie.post(&password, &[("csrf", &csrf), ("password", "right")]).await;
    assert_eq!(changed.location(), format!("{path}?notice=password"));

    house.clock.advance_seconds(300);
    let again = marie.post(&remove, &[("csrf", &csrf), ("confirm", "yes")]).await;
    assert!(again.location().starts_with("/login?again=1&next="), "{}", again.location());
    says(&marie.get(&path).await, "Confirm your password");
    let login = marie.get(again.location()).await;
    let fields = [
        ("csrf", &*login.field("csrf")),
        ("email", "marie@example.com"),
        ("password", crate::house::PASSWORD),
        ("next", &login.field("next")),
    ];
    assert_eq!(marie.post("/login", &fields).await.location(), path);
    let csrf = marie.get(&path).await.field("csrf");
    let unsure = marie.post(&remove, &[("csrf", &csrf)]).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    let removed = marie.post(&remove, &[("csrf", &csrf), ("confirm", "yes")]).await;
    says(&marie.get(removed.location()).await, "The account was removed");
    assert_eq!(marie.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_refused_login_shows_on_the_list_until_it_works_again() {
    let house = House::new().await;
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let csrf = marie.get("/accounts").await.field("csrf");
    let tested = marie.post("/accounts/acc_marie-Studio/test", &[("csrf", &csrf)]).await;
    says(&tested, "The server refused the user name or password");
    says(&marie.get("/accounts").await, "Needs attention");
    says(&marie.get("/accounts").await, "Not tried yet");
    says(&marie.get("/").await, "1 account needs your attention");
    let mended =
        marie.post("/accounts/acc_marie-Studio/password", &[("csrf", &csrf), ("password", "right")]).await;
    assert_eq!(mended.status, StatusCode::SEE_OTHER);
    assert!(!marie.get("/accounts").await.body.contains("Needs attention"));
}

#[actix_web::test]
async fn a_signature_is_kept_as_entered_by_the_owner_only() {
    let house = House::new().await;
    let app = app!(house);
    let (mut marie, mut paul) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let path = "/accounts/acc_marie-Studio";
    let form = format!("{path}/signature");
    let csrf = marie.get(path).await.field("csrf");
    let text = "Marie\r\n<script>alert(1)</script></textarea><b>Choir</b>";

    let pauls = paul.get("/accounts/new").await.field("csrf");
    let stranger = paul.post(&form, &[("csrf", &*pauls), ("signature", "x")]).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let forged = marie.post(&form, &[("csrf", "forged"), ("signature", "x")]).await;
    assert_ne!(forged.status, StatusCode::SEE_OTHER);

    let saved = marie.post(&form, &[("csrf", &*csrf), ("signature", text)]).await;
    assert_eq!(saved.location(), format!("{path}?notice=signature"));
    let shown = marie.get(saved.location()).await;
    says(&shown, "The signature was saved");
    says(&shown, "Choir");
    assert!(!shown.body.contains("<script>alert"), "it is shown as text");

    let long = "x".repeat(20_001);
    let refused = marie.post(&form, &[("csrf", &*csrf), ("signature", &long)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    says(&refused, "The signature was not changed");

    let removed = marie.post(&form, &[("csrf", &*csrf), ("signature", " ")]).await;
    assert!(!marie.get(removed.location()).await.body.contains("Choir"));
}

#[actix_web::test]
async fn how_messages_leave_is_loosened_only_with_a_fresh_password() {
    let house = House::new().await;
    let app = app!(house);
    let (mut marie, mut paul) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let path = "/accounts/acc_marie-Studio";
    let form = format!("{path}/sending");
    let csrf = marie.get(path).await.field("csrf");
    let set = |policy: &'static str, seconds: &'static str| {
        [("policy", policy), ("seconds", seconds), ("csrf", "")]
    };
    let with = |token: &str, fields: [(&'static str, &'static str); 3]| {
        fields.map(|(name, value)| (name, if name == "csrf" { token.to_owned() } else { value.to_owned() }))
    };
    let post = async |browser: &mut Browser<'_, _>, token: &str, fields| {
        let fields = with(token, fields);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(&form, &fields).await
    };

    let pauls = paul.get("/accounts/new").await.field("csrf");
    assert_eq!(post(&mut paul, &pauls, set("approval", "")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(post(&mut marie, "forged", set("approval", "")).await.status, StatusCode::FORBIDDEN);
    let policy = async || {
        let id = imapmcp_testkit::builders::account_id("marie-Studio");
        let marie = imapmcp_testkit::builders::user_id("marie");
        house.database.find_account(&marie, &id).await.unwrap().unwrap().send_policy
    };
    assert_eq!(policy().await, SendPolicy::Immediate);

    house.clock.advance_seconds(300);
    let stricter = post(&mut marie, &csrf, set("undo", "60")).await;
    assert_eq!(stricter.location(), format!("{path}?notice=sending"), "to be stricter needs no password");
    let shown = marie.get(stricter.location()).await;
    says(&shown, "That is saved");
    says(&shown, "value=\"undo\" checked");
    says(&shown, "value=\"60\"");
    assert_eq!(policy().await, SendPolicy::UndoWindow(60));
    for (kind, seconds) in [("undo", "30"), ("immediate", "")] {
        let looser = post(&mut marie, &csrf, set(kind, seconds)).await;
        assert!(looser.location().starts_with("/login?again=1&next="), "{kind}");
    }
    for seconds in ["4", "301", "", "-1", "many"] {
        let refused = post(&mut marie, &csrf, set("undo", seconds)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{seconds}");
        says(&refused, "5 to 300 seconds");
    }
    assert_eq!(post(&mut marie, &csrf, set("never", "")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(policy().await, SendPolicy::UndoWindow(60));
    assert_eq!(post(&mut marie, &csrf, set("approval", "")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(policy().await, SendPolicy::Approval);

    let mut again = Browser::new(&app);
    again.sign_in("marie@example.com", "/").await;
    let fresh = again.get(path).await.field("csrf");
    assert_eq!(post(&mut again, &fresh, set("immediate", "")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(policy().await, SendPolicy::Immediate);
}

#[actix_web::test]
async fn further_addresses_are_checked_and_kept_once() {
    let house = House::new().await;
    let app = app!(house);
    let (mut marie, mut paul) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let path = "/accounts/acc_marie-Studio";
    let form = format!("{path}/aliases");
    let csrf = marie.get(path).await.field("csrf");
    let pauls = paul.get("/accounts/new").await.field("csrf");
    let stranger = paul.post(&form, &[("csrf", &*pauls), ("aliases", "a@example.org")]).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    assert_eq!(marie.post(&form, &[("csrf", "x"), ("aliases", "a@b.c")]).await.status, StatusCode::FORBIDDEN);

    let text =
        "Choir & <choir@example.org>\r\n\r\nCHOIR@example.org\r\nmarie.Studio@example.com\r\nm@example.net ";
    let saved = marie.post(&form, &[("csrf", &*csrf), ("aliases", text)]).await;
    assert_eq!(saved.location(), format!("{path}?notice=aliases"));
    let shown = marie.get(saved.location()).await;
    says(&shown, "The addresses were saved");
    says(&shown, "\nChoir &amp; &lt;choir@example.org&gt;\nm@example.net</textarea>");

    for bad in ["choir", "a@example.org, b@example.org", "x\u{2028}y <a@b.c>", "<script>alert(1)</script>"] {
        let refused = marie.post(&form, &[("csrf", &*csrf), ("aliases", bad)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        says(&refused, "The addresses were not changed");
        assert!(!refused.body.contains("<script>alert"));
    }
    let many = (0..21).map(|number| format!("a{number}@example.org")).collect::<Vec<_>>().join("\n");
    says(&marie.post(&form, &[("csrf", &*csrf), ("aliases", &many)]).await, "at most 20");
    says(&marie.get(path).await, "m@example.net</textarea>");
    let none = marie.post(&form, &[("csrf", &*csrf), ("aliases", "")]).await;
    assert!(!marie.get(none.location()).await.body.contains("m@example.net"));
}

#[actix_web::test]
async fn a_writing_style_is_learnt_only_when_switched_on_and_deleted_when_off() {
    let house = House::new().await;
    let app = app!(house);
    let (mut marie, mut paul) = (Browser::new(&app), Browser::new(&app));
    marie.sign_in("marie@example.com", "/").await;
    paul.sign_in("paul@example.com", "/").await;
    let path = "/accounts/acc_marie-Studio";
    let form = format!("{path}/style");
    let page = marie.get(path).await;
    says(&page, "Switch on");
    let csrf = page.field("csrf");
    let pauls = paul.get("/accounts/new").await.field("csrf");
    assert_eq!(paul.post(&form, &[("csrf", &*pauls), ("keep", "on")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(marie.post(&form, &[("csrf", "x"), ("keep", "on")]).await.status, StatusCode::FORBIDDEN);
    let on = marie.post(&form, &[("csrf", &*csrf), ("keep", "on")]).await;
    says(&marie.get(on.location()).await, "Nothing has been learnt yet");

    let (user, account) =
        (imapmcp_testkit::builders::user_id("marie"), imapmcp_testkit::builders::account_id("marie-Studio"));
    let draft = imapmcp_writing_style::Drafted {
        message_id: "d@example.com".into(),
        subject: "Plan".into(),
        in_reply_to: None,
        text: "Dear Ada,\nthe plan.\nKind regards".into(),
        written_at: imapmcp_testkit::builders::NOON,
    };
    house.styles.drafted(&user, &account, &draft).await.unwrap();
    let sent = "Hi Ada,\nhere is the plan and that is it.\nCheers\nMarie";
    house.styles.sent(&user, &account, &draft, sent).await.unwrap();
    house.styles.sent(&user, &account, &draft, sent).await.unwrap();
    let shown = marie.get(path).await;
    for part in [
        "Learnt from 1 message.",
        "<dd class=\"break\">Hi</dd>",
        "Cheers",
        "English",
        "4 lines added and 3 taken out",
    ] {
        says(&shown, part);
    }
    assert!(!shown.body.contains("here is the plan"));
    let off = marie.post(&form, &[("csrf", &*csrf), ("keep", "off")]).await;
    says(&marie.get(off.location()).await, "All that was learnt is deleted");
    assert!(house.styles.all(&user).await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_stored_password_that_cannot_be_opened_is_asked_for_again() {
    let house = House::new().await;
    let altered = Account {
        credential: Sealed(b"\xff altered".to_vec()),
        ..builders::account(&builders::user_id("marie"), "Altered")
    };
    house.database.add_account(&altered).await.unwrap();
    let app = app!(house);
    let mut marie = Browser::new(&app);
    marie.sign_in("marie@example.com", "/").await;
    let path = format!("/accounts/{}", altered.id);
    let csrf = marie.get(&path).await.field("csrf");
    let tested = marie.post(&format!("{path}/test"), &[("csrf", &csrf)]).await;
    assert_eq!(tested.status, StatusCode::UNPROCESSABLE_ENTITY, "no fault of ours");
    says(&tested, "The stored password cannot be opened");
    let entered = marie.post(&format!("{path}/password"), &[("csrf", &csrf), ("password", "right")]).await;
    assert_eq!(entered.location(), format!("{path}?notice=password"));
    says(&marie.post(&format!("{path}/test"), &[("csrf", &csrf)]).await, "Everything works");
    says(&marie.get(&path).await, "Working");
}
