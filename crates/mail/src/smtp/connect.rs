//! From a dialled connection to an authenticated client.

use super::{DONE, Smtp, client::Client, login::authenticate, offers::Offers, refusal, reply::Reply};
use imapmcp_core::{
    account::{Endpoint, Login, Security},
    mail::{MailError, NetworkFault, SubmitError},
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// TLS or, where the operator allows it, TCP.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

pub(super) type Connection = Client<Box<dyn Wire>>;

/// Dials, secures, greets and authenticates. No deadline but those of the dialer and of single commands.
pub(super) async fn open(
    smtp: &Smtp,
    login: &Login,
    endpoint: &Endpoint,
) -> Result<(Connection, Offers), SubmitError> {
    let Endpoint { host, port, security } = endpoint;
    let dialed = match security {
        Security::Insecure if !smtp.allow_insecure => Err(NetworkFault::Blocked),
        Security::Insecure => smtp.dialer.dial_listed(host, *port).await,
        Security::Tls | Security::StartTls => smtp.dialer.dial(host, *port).await,
    };
    let socket = dialed.map_err(MailError::Unreachable)?.stream;
    let patience = smtp.timeouts.silence;
    let mut client: Connection = match security {
        Security::Insecure => Client::new(Box::new(socket), patience),
        Security::Tls => Client::new(secure(smtp, host, socket).await?, patience),
        Security::StartTls => {
            let mut plain = Client::new(socket, patience);
            expect(220, &plain.read().await?)?;
            let offers = hello(&mut plain, &smtp.ehlo_name).await?;
            let refused = MailError::Unreachable(NetworkFault::StartTls);
            if !offers.has("STARTTLS") || plain.command("STARTTLS\r\n").await?.code != 220 {
                return Err(refused.into());
            }
            // what was said behind the answer was said before the handshake (RFC 3207 §5): an injection
            let socket = plain.into_quiet().ok_or(refused)?;
            Client::new(secure(smtp, host, socket).await?, patience)
        }
    };
    if *security != Security::StartTls {
        expect(220, &client.read().await?)?;
    }
    let offers = hello(&mut client, &smtp.ehlo_name).await?;
    authenticate(&mut client, &offers, login, *security).await?;
    Ok((client, offers))
}

async fn secure(smtp: &Smtp, host: &str, socket: TcpStream) -> Result<Box<dyn Wire>, MailError> {
    const FAILED: MailError = MailError::Unreachable(NetworkFault::Tls);
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| FAILED)?;
    let stream = TlsConnector::from(smtp.tls.config()).connect(name, socket).await.map_err(|_| FAILED)?;
    Ok(Box::new(stream))
}

async fn hello<S: AsyncRead + AsyncWrite + Unpin + Send>(
    client: &mut Client<S>,
    name: &str,
) -> Result<Offers, SubmitError> {
    let reply = client.command(format!("EHLO {name}\r\n")).await?;
    expect(DONE, &reply)?;
    Ok(Offers::of(&reply))
}

fn expect(code: u16, reply: &Reply) -> Result<(), SubmitError> {
    if reply.code == code { Ok(()) } else { Err(refusal(reply, Vec::new())) }
}
