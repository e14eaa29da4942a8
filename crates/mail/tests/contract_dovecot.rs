//! The IMAP adapter keeps the promises of a mailbox on a real server, and uses it sparingly.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{login, mail};
use imapmcp_core::{
    account::{Credential, Login, Security},
    mail::{Flag, FlagChange, FolderName, Locator, MailError, MailStore, Messages, NetworkFault, Page},
};
use imapmcp_testkit::{
    contract::{
        self,
        mail::{Abilities, Stage},
    },
    servers::MailServers,
};

const NEWEST: Page = Page { limit: 50, after: None };

#[tokio::test(flavor = "multi_thread")]
async fn dovecot_keeps_the_contract_over_tls_and_starttls_and_in_the_clear() {
    let Some(servers) = MailServers::imap_only() else { return };
    let mail = mail(&servers, |options| options.allow_insecure = true);
    for (name, security) in
        [("tls", Security::Tls), ("starttls", Security::StartTls), ("clear", Security::Insecure)]
    {
        let address = servers.add_user(name, "pässwörd \"\\ {3}");
        let login = login(&servers, &address, "pässwörd \"\\ {3}", security);
        mail.probe(&login).await.unwrap();
        let deliver = |folder: &str, message: &str, at| {
            servers.append(&address, "pässwörd \"\\ {3}", folder, message, at);
        };
        let mailbox = mail.mailbox(&login);
        let stage = Stage { mailbox: &*mailbox, deliver: &deliver, abilities: Abilities::ALL };
        contract::mail::mailbox(stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_proved_refused_and_not_repeated() {
    let Some(servers) = MailServers::imap_only() else { return };
    let address = servers.add_user("ada", "right");
    let mail = mail(&servers, |_| {});
    let good = login(&servers, &address, "right", Security::Tls);
    mail.probe(&good).await.unwrap();

    let token =
        Login { credential: Credential::AccessToken(servers.access_token(&address).into()), ..good.clone() };
    mail.probe(&token).await.unwrap();
    let forged = Login { credential: Credential::AccessToken("e30.e30.AAAA".into()), ..good.clone() };
    assert_eq!(mail.probe(&forged).await, Err(MailError::LoginRefused));

    let wrong = Login { credential: Credential::Password("wrong".into()), ..good.clone() };
    assert_eq!(mail.probe(&wrong).await, Err(MailError::LoginRefused));
    let mailbox = mail.mailbox(&wrong);
    let inbox = FolderName::inbox();
    let calls = (0..20).map(|_| mailbox.list(&inbox, &NEWEST));
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(result.unwrap_err(), MailError::LoginRefused);
    }
    let insecure = login(&servers, &address, "right", Security::Insecure);
    assert_eq!(mail.probe(&insecure).await, Err(MailError::Unreachable(NetworkFault::Blocked)));
    let stranger = self::mail(&servers, |options| options.ca_file = None);
    assert_eq!(stranger.probe(&good).await, Err(MailError::Unreachable(NetworkFault::Tls)));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_shared_and_replaced_when_they_die() {
    let Some(servers) = MailServers::imap_only() else { return };
    let address = servers.add_user("ada", "right");
    let mail = mail(&servers, |_| {});
    let login = login(&servers, &address, "right", Security::Tls);
    let mailbox = mail.mailbox(&login);
    for number in 0..60 {
        servers.deliver(&address, &format!("From: a@b.example\r\nSubject: {number}\r\n\r\nx"));
    }
    assert_eq!(mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap().messages.len(), 50);
    let warm = servers.logins();
    for _ in 0..1_000 {
        assert_eq!(mailbox.list(&"INBOX".into(), &Page { limit: 2, after: None }).await.unwrap().total, 60);
    }
    assert_eq!(servers.logins(), warm, "a thousand warm calls, no login");
    let inbox = FolderName::inbox();
    let calls = (0..32).map(|_| mailbox.list(&inbox, &NEWEST));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert!(servers.logins() <= warm + 2, "three connections at most");

    // What others do is seen by the next call, on whichever connection.
    for number in 60..70 {
        servers.deliver(&address, &format!("From: a@b.example\r\nSubject: {number}\r\n\r\nx"));
        let listing = mailbox.list(&"INBOX".into(), &Page { limit: 3, after: None }).await.unwrap();
        assert_eq!(listing.messages[0].envelope.subject, Some(number.to_string()));
        assert_eq!((listing.total, listing.messages.len()), (number + 1, 3));
        let at = Locator { folder: "INBOX".into(), uid_validity: None, uid: listing.messages[0].uid };
        mailbox.message(&at, 100).await.unwrap();
        let seen = FlagChange { add: vec![Flag::seen()], remove: vec![] };
        assert_eq!(
            mailbox.change_flags(&Messages::new("INBOX", None, &[at.uid]), &seen).await.unwrap().done,
            [at.uid]
        );
        assert!(mailbox.message(&at, 100).await.unwrap().summary.flags.contains(&"\\Seen".to_owned()));
    }

    // The server drops every connection; nobody notices.
    kill_sessions(&servers);
    assert_eq!(mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap().total, 70);
    kill_sessions(&servers);
    // A write is not repeated by itself: if the end of the connection came in the middle, the caller decides.
    let append = || mailbox.append(&inbox, "Subject: x\r\n\r\nx\r\n".into(), &[]);
    match append().await {
        Err(MailError::Unreachable(NetworkFault::Connect) | MailError::Unknown) => append().await.unwrap(),
        result => result.unwrap(),
    };
    let total = mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap().total;

    // A caller who leaves in the middle takes only its own connection along.
    for _ in 0..20 {
        let call = mailbox.list(&inbox, &NEWEST);
        let _ = tokio::time::timeout(std::time::Duration::from_micros(300), call).await;
    }
    assert_eq!(mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap().total, total);

    mail.forget(&login.account);
    assert!(
        mailbox.list(&"INBOX".into(), &NEWEST).await.is_err(),
        "an account that was removed stays closed"
    );
    assert!(mail.mailbox(&login).list(&"INBOX".into(), &NEWEST).await.is_ok());
}

/// Ends the server's processes of open sessions, as a restart would.
fn kill_sessions(servers: &MailServers) {
    let config = servers.directory().join("dovecot.conf");
    let done =
        std::process::Command::new("doveadm").arg("-c").arg(config).args(["kick", "*"]).output().unwrap();
    // 68: nobody is connected any more.
    assert!(matches!(done.status.code(), Some(0 | 68)), "{done:?}");
}
