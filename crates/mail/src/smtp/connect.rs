//! From a dialled connection to an authenticated client.

use super::{Smtp, lost};
use imapmcp_core::{
    account::{Credential, Endpoint, Login, Security},
    mail::{MailError, NetworkFault},
    secret::ExposeSecret,
};
use mail_send::{Credentials, Error, SmtpClient};
use rustls::pki_types::ServerName;
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, AUTH_XOAUTH2, EXT_START_TLS, EhloResponse, Response};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// The name in EHLO. An address literal is right for a client without a name of its own (RFC 5321 §4.1.4), and this
/// one says nothing about the machine.
const SELF: &str = "[127.0.0.1]";
/// Longest answer to STARTTLS.
const MAX_REPLY: usize = 4_096;

/// TLS or, where the operator allows it, TCP.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

pub(super) type Client = SmtpClient<Box<dyn Wire>>;

/// Dials, secures, greets and authenticates. No deadline but those of the dialer and of single commands.
pub(super) async fn open(
    smtp: &Smtp,
    login: &Login,
    endpoint: &Endpoint,
) -> Result<(Client, EhloResponse<String>), MailError> {
    let Endpoint { host, port, security } = endpoint;
    let dialed = match security {
        Security::Insecure if !smtp.allow_insecure => Err(NetworkFault::Blocked),
        Security::Insecure => smtp.dialer.dial_listed(host, *port).await,
        Security::Tls | Security::StartTls => smtp.dialer.dial(host, *port).await,
    };
    let socket = dialed.map_err(MailError::Unreachable)?.stream;
    let timeout = smtp.timeouts.silence;
    let mut client: Client = match security {
        Security::Insecure => SmtpClient { stream: Box::new(socket), timeout },
        Security::Tls => SmtpClient { stream: secure(smtp, host, socket).await?, timeout },
        Security::StartTls => {
            let mut plain = SmtpClient { stream: socket, timeout };
            greeted(&plain.read().await.map_err(|error| lost(&error))?)?;
            let offers = plain.ehlo(SELF).await.map_err(|error| lost(&error))?;
            if !offers.has_capability(EXT_START_TLS) {
                return Err(MailError::Unreachable(NetworkFault::StartTls));
            }
            start_tls(&mut plain.stream).await?;
            SmtpClient { stream: secure(smtp, host, plain.stream).await?, timeout }
        }
    };
    if *security != Security::StartTls {
        greeted(&client.read().await.map_err(|error| lost(&error))?)?;
    }
    let offers = client.ehlo(SELF).await.map_err(|error| lost(&error))?;
    authenticate(&mut client, &offers, login).await?;
    Ok((client, offers))
}

async fn secure(smtp: &Smtp, host: &str, socket: TcpStream) -> Result<Box<dyn Wire>, MailError> {
    const FAILED: MailError = MailError::Unreachable(NetworkFault::Tls);
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| FAILED)?;
    let stream = TlsConnector::from(smtp.tls.config()).connect(name, socket).await.map_err(|_| FAILED)?;
    Ok(Box::new(stream))
}

fn greeted(reply: &Response<String>) -> Result<(), MailError> {
    match reply.code {
        200..=299 => Ok(()),
        400..=499 => Err(MailError::Throttled { retry_after: 60 }),
        _ => Err(MailError::Refused { condition: None }),
    }
}

/// STARTTLS (RFC 3207). `mail-send` would drop what came behind the answer; it is an injection and ends the attempt.
async fn start_tls(socket: &mut TcpStream) -> Result<(), MailError> {
    const REFUSED: MailError = MailError::Unreachable(NetworkFault::StartTls);
    let cut = |_| MailError::Unreachable(NetworkFault::Connect);
    socket.write_all(b"STARTTLS\r\n").await.map_err(cut)?;
    let (mut reply, mut buffer) = (Vec::new(), [0; 512]);
    loop {
        let read = socket.read(&mut buffer).await.map_err(cut)?;
        if read == 0 {
            return Err(MailError::Unreachable(NetworkFault::Connect));
        }
        reply.extend_from_slice(&buffer[..read]);
        if reply.len() > MAX_REPLY {
            return Err(MailError::Protocol);
        }
        let Some(end) = end_of_reply(&reply) else { continue };
        return if reply.starts_with(b"220") && end == reply.len() { Ok(()) } else { Err(REFUSED) };
    }
}

/// Where the reply ends: behind its first line whose fourth octet is not `-`.
fn end_of_reply(octets: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        let end = start + memchr::memchr(b'\n', &octets[start..])? + 1;
        if octets[start..end].get(3) != Some(&b'-') {
            return Some(end);
        }
        start = end;
    }
}

async fn authenticate(
    client: &mut Client,
    offers: &EhloResponse<String>,
    login: &Login,
) -> Result<(), MailError> {
    let username = login.smtp_username.clone();
    if username.chars().any(char::is_control) {
        return Err(MailError::LoginRefused);
    }
    let (credentials, wanted) = match &login.credential {
        Credential::Password(secret) => {
            let secret = secret.expose_secret().to_owned();
            (Credentials::Plain { username, secret }, [AUTH_PLAIN, AUTH_LOGIN])
        }
        Credential::AccessToken(secret) => {
            let secret = secret.expose_secret().to_owned();
            (Credentials::XOauth2 { username, secret }, [AUTH_XOAUTH2, AUTH_XOAUTH2])
        }
    };
    // One mechanism, one try: `mail-send` would go through all of them.
    let mechanism = wanted.into_iter().find(|mechanism| offers.auth_mechanisms & mechanism != 0);
    let mut narrowed = offers.clone();
    narrowed.auth_mechanisms = mechanism.ok_or(MailError::LoginRefused)?;
    let result = client.authenticate(&credentials, &narrowed).await.map(drop);
    result.map_err(|error| match &error {
        Error::AuthenticationFailed(reply) | Error::UnexpectedReply(reply) => match reply.code {
            400..=499 => MailError::Throttled { retry_after: 60 },
            _ => MailError::LoginRefused,
        },
        error => lost(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_behind_its_last_line() {
        assert_eq!(end_of_reply(b"220 go\r\n"), Some(8));
        assert_eq!(end_of_reply(b"220-a\r\n220 b\r\nINJECTED"), Some(14));
        assert_eq!(end_of_reply(b"220-a\r\n220 b"), None);
        assert_eq!(end_of_reply(b"\r\n"), Some(2));
    }
}
