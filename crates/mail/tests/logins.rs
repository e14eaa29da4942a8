//! What IMAP servers say to a login, and what is made of it; where nothing can be used, no credential leaves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::{
    account::{Credential, Login, Security},
    mail::{MailError, MailStore},
};
use imapmcp_egress::Dialer;
use imapmcp_mail::{Mail, MailOptions};
use imapmcp_testkit::builders;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

/// A server that greets with capabilities and answers every login so; what it heard.
async fn server(capabilities: &'static str, answer: &'static str) -> (Mail, Login, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let own = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(format!("* OK [CAPABILITY {capabilities}] hello\r\n").as_bytes()).await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                let tag = line.split(' ').next().unwrap_or_default().to_owned();
                own.lock().unwrap().push(line);
                writer.write_all(format!("{tag} {answer}\r\n").as_bytes()).await.unwrap();
            }
        }
    });
    let mut options = MailOptions::new(Arc::new(Dialer::new(format!("127.0.0.1:{port}").parse().unwrap())));
    options.allow_insecure = true;
    let login = builders::login_at("x", port, Security::Insecure);
    (Mail::new(options).unwrap(), login, heard)
}

#[tokio::test]
async fn a_refused_login_is_told_by_its_remedy() {
    for (answer, error) in [
        ("NO [AUTHENTICATIONFAILED] no", MailError::LoginRefused),
        ("NO [SERVERBUG] oops", MailError::LoginUnavailable),
        ("NO Temporary authentication failure. [x:1]", MailError::LoginUnavailable),
        ("NO [ALERT] System maintenance", MailError::LoginUnavailable),
        ("NO [ALERT] Application-specific password required: https://x (Failure)", MailError::AppPassword),
        ("NO no", MailError::LoginFailed),
        ("BAD what?", MailError::Protocol),
    ] {
        for capabilities in ["IMAP4rev1 SASL-IR AUTH=PLAIN", "IMAP4rev1"] {
            let (mail, login, heard) = server(capabilities, answer).await;
            assert_eq!(MailStore::probe(&mail, &login).await, Err(error.clone()), "{capabilities}: {answer}");
            assert_eq!(heard.lock().unwrap().len(), 1, "one try: {capabilities}");
        }
    }
}

#[tokio::test]
async fn where_no_mechanism_can_be_used_no_credential_leaves() {
    let token = Credential::AccessToken("token".into());
    let password = Credential::Password("secret".into());
    for (capabilities, credential) in [
        ("IMAP4rev1 LOGINDISABLED", &password),
        ("IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5 AUTH=NTLM", &password),
        ("IMAP4rev1 LOGINDISABLED STARTTLS AUTH=XOAUTH2", &password),
        ("IMAP4rev1 SASL-IR AUTH=PLAIN", &token),
        ("IMAP4rev1 AUTH=OAUTHBEARER", &token),
    ] {
        let (mail, login, heard) = server(capabilities, "OK in").await;
        let login = Login { credential: credential.clone(), ..login };
        assert_eq!(MailStore::probe(&mail, &login).await, Err(MailError::NoMechanism), "{capabilities}");
        assert_eq!(*heard.lock().unwrap(), Vec::<String>::new(), "{capabilities}");
    }
}
