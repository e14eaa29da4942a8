//! The use cases on a database in memory, with servers that answer what a test tells them to.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod door;
mod house;

use house::{House, house, new};
use imapmcp_accounts::{AccountError, NewAccount};
use imapmcp_core::{
    account::{Account, Backend, Credential, Endpoint, Health, LoginTrouble, Security, Side},
    mail::{MailError, NetworkFault},
    secret::{ExposeSecret, SecretString},
    store::AccountRepository,
};
use imapmcp_testkit::builders;

/// Of reading and of sending.
async fn health(house: &House, account: &Account) -> (Health, Health) {
    let found = house.accounts.get(&house.owner, &account.id).await.unwrap();
    (found.reading, found.sending)
}

const WORKS: Health = Health::Working { since: builders::NOON, failing: None };

const fn attention(why: LoginTrouble) -> Health {
    Health::NeedsAttention { why, since: builders::NOON }
}

#[tokio::test]
async fn the_password_is_sealed_and_bound_to_its_servers() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    assert!(!account.credential.0.windows(5).any(|octets| octets == b"right"));
    let (_, login) = house.accounts.login(&house.owner, &account.id).await.unwrap();
    let Credential::Password(password) = login.credential else { panic!("a password") };
    assert_eq!(password.expose_secret(), "right");

    // Somebody with access to the database points the row at a server of his own.
    let moved = Account {
        id: builders::account_id("moved"),
        label: "Moved".to_owned(),
        backend: Backend::Servers {
            imap: Endpoint { host: "imap.attacker.example".to_owned(), port: 993, security: Security::Tls },
            smtp: builders::endpoint("smtp.example.com", 465),
        },
        ..account
    };
    house.database.add_account(&moved).await.unwrap();
    let unreadable = house.accounts.login(&house.owner, &moved.id).await;
    assert!(matches!(unreadable, Err(AccountError::CredentialUnreadable(_))));
    let unreadable = house.accounts.test(&house.owner, &moved.id).await;
    assert!(matches!(unreadable, Err(AccountError::CredentialUnreadable(_))));
    // entered again, it is sealed for where it goes now
    house.accounts.set_password(&house.owner, &moved.id, &SecretString::from("right")).await.unwrap();
    assert!(house.accounts.login(&house.owner, &moved.id).await.is_ok());
}

#[tokio::test]
async fn somebody_elses_account_is_an_unknown_one() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    let (stranger, password) = (&house.stranger, SecretString::from("x"));
    let not_found = [
        house.accounts.get(stranger, &account.id).await.err(),
        house.accounts.remove(stranger, &account.id).await.err(),
        house.accounts.set_password(stranger, &account.id, &password).await.err(),
        house.accounts.test(stranger, &account.id).await.err(),
        house.accounts.login(stranger, &account.id).await.err(),
        house.accounts.mailbox(stranger, &account.id).await.err(),
        house.accounts.get(&house.owner, &builders::account_id("unknown")).await.err(),
    ];
    for error in not_found {
        assert!(matches!(error, Some(AccountError::NotFound)), "{error:?}");
    }
    assert!(house.accounts.list(stranger).await.unwrap().is_empty());
    assert!(house.servers.logins.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_login_is_tried_once_until_the_person_acts() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("wrong")).await.unwrap();
    let refused = Err(MailError::LoginRefused);
    let (_, older) = house.accounts.mailbox(&house.owner, &account.id).await.unwrap();
    house.accounts.set_password(&house.owner, &account.id, &SecretString::from("wrong too")).await.unwrap();
    *house.servers.imap.lock().unwrap() = refused;
    assert!(older.folders(false).await.is_err());
    let (_, mailbox) =
        house.accounts.mailbox(&house.owner, &account.id).await.expect("an older password was refused");
    assert!(mailbox.folders(false).await.is_err());
    assert_eq!(health(&house, &account).await, (attention(LoginTrouble::Refused), Health::Untried));
    for _ in 0..3 {
        let refused = house.accounts.mailbox(&house.owner, &account.id).await.err();
        let why = LoginTrouble::Refused;
        assert!(
            matches!(refused, Some(AccountError::NeedsAttention { side: Side::Reading, why: said }) if said == why)
        );
        assert!(house.accounts.login(&house.owner, &account.id).await.is_ok(), "sending goes on");
    }
    assert!(house.servers.logins.lock().unwrap().is_empty(), "no server was asked");

    house.accounts.set_password(&house.owner, &account.id, &SecretString::from("right")).await.unwrap();
    assert_eq!(health(&house, &account).await, (Health::Untried, Health::Untried));
    assert_eq!(house.accounts.login(&house.owner, &account.id).await.unwrap().1.version, 3);
    assert_eq!(house.servers.forgotten.lock().unwrap().last(), Some(&account.id));
}

/// A provider that does not take SMTP logins has no say about reading, whatever it answers.
#[tokio::test]
async fn trouble_with_sending_leaves_reading_alone() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    for (error, why) in [
        (MailError::LoginRefused, Some(LoginTrouble::Refused)),
        (MailError::AppPassword, Some(LoginTrouble::AppPassword)),
        (MailError::SubmissionOff, Some(LoginTrouble::SubmissionOff)),
        // no password was sent
        (MailError::NoMechanism, None),
        (MailError::LoginUnavailable, None),
        (MailError::Timeout, None),
    ] {
        *house.servers.smtp.lock().unwrap() = Err(error.clone());
        house.accounts.test(&house.owner, &account.id).await.unwrap();
        let (reading, sending) = health(&house, &account).await;
        assert_eq!((reading, sending.needs_attention()), (WORKS, why.is_some()), "{error}");
        assert!(house.accounts.mailbox(&house.owner, &account.id).await.is_ok(), "{error}");
        match (house.accounts.login(&house.owner, &account.id).await, why) {
            (Ok(_), None) => {}
            (Err(AccountError::NeedsAttention { side: Side::Sending, why: said }), Some(why)) => {
                assert_eq!(said, why);
            }
            (other, _) => panic!("{error}: {other:?}"),
        }
        *house.servers.smtp.lock().unwrap() = Ok(());
        house.accounts.test(&house.owner, &account.id).await.unwrap();
        assert_eq!(health(&house, &account).await, (WORKS, WORKS), "a test that passes mends it");
    }
}

/// A bare NO after logins that worked is tried again, but not at once, and not for ever.
#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_reason_is_tried_again_after_a_pause() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    let (_, opened) = house.accounts.mailbox(&house.owner, &account.id).await.unwrap();
    opened.folders(false).await.unwrap();
    let (_, works) = house.accounts.mailbox(&house.owner, &account.id).await.unwrap();
    *house.servers.imap.lock().unwrap() = Err(MailError::LoginFailed);
    for _ in 0..20 {
        assert!(works.folders(false).await.is_err());
    }
    let mailbox = || house.accounts.mailbox(&house.owner, &account.id);
    assert!(matches!(mailbox().await.err(), Some(AccountError::Paused)));
    assert!(house.accounts.login(&house.owner, &account.id).await.is_ok(), "sending goes on");
    tokio::time::advance(std::time::Duration::from_mins(1)).await;
    assert!(mailbox().await.is_ok(), "twenty calls at the same time are one refusal");

    assert!(works.folders(false).await.is_err());
    assert!(matches!(mailbox().await.err(), Some(AccountError::Paused)));
    house.accounts.set_password(&house.owner, &account.id, &SecretString::from("new")).await.unwrap();
    assert!(mailbox().await.is_ok(), "another password is another question");
    // where no login ever worked there is nothing to doubt
    let (_, renewed) = mailbox().await.unwrap();
    assert!(renewed.folders(false).await.is_err());
    assert_eq!(health(&house, &account).await.0, attention(LoginTrouble::Unexplained));
}

#[tokio::test]
async fn a_test_decides_about_health() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("wrong")).await.unwrap();
    assert_eq!(health(&house, &account).await, (Health::Untried, Health::Untried), "nobody tried it yet");
    let diagnosis = house.accounts.test(&house.owner, &account.id).await.unwrap();
    assert!(diagnosis.imap.login_refused() && !diagnosis.works());
    assert_eq!(health(&house, &account).await, (attention(LoginTrouble::Refused), WORKS));

    *house.servers.password.lock().unwrap() = "wrong";
    *house.servers.smtp.lock().unwrap() = Err(MailError::Unreachable(NetworkFault::Connect));
    let diagnosis = house.accounts.test(&house.owner, &account.id).await.unwrap();
    assert!(diagnosis.imap.outcome.is_ok() && !diagnosis.works() && !diagnosis.smtp.login_refused());
    assert_eq!(health(&house, &account).await, (WORKS, WORKS), "an unreachable server says nothing");
}

#[tokio::test]
async fn an_account_can_be_tried_without_being_stored() {
    let house = house().await;
    let diagnosis = house.accounts.test_new(&house.owner, new("right")).await.unwrap();
    assert!(diagnosis.works());
    assert_eq!(*house.servers.logins.lock().unwrap(), ["owner right"]);
    assert!(house.accounts.list(&house.owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn removing_closes_connections_and_a_label_is_free_again() {
    let house = house().await;
    let account = house.accounts.add(&house.owner, new("right")).await.unwrap();
    let again = house.accounts.add(&house.owner, new("right")).await;
    assert!(matches!(again, Err(AccountError::LabelTaken)));
    house.accounts.remove(&house.owner, &account.id).await.unwrap();
    assert_eq!(*house.servers.forgotten.lock().unwrap(), [account.id]);
    house.accounts.add(&house.owner, new("right")).await.unwrap();
}

#[tokio::test]
async fn a_field_that_could_break_out_is_named() {
    let house = house().await;
    let at = |host: &str| Backend::Servers {
        imap: builders::endpoint(host, 993),
        smtp: builders::endpoint("smtp.example.com", 465),
    };
    let good = || new("right");
    for (field, bad) in [
        ("email", NewAccount { email: "no address".to_owned(), ..good() }),
        ("email", NewAccount { email: "a@b.c\r\nRCPT TO:<x@y.z>".to_owned(), ..good() }),
        ("label", NewAccount { label: "a\nb".to_owned(), ..good() }),
        ("label", NewAccount { label: "x".repeat(81), ..good() }),
        ("from_name", NewAccount { from_name: Some("a\r\nBcc: x@y.z".to_owned()), ..good() }),
        ("imap host", NewAccount { backend: at("a b"), ..good() }),
        ("imap host", NewAccount { backend: at(""), ..good() }),
        ("imap host", NewAccount { backend: at("h/x"), ..good() }),
        ("imap user name", NewAccount { imap_username: "a\r\nb".to_owned(), ..good() }),
        ("smtp user name", NewAccount { smtp_username: String::new(), ..good() }),
        ("password", new("")),
        ("password", new("a\r\nb")),
    ] {
        match house.accounts.add(&house.owner, bad).await {
            Err(AccountError::Invalid(invalid)) => assert_eq!(invalid.field, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    let unnamed = NewAccount { label: "  ".to_owned(), ..good() };
    assert_eq!(house.accounts.add(&house.owner, unnamed).await.unwrap().label, "owner@example.com");
}
