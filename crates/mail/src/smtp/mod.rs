//! Submission (RFC 6409) over `mail-send`, on connections that the one dialer opened.
//!
//! `mail-send` speaks the commands and SASL; the steps are taken here one by one, because its own `send` can neither
//! tell which recipients were refused nor whether the connection died before or after the final dot.

mod connect;
mod data;

use self::{connect::Client, data::Stuffer};
use crate::{MailOptions, SetupError, Timeouts, tls};
use futures_util::StreamExt;
use imapmcp_core::{
    account::{Endpoint, Login},
    mail::{FinalDot, MailError, NetworkFault, Outgoing, SubmissionEnvelope, SubmitError, Submitted},
    outbox::Refusal,
};
use imapmcp_egress::Dialer;
use mail_send::{Error, SmtpClient};
use smtp_proto::{EXT_8BIT_MIME, EXT_PIPELINING, EXT_SIZE, EXT_SMTP_UTF8, EhloResponse, Response};
use std::{fmt::Write, sync::Arc, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, timeout, timeout_at},
};

/// Octets of the message handed to the socket at a time.
const CHUNK: usize = 64 << 10;
/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Submission servers. Connections are not kept: people send less often than servers hang up.
pub(crate) struct Smtp {
    dialer: Arc<Dialer>,
    tls: tls::SmtpTls,
    allow_insecure: bool,
    timeouts: Timeouts,
}

impl Smtp {
    pub(crate) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self {
            dialer: Arc::clone(&options.dialer),
            tls: tls::SmtpTls::new(options.ca_file.as_deref())?,
            allow_insecure: options.allow_insecure,
            timeouts: options.timeouts,
        })
    }

    async fn open(
        &self,
        login: &Login,
        endpoint: &Endpoint,
    ) -> Result<(Client, EhloResponse<String>), MailError> {
        let opening = connect::open(self, login, endpoint);
        // The dialer has its own five seconds within.
        timeout(self.timeouts.login, opening).await.map_err(|_| MailError::Timeout)?
    }

    pub(crate) async fn probe(&self, login: &Login, endpoint: &Endpoint) -> Result<(), MailError> {
        let (mut client, _) = self.open(login, endpoint).await?;
        let reply = client.cmd(b"NOOP\r\n").await.map_err(|error| lost(&error))?;
        farewell(client);
        if reply.code / 100 == 2 { Ok(()) } else { Err(MailError::Refused { condition: None }) }
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
        client.timeout = self.timeouts.command;
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
        // From here on the message may have been delivered: only the server's own word decides.
        let confirmed = async {
            client.stream.write_all(b".\r\n").await?;
            client.stream.flush().await?;
            client.read().await
        };
        let Ok(Ok(reply)) = timeout(self.timeouts.submission, confirmed).await else {
            return Err(SubmitError::Unknown);
        };
        farewell(client);
        match reply.code {
            200..=299 => Ok(submitted),
            400..=599 => Err(refusal(&reply, Vec::new())),
            _ => Err(SubmitError::Unknown),
        }
    }
}

/// MAIL, RCPT, DATA.
async fn announce(
    client: &mut Client,
    offers: &EhloResponse<String>,
    envelope: &SubmissionEnvelope,
    message: &Outgoing,
) -> Result<Submitted, SubmitError> {
    let addresses =
        || std::iter::once(envelope.sender()).chain(envelope.recipients().iter().map(String::as_str));
    let unicode = !addresses().all(str::is_ascii);
    if unicode && !offers.has_capability(EXT_SMTP_UTF8) {
        let why = MailError::Invalid("the submission server does not take addresses beyond ASCII (SMTPUTF8)");
        return Err(why.into());
    }
    let mut mail = format!("MAIL FROM:<{}>", envelope.sender());
    if unicode {
        mail.push_str(" SMTPUTF8");
    }
    if offers.has_capability(EXT_8BIT_MIME) && !message.is_ascii() {
        mail.push_str(" BODY=8BITMIME");
    }
    if offers.has_capability(EXT_SIZE) {
        let _ = write!(mail, " SIZE={}", message.length());
    }
    mail.push_str("\r\n");
    let mut commands = vec![mail];
    commands.extend(envelope.recipients().iter().map(|to| format!("RCPT TO:<{to}>\r\n")));

    let replies = if offers.has_capability(EXT_PIPELINING) {
        client.cmds(&commands).await.map_err(|error| lost(&error))?
    } else {
        let mut replies = Vec::with_capacity(commands.len());
        for command in &commands {
            let reply = client.cmd(command).await.map_err(|error| lost(&error))?;
            let refused = replies.is_empty() && reply.code / 100 != 2;
            replies.push(reply);
            if refused {
                break;
            }
        }
        replies
    };
    let (sender, recipients) = replies.split_first().ok_or(MailError::Protocol)?;
    if sender.code / 100 != 2 {
        return Err(refusal(sender, Vec::new()));
    }
    let mut submitted = Submitted::default();
    for (address, reply) in envelope.recipients().iter().zip(recipients) {
        if reply.code / 100 == 2 {
            submitted.accepted.push(address.clone());
        } else {
            let refusal = Refusal { address: address.clone(), code: reply.code, enhanced: enhanced(reply) };
            submitted.refused.push(refusal);
        }
    }
    if submitted.accepted.is_empty() {
        // If only one of them may work later, the message is to be tried later.
        let later = recipients.iter().find(|reply| reply.code / 100 == 4);
        let reply = later.or(recipients.first()).ok_or(MailError::Invalid("a message needs a recipient"))?;
        return Err(refusal(reply, submitted.refused));
    }
    let reply = client.cmd(b"DATA\r\n").await.map_err(|error| lost(&error))?;
    if reply.code == 354 { Ok(submitted) } else { Err(refusal(&reply, Vec::new())) }
}

/// The message up to, but without, the final dot: if this fails, the server must not deliver (RFC 5321 §4.1.1.4).
async fn write_body(client: &mut Client, message: &Outgoing) -> Result<(), SubmitError> {
    let cut = |_| MailError::Unreachable(NetworkFault::Connect);
    let (mut stuffer, mut out) = (Stuffer::new(), Vec::with_capacity(CHUNK + CHUNK / 8));
    let mut pieces = message.pieces();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| MailError::Unreadable)?;
        for chunk in piece.chunks(CHUNK) {
            stuffer.push(chunk, &mut out);
            client.stream.write_all(&out).await.map_err(cut)?;
            out.clear();
        }
    }
    stuffer.finish(&mut out);
    client.stream.write_all(&out).await.map_err(cut)?;
    client.stream.flush().await.map_err(cut)?;
    Ok(())
}

/// 4xx or 5xx, or something that is neither.
fn refusal(reply: &Response<String>, refused: Vec<Refusal>) -> SubmitError {
    match reply.code {
        400..=499 => SubmitError::Deferred { code: reply.code, enhanced: enhanced(reply) },
        500..=599 => SubmitError::Rejected { code: reply.code, enhanced: enhanced(reply), refused },
        _ => MailError::Protocol.into(),
    }
}

fn enhanced(reply: &Response<String>) -> Option<String> {
    let [class, subject, detail] = reply.esc;
    (class != 0).then(|| format!("{class}.{subject}.{detail}"))
}

/// A failure of the connection before the final dot.
fn lost(error: &Error) -> MailError {
    match error {
        Error::Timeout => MailError::Timeout,
        Error::Io(_) => MailError::Unreachable(NetworkFault::Connect),
        Error::Tls(_) | Error::InvalidTLSName => MailError::Unreachable(NetworkFault::Tls),
        Error::MissingStartTls => MailError::Unreachable(NetworkFault::StartTls),
        // `mail-send` reports the end of the stream as an unparseable reply; there is no telling them apart.
        _ => MailError::Protocol,
    }
}

/// QUIT, without making anybody wait for it.
fn farewell(mut client: Client) {
    tokio::spawn(async move {
        // The connection is dropped either way.
        let _ = timeout(FAREWELL, SmtpClient::cmd(&mut client, b"QUIT\r\n")).await;
    });
}
