//! AUTH (RFC 4954), and what a refusal of it means.

use super::{client::Client, offers::Offers, reply::Reply};
use crate::login_words::{is_crowded, wants_app_password};
use base64::{Engine, engine::general_purpose::STANDARD};
use imapmcp_core::{
    account::{Credential, Login, Security},
    mail::MailError,
    secret::ExposeSecret,
};
use tokio::io::{AsyncRead, AsyncWrite};

/// Logs in with one mechanism and one try: providers count failures.
pub(super) async fn authenticate<S: AsyncRead + AsyncWrite + Unpin + Send>(
    client: &mut Client<S>,
    offers: &Offers,
    login: &Login,
    security: Security,
) -> Result<(), MailError> {
    let username = &login.smtp_username;
    if username.chars().any(char::is_control) {
        return Err(MailError::LoginRefused);
    }
    let (wanted, secret): (&[_], _) = match &login.credential {
        Credential::Password(secret) => (&["PLAIN", "LOGIN"], secret.expose_secret()),
        Credential::AccessToken(secret) => (&["XOAUTH2"], secret.expose_secret()),
    };
    let Some(mechanism) = offers.mechanism(wanted) else {
        // a server without any AUTH is out of order, or waits for TLS
        let passing =
            offers.mechanisms.is_none() && !(security == Security::Insecure && offers.has("STARTTLS"));
        return Err(if passing { MailError::LoginUnavailable } else { MailError::NoMechanism });
    };
    // what each 334 is answered with, the first of it right behind AUTH where the mechanism begins so (RFC 4954 §4)
    let (initial, answers) = match mechanism {
        "PLAIN" => (Some(format!("\0{username}\0{secret}")), vec![format!("\0{username}\0{secret}")]),
        // its only challenge says why the token is refused, and wants nothing
        "XOAUTH2" => (Some(format!("user={username}\x01auth=Bearer {secret}\x01\x01")), vec![String::new()]),
        _ => (None, vec![username.clone(), secret.to_owned()]),
    };
    let command = match initial {
        Some(initial) => format!("AUTH {mechanism} {}\r\n", STANDARD.encode(initial)),
        None => format!("AUTH {mechanism}\r\n"),
    };
    let mut reply = client.command(command).await?;
    for answer in answers {
        if reply.code != 334 {
            break;
        }
        reply = client.command(format!("{}\r\n", STANDARD.encode(answer))).await?;
    }
    match reply.code {
        235 => Ok(()),
        400..=599 => Err(refusal(&reply)),
        _ => Err(MailError::Protocol),
    }
}

/// What a 4yz or 5yz to AUTH means.
fn refusal(reply: &Reply) -> MailError {
    let words = reply.words();
    let says = |any: &[&str]| any.iter().any(|one| words.contains(one));
    let enhanced = reply.enhanced();
    let enhanced = enhanced.as_deref().unwrap_or_default();
    match reply.code {
        // Exchange Online says 5.7.139 of wrong passwords too: only its words tell (aka.ms/smtp_auth_disabled)
        535 if says(&["smtpclientauthentication is disabled", "basic authentication is disabled"])
            || (enhanced == "5.7.139" && says(&["security defaults policy"])) =>
        {
            MailError::SubmissionOff
        }
        534 | 535 if wants_app_password(&words) => MailError::AppPassword,
        535 => MailError::LoginRefused,
        400..=499 if is_crowded(&words) => MailError::Throttled { retry_after: 60 },
        // a password transition (RFC 4954 §6) does not pass by itself
        432 => MailError::LoginFailed,
        530 if words.contains("tls") => MailError::NoMechanism,
        400..=499 | 530 => MailError::LoginUnavailable,
        // no such command, mechanism or place for it; encryption first
        500 | 502..=504 | 538 => MailError::NoMechanism,
        _ => MailError::LoginFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THROTTLED: MailError = MailError::Throttled { retry_after: 60 };

    /// What providers say, and what it means.
    const SAID: [(&str, MailError); 28] = [
        ("535", MailError::LoginRefused),
        ("535 Incorrect authentication data", MailError::LoginRefused),
        ("535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", MailError::LoginRefused),
        (
            "535 5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials x - gsmtp",
            MailError::LoginRefused,
        ),
        ("535 5.7.3 Authentication unsuccessful [AM0PR.EURPRD.PROD.OUTLOOK.COM]", MailError::LoginRefused),
        (
            "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. [X]",
            MailError::LoginRefused,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator. [X]",
            MailError::LoginRefused,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [X]",
            MailError::SubmissionOff,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled [X]",
            MailError::SubmissionOff,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [X]",
            MailError::SubmissionOff,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator. [X]",
            MailError::SubmissionOff,
        ),
        (
            "534 5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp",
            MailError::AppPassword,
        ),
        ("535 5.7.8 Error: authentication failed: please use an app password", MailError::AppPassword),
        ("535 Login Fail. Please enter your authorization code to login.", MailError::AppPassword),
        ("534 5.7.14 Please log in via your web browser and then try again.", MailError::LoginFailed),
        ("534 5.7.9 Authentication mechanism is too weak", MailError::LoginFailed),
        ("432 4.7.12 A password transition is needed", MailError::LoginFailed),
        ("550 5.7.1 no", MailError::LoginFailed),
        ("454 4.7.0 Temporary authentication failure", MailError::LoginUnavailable),
        ("454 4.7.0 Too many login attempts, please try again later.", THROTTLED),
        ("421 4.3.0 Temporary System Problem. Try again later", MailError::LoginUnavailable),
        ("421 4.7.0 Too many connections from your address", THROTTLED),
        ("451 4.3.0 internal error", MailError::LoginUnavailable),
        ("530 5.7.0 Authentication required", MailError::LoginUnavailable),
        ("530 5.7.0 Must issue a STARTTLS command first", MailError::NoMechanism),
        ("538 5.7.11 Encryption required for requested authentication mechanism", MailError::NoMechanism),
        ("504 5.5.4 Unrecognized authentication type", MailError::NoMechanism),
        ("503 5.5.1 Error: authentication not enabled", MailError::NoMechanism),
    ];

    #[test]
    fn a_refused_login_is_told_by_its_remedy() {
        for (said, means) in SAID {
            let code = said[..3].parse().unwrap();
            let lines = said.lines().map(|line| line.get(4..).unwrap_or_default().to_owned()).collect();
            assert_eq!(refusal(&Reply { code, lines }), means, "{said}");
        }
    }
}
