//! Submission through a real Postfix, and what a broken server makes of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{login, mail};
use imapmcp_core::{
    account::{Backend, Credential, Login, Security},
    mail::{
        FinalDot, MailError, MailStore, NetworkFault, Outgoing, Page, Submission, SubmissionEnvelope,
        SubmitError,
    },
};
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::{
    builders,
    crumbs::{broken, crumbs},
    servers::{FULL, LATER, MailServers, NOBODY},
    sink::{Habit, Sink},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

fn envelope(from: &str, to: &[&str]) -> SubmissionEnvelope {
    SubmissionEnvelope::new(from, &to.iter().map(|&to| to.to_owned()).collect::<Vec<_>>()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_takes_what_it_takes_and_the_rest_is_said_per_recipient() {
    let Some(servers) = MailServers::start() else { return };
    let ada = servers.add_user("ada", "sécret");
    let bob = servers.add_user("bob", "x");
    let mail = mail(&servers, |_| {});
    let tls = login(&servers, &ada, "sécret", Security::Tls);
    let starttls = login(&servers, &ada, "sécret", Security::StartTls);
    let token =
        Login { credential: Credential::AccessToken(servers.access_token(&ada).into()), ..tls.clone() };
    for login in [&tls, &starttls, &token] {
        Submission::probe(&mail, login).await.unwrap();
    }
    let wrong = Login { credential: Credential::Password("wrong".into()), ..tls.clone() };
    assert_eq!(Submission::probe(&mail, &wrong).await, Err(MailError::LoginRefused));
    let insecure = login(&servers, &ada, "sécret", Security::Insecure);
    assert_eq!(Submission::probe(&mail, &insecure).await, Err(MailError::Unreachable(NetworkFault::Blocked)));

    let body: &Outgoing =
        &b"From: ada@imapmcp.test\r\nSubject: dots\r\n\r\n.\r\n..\r\nend.\r\n.last"[..].into();
    let to = [bob.as_str(), NOBODY, LATER];
    let sent = mail.submit(&starttls, &envelope(&ada, &to), body).await.unwrap();
    assert_eq!(sent.accepted, std::slice::from_ref(&bob));
    let refused: Vec<_> = sent.refused.iter().map(|one| (one.address.as_str(), one.code)).collect();
    assert_eq!(refused, [(NOBODY, 550), (LATER, 450)]);
    assert_eq!(sent.refused[0].enhanced.as_deref(), Some("5.1.1"));

    let text = arrived(&servers, &mail, &bob).await;
    assert_eq!(text, ".\r\n..\r\nend.\r\n.last\r\n");

    let rejected = mail.submit(&tls, &envelope(&ada, &[NOBODY]), body).await.unwrap_err();
    let SubmitError::Rejected { code: 550, enhanced, refused } = rejected else { panic!("{rejected:?}") };
    assert_eq!((enhanced.as_deref(), refused.len()), (Some("5.1.1"), 1));
    let deferred = mail.submit(&tls, &envelope(&ada, &[NOBODY, FULL]), body).await.unwrap_err();
    assert_eq!(deferred, SubmitError::Deferred { code: 452, enhanced: Some("4.2.2".into()) });
    let foreign = mail.submit(&tls, &envelope(&ada, &["someone@example.com"]), body).await.unwrap_err();
    assert!(matches!(foreign, SubmitError::Rejected { .. }), "{foreign:?}");
    mail.submit(&tls, &envelope("jürgen@imapmcp.test", &[&bob]), body).await.unwrap();
}

async fn arrived(servers: &MailServers, mail: &Mail, address: &str) -> String {
    let login = login(servers, address, "x", Security::Tls);
    let mailbox = mail.mailbox(&login);
    // looking begins before the first look: nothing is missed between the two
    let mut watch = servers.watch(address, "x", "INBOX");
    loop {
        let listing = mailbox.list(&"INBOX".into(), &Page { limit: 1, after: None }).await.unwrap();
        if let Some(message) = listing.messages.first() {
            let at =
                imapmcp_core::mail::Locator { folder: "INBOX".into(), uid_validity: None, uid: message.uid };
            return String::from_utf8(mailbox.section(&at, "TEXT", 10_000).await.unwrap().to_vec()).unwrap();
        }
        watch = tokio::task::spawn_blocking(|| {
            watch.news();
            watch
        })
        .await
        .unwrap();
    }
}

/// A submission server that answers from a script: what a command starts with, and what is said to it. A script
/// without an answer hangs up.
async fn scripted(script: &'static [(&'static str, &'static str)]) -> (Mail, Login) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 hello\r\n").await.unwrap();
            let mut in_data = false;
            while let Ok(Some(line)) = lines.next_line().await {
                if in_data && line != "." {
                    continue;
                }
                in_data = line.starts_with("DATA");
                let answer =
                    script.iter().find(|(verb, _)| line.starts_with(verb)).map_or("250 ok", |(_, say)| say);
                match answer {
                    "" => break,
                    "HANG" => std::future::pending().await,
                    answer => writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap(),
                }
            }
        }
    });
    let mut options =
        MailOptions::new(Arc::new(imapmcp_egress::Dialer::new("127.0.0.1/32:1".parse().unwrap())));
    options.dialer = Arc::new(imapmcp_egress::Dialer::new(format!("127.0.0.1:{port}").parse().unwrap()));
    options.allow_insecure = true;
    options.timeouts.submission = Duration::from_millis(300);
    options.timeouts.login = Duration::from_millis(500);
    let login = builders::login_at("x", port, Security::Insecure);
    (Mail::new(options).unwrap(), login)
}

const OFFERS: (&str, &str) = ("EHLO", "250-hello\r\n250 AUTH PLAIN");
const LOGIN: (&str, &str) = ("AUTH", "235 ok");
const DATA: (&str, &str) = ("DATA", "354 go on");

#[tokio::test(flavor = "multi_thread")]
async fn only_a_break_after_the_final_dot_is_unknown() {
    const LOST: SubmitError = SubmitError::NotSent(MailError::Unreachable(NetworkFault::Connect));
    let submit = async |script| {
        let (mail, login) = scripted(script).await;
        mail.submit(
            &login,
            &envelope("a@b.example", &["c@d.example"]),
            &b"Subject: x\r\n\r\nx\r\n"[..].into(),
        )
        .await
    };
    assert!(submit(&[OFFERS, LOGIN, DATA]).await.is_ok());
    let dots = [
        ("", MailError::Unreachable(NetworkFault::Connect)),
        ("HANG", MailError::Timeout),
        ("999 ?", MailError::Protocol),
        ("220 hello", MailError::Protocol),
    ];
    for (says, why) in dots {
        let answers: &'static [_] = vec![OFFERS, LOGIN, DATA, (".", says)].leak();
        assert_eq!(submit(answers).await.unwrap_err(), SubmitError::Unknown(why), "{says}");
    }
    let deferred = SubmitError::Deferred { code: 451, enhanced: None };
    assert_eq!(submit(&[OFFERS, LOGIN, DATA, (".", "451 later")]).await.unwrap_err(), deferred);
    let rejected = SubmitError::Rejected { code: 554, enhanced: Some("5.6.0".into()), refused: vec![] };
    assert_eq!(submit(&[OFFERS, LOGIN, DATA, (".", "554 5.6.0 no")]).await.unwrap_err(), rejected);
    for script in
        [&[OFFERS, LOGIN, ("DATA", "")][..], &[OFFERS, LOGIN, ("RCPT", "")], &[OFFERS, LOGIN, ("MAIL", "")]]
    {
        assert_eq!(submit(script).await.unwrap_err(), LOST);
    }
    for script in [&[OFFERS, ("AUTH", "HANG")][..], &[OFFERS, LOGIN, ("RCPT", "HANG")]] {
        assert_eq!(submit(script).await.unwrap_err(), SubmitError::NotSent(MailError::Timeout));
    }
    assert_eq!(
        submit(&[OFFERS, ("AUTH", "454 4.7.0 later")]).await.unwrap_err(),
        SubmitError::NotSent(MailError::LoginUnavailable)
    );
    assert_eq!(
        submit(&[OFFERS, ("AUTH", "535 5.7.8 no")]).await.unwrap_err(),
        SubmitError::NotSent(MailError::LoginRefused)
    );
    let (mail, login) = scripted(&[OFFERS, LOGIN, DATA]).await;
    let unicode = envelope("jürgen@b.example", &["c@d.example"]);
    let error = mail.submit(&login, &unicode, &"x".into()).await.unwrap_err();
    assert!(matches!(error, SubmitError::NotSent(MailError::Invalid(_))), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_is_required_and_nothing_may_come_before_it() {
    for (script, fault) in [
        (&[("EHLO", "250 hello")][..], NetworkFault::StartTls),
        (&[("EHLO", "250-hello\r\n250 STARTTLS"), ("STARTTLS", "454 no")], NetworkFault::StartTls),
        (
            &[("EHLO", "250-hello\r\n250 STARTTLS"), ("STARTTLS", "220 go\r\n250 injected")],
            NetworkFault::StartTls,
        ),
        (&[("EHLO", "250-hello\r\n250 STARTTLS"), ("STARTTLS", "220 go")], NetworkFault::Tls),
    ] {
        let (mail, mut login) = scripted(script).await;
        if let Backend::Servers { smtp, .. } = &mut login.backend {
            smtp.security = Security::StartTls;
        }
        let result = Submission::probe(&mail, &login).await;
        // After `220 go` the script reads the handshake as a command it does not know, and answers in the clear.
        assert!(
            matches!(result, Err(MailError::Unreachable(found)) if found == fault)
                || (fault == NetworkFault::Tls && result == Err(MailError::Timeout)),
            "{script:?}: {result:?}"
        );
    }
}

struct Withheld(std::sync::atomic::AtomicUsize);

#[async_trait::async_trait]
impl FinalDot for Withheld {
    async fn may_leave(&self, _: &[imapmcp_core::outbox::Refusal]) -> bool {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_its_final_dot_is_not_delivered() {
    let Some(servers) = MailServers::start() else { return };
    let ada = servers.add_user("ada", "x");
    let bob = servers.add_user("bob", "x");
    let mail = mail(&servers, |_| {});
    let login = login(&servers, &ada, "x", Security::Tls);
    let dot = Withheld(std::sync::atomic::AtomicUsize::new(0));
    let first: &Outgoing = &"Message-ID: <first@x>\r\nSubject: first\r\n\r\nfirst\r\n".into();
    let withheld = mail.submit_when(&login, &envelope(&ada, &[&bob]), first, &dot).await;
    assert_eq!(withheld, Err(SubmitError::Withheld));
    // refused before the content: there is nothing to ask
    let rejected = mail.submit_when(&login, &envelope(&ada, &[NOBODY]), first, &dot).await;
    assert!(matches!(rejected, Err(SubmitError::Rejected { .. })), "{rejected:?}");
    assert_eq!(dot.0.load(std::sync::atomic::Ordering::SeqCst), 1);
    mail.submit(&login, &envelope(&ada, &[&bob]), &"Subject: second\r\n\r\nsecond\r\n".into()).await.unwrap();
    assert_eq!(arrived(&servers, &mail, &bob).await, "second\r\n");
    assert_eq!(servers.message_ids(&bob, "INBOX").iter().filter(|id| *id == "first@x").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_crumbs_arrives_as_it_is_and_one_that_breaks_off_does_not() {
    let sink = Sink::start(Habit::Takes);
    let egress = format!("127.0.0.1:{}", sink.port).parse().unwrap();
    let mut options = MailOptions::new(Arc::new(imapmcp_egress::Dialer::new(egress)));
    options.allow_insecure = true;
    let mail = Mail::new(options).unwrap();
    let login = builders::login_at("x", sink.port, Security::Insecure);
    let envelope = envelope("a@b.example", &["c@d.example"]);
    let message = b"Message-ID: <x@y>\r\n\r\n.\r\n..\r\n.a\nb\r\n\r\n.\r\n";
    let whole = b"Message-ID: <x@y>\r\n\r\n.\r\n..\r\n.a\r\nb\r\n\r\n.\r\n";
    for size in 1..8 {
        mail.submit(&login, &envelope, &crumbs(message, size)).await.unwrap();
        assert_eq!(sink.taken().last().unwrap().message(), whole, "pieces of {size}");
    }
    for says_so in [true, false] {
        let failed = mail.submit(&login, &envelope, &broken(message, says_so)).await;
        assert_eq!(failed, Err(SubmitError::NotSent(MailError::Unreadable)));
    }
    assert_eq!(sink.taken().len(), 7);
}
