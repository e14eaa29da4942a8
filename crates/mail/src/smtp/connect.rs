//! From a dialled connection to an authenticated client.

use super::{
    client::Client,
    login::authenticate,
    offers::Offers,
    reply::{DONE, Reply},
};
use crate::{
    options::{MailOptions, SetupError},
    tls::SmtpTls,
};
use imapmcp_core::{
    account::{Endpoint, Login, Security},
    mail::{MailError, NetworkFault, SubmitError},
};
use imapmcp_egress::Dialer;
use rustls::pki_types::ServerName;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// The name in EHLO of a client without one: an address literal (RFC 5321 §4.1.4), which says nothing about the machine.
const NAMELESS: &str = "[127.0.0.1]";

/// TLS or, where the operator allows it, TCP.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

pub(super) type Connection = Client<Box<dyn Wire>>;

/// How submission servers are reached.
pub(super) struct Way {
    dialer: Arc<Dialer>,
    tls: SmtpTls,
    allow_insecure: bool,
    silence: Duration,
    /// What EHLO says.
    ehlo_name: String,
}

impl Way {
    pub(super) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self {
            dialer: Arc::clone(&options.dialer),
            tls: SmtpTls::new(options.ca_file.as_deref())?,
            allow_insecure: options.allow_insecure,
            silence: options.timeouts.silence,
            ehlo_name: name(options.ehlo_name.as_deref()).to_owned(),
        })
    }

    /// Dials, secures, greets and authenticates. No deadline but those of the dialer and of single commands.
    pub(super) async fn open(
        &self,
        login: &Login,
        endpoint: &Endpoint,
    ) -> Result<(Connection, Offers), SubmitError> {
        let Endpoint { host, port, security } = endpoint;
        let dialed = match security {
            Security::Insecure if !self.allow_insecure => Err(NetworkFault::Blocked),
            Security::Insecure => self.dialer.dial_listed(host, *port).await,
            Security::Tls | Security::StartTls => self.dialer.dial(host, *port).await,
        };
        let socket = dialed.map_err(MailError::Unreachable)?.stream;
        let patience = self.silence;
        let mut client: Connection = match security {
            Security::Insecure => Client::new(Box::new(socket), patience),
            Security::Tls => Client::new(self.secure(host, socket).await?, patience),
            Security::StartTls => {
                let mut plain = Client::new(socket, patience);
                expect(220, &plain.read().await?)?;
                let offers = hello(&mut plain, &self.ehlo_name).await?;
                let refused = MailError::Unreachable(NetworkFault::StartTls);
                if !offers.has("STARTTLS") || plain.command("STARTTLS\r\n").await?.code != 220 {
                    return Err(refused.into());
                }
                // what was said behind the answer was said before the handshake (RFC 3207 §5): an injection
                let socket = plain.into_quiet().ok_or(refused)?;
                Client::new(self.secure(host, socket).await?, patience)
            }
        };
        if *security != Security::StartTls {
            expect(220, &client.read().await?)?;
        }
        let offers = hello(&mut client, &self.ehlo_name).await?;
        authenticate(&mut client, &offers, login, *security).await?;
        Ok((client, offers))
    }

    async fn secure(&self, host: &str, socket: TcpStream) -> Result<Box<dyn Wire>, MailError> {
        const FAILED: MailError = MailError::Unreachable(NetworkFault::Tls);
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| FAILED)?;
        let stream = TlsConnector::from(self.tls.config()).connect(name, socket).await.map_err(|_| FAILED)?;
        Ok(Box::new(stream))
    }
}

/// What EHLO says: a domain name or an address literal (RFC 5321 §4.1.3), or none.
fn name(wanted: Option<&str>) -> &str {
    let plain = |name: &&str| {
        let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let (inside, marks): (&str, &[u8]) = literal.map_or((*name, b"-."), |literal| (literal, b":."));
        !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_alphanumeric() || marks.contains(&b))
    };
    wanted.filter(plain).unwrap_or(NAMELESS)
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
    if reply.code == code { Ok(()) } else { Err(reply.refusal()) }
}
