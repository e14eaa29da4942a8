//! Submission (RFC 6409) by mail-send's client, on connections that the one dialer opened and under a tap.
//!
//! Each step is taken by itself: it is told which recipients were refused, and whether the connection died before or
//! after the final dot. A reply that breaks the grammar, its bound or the order of things ends the attempt; after the
//! final dot it makes the outcome unknown.

mod announce;
mod client;
mod connect;
mod data;
mod login;
mod offers;
mod reply;
mod tap;

use self::{
    announce::announce,
    connect::{Connection, Way},
    data::Stuffer,
    offers::Offers,
    reply::DONE,
};
use crate::options::{MailOptions, SetupError, Timeouts};
use futures_util::StreamExt;
use imapmcp_core::{
    account::{Endpoint, Login},
    mail::{FinalDot, MailError, Outgoing, SubmissionEnvelope, SubmitError, Submitted},
};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Octets of the message handed to the socket at a time.
const CHUNK: usize = 64 << 10;
/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// Submission servers. Connections are not kept: people send less often than servers hang up.
pub(crate) struct Smtp {
    way: Way,
    timeouts: Timeouts,
}

impl Smtp {
    pub(crate) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self { way: Way::new(options)?, timeouts: options.timeouts })
    }

    async fn open(&self, login: &Login, endpoint: &Endpoint) -> Result<(Connection, Offers), SubmitError> {
        let opening = self.way.open(login, endpoint);
        // The dialer has its own deadline within.
        timeout(self.timeouts.login, opening).await.map_err(|_| MailError::Timeout)?
    }

    pub(crate) async fn probe(&self, login: &Login, endpoint: &Endpoint) -> Result<(), MailError> {
        let (mut client, _) = self.open(login, endpoint).await.map_err(unsent)?;
        let reply = client.command("NOOP\r\n").await?;
        farewell(client);
        if reply.code == DONE { Ok(()) } else { Err(unsent(reply.refusal())) }
    }

    pub(crate) async fn submit(
        &self,
        login: &Login,
        endpoint: &Endpoint,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
        dot: Option<&dyn FinalDot>,
    ) -> Result<Submitted, SubmitError> {
        let (mut client, offers) = self.open(login, endpoint).await?;
        // A minute more for every six megabytes: a slow line is not a hang.
        let extra =
            Duration::from_secs(10).saturating_mul(u32::try_from(message.length() >> 20).unwrap_or(u32::MAX));
        let end = Instant::now() + self.timeouts.submission + extra;
        client.set_patience(self.timeouts.command);
        let announced = timeout_at(end, announce(&mut client, &offers, envelope, message)).await;
        let submitted = match announced.map_err(|_| MailError::Timeout)? {
            Ok(submitted) => submitted,
            Err(error) => {
                farewell(client);
                return Err(error);
            }
        };
        // from here on QUIT would be part of the message: what ends early is cut off
        timeout_at(end, write_body(&mut client, message)).await.map_err(|_| MailError::Timeout)??;
        if let Some(dot) = dot
            && !dot.may_leave(&submitted.refused).await
        {
            // cut off, not ended: QUIT would be part of the message
            return Err(SubmitError::Withheld);
        }
        // an answer to a message that is not complete: no, or a lie
        if let Some(reply) = client.unasked().await? {
            return Err(reply.refusal());
        }
        // From here on the message may have been delivered: only the server's own word decides.
        client.set_patience(self.timeouts.submission);
        let reply = client.command(".\r\n").await.map_err(SubmitError::Unknown)?;
        if client.contradicts() {
            return Err(SubmitError::Unknown(MailError::Protocol));
        }
        farewell(client);
        match reply.code {
            DONE => Ok(submitted),
            _ if reply.is_negative() => Err(reply.refusal()),
            _ => Err(SubmitError::Unknown(MailError::Protocol)),
        }
    }
}

/// The message up to, but without, the final dot: if this fails, the server must not deliver (RFC 5321 §4.1.1.4).
async fn write_body(client: &mut Connection, message: &Outgoing) -> Result<(), SubmitError> {
    let (mut stuffer, mut out) = (Stuffer::new(), Vec::with_capacity(CHUNK + CHUNK / 8));
    let mut pieces = message.pieces();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| MailError::Unreadable)?;
        for chunk in piece.chunks(CHUNK) {
            stuffer.push(chunk, &mut out);
            client.write(&out).await?;
            out.clear();
        }
    }
    stuffer.finish(&mut out);
    client.write(&out).await?;
    client.flush().await?;
    Ok(())
}

/// What a failed submission says of the server when there was no message.
fn unsent(error: SubmitError) -> MailError {
    match error {
        SubmitError::NotSent(error) => error,
        SubmitError::Deferred { .. } => MailError::Throttled { retry_after: 60 },
        SubmitError::Rejected { code, .. } => MailError::Refused { condition: Some(code.to_string()) },
        SubmitError::Withheld | SubmitError::Unknown(_) => MailError::Protocol,
    }
}

/// QUIT, without making anybody wait for it.
fn farewell(mut client: Connection) {
    tokio::spawn(async move {
        // The connection is dropped either way.
        let _ = timeout(FAREWELL, client.command("QUIT\r\n")).await;
    });
}
