//! Submission (RFC 6409) by mail-send's client, on connections that the one dialer opened and under a tap.
//!
//! Each step is taken by itself: it is told which recipients were refused, and whether the connection died before or
//! after the final dot. A reply that breaks the grammar, its bound or the order of things ends the attempt; after the
//! final dot it makes the outcome unknown.

mod client;
mod connect;
mod data;
mod login;
mod offers;
mod reply;
mod tap;

use self::{connect::Connection, data::Stuffer, offers::Offers, reply::Reply};
use crate::{MailOptions, SetupError, Timeouts, tls};
use futures_util::StreamExt;
use imapmcp_core::{
    account::{Endpoint, Login},
    mail::{FinalDot, MailError, Outgoing, SubmissionEnvelope, SubmitError, Submitted},
    outbox::Refusal,
};
use imapmcp_egress::Dialer;
use std::{fmt::Write, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout, timeout_at};

/// Octets of the message handed to the socket at a time.
const CHUNK: usize = 64 << 10;
/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// What says that a command was carried out. Each has codes of its own (RFC 5321 §4.3.2); what is 2yz and none of them (a
/// greeting, a goodbye, help) is the answer to something else, and then nobody knows what the next one answers.
const DONE: u16 = 250;
/// What RCPT may be answered with besides: it will be passed on, or tried.
const FORWARDED: [u16; 2] = [251, 252];
/// The name in EHLO of a client without one: an address literal (RFC 5321 §4.1.4), which says nothing about the machine.
const NAMELESS: &str = "[127.0.0.1]";

/// Submission servers. Connections are not kept: people send less often than servers hang up.
pub(crate) struct Smtp {
    dialer: Arc<Dialer>,
    tls: tls::SmtpTls,
    allow_insecure: bool,
    timeouts: Timeouts,
    /// What EHLO says.
    ehlo_name: String,
}

impl Smtp {
    pub(crate) fn new(options: &MailOptions) -> Result<Self, SetupError> {
        Ok(Self {
            dialer: Arc::clone(&options.dialer),
            tls: tls::SmtpTls::new(options.ca_file.as_deref())?,
            allow_insecure: options.allow_insecure,
            timeouts: options.timeouts,
            ehlo_name: name(options.ehlo_name.as_deref()).to_owned(),
        })
    }

    async fn open(&self, login: &Login, endpoint: &Endpoint) -> Result<(Connection, Offers), SubmitError> {
        let opening = connect::open(self, login, endpoint);
        // The dialer has its own deadline within.
        timeout(self.timeouts.login, opening).await.map_err(|_| MailError::Timeout)?
    }

    pub(crate) async fn probe(&self, login: &Login, endpoint: &Endpoint) -> Result<(), MailError> {
        let (mut client, _) = self.open(login, endpoint).await.map_err(unsent)?;
        let reply = client.command("NOOP\r\n").await?;
        farewell(client);
        if reply.code == DONE { Ok(()) } else { Err(unsent(refusal(&reply, Vec::new()))) }
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
            return Err(refusal(&reply, Vec::new()));
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
            _ if reply.is_negative() => Err(refusal(&reply, Vec::new())),
            _ => Err(SubmitError::Unknown(MailError::Protocol)),
        }
    }
}

/// MAIL, RCPT, DATA.
async fn announce(
    client: &mut Connection,
    offers: &Offers,
    envelope: &SubmissionEnvelope,
    message: &Outgoing,
) -> Result<Submitted, SubmitError> {
    let addresses = || std::iter::once(envelope.sender()).chain(envelope.recipients().iter().map(|to| &**to));
    let unicode = !addresses().all(str::is_ascii);
    if unicode && !offers.has("SMTPUTF8") {
        let why = MailError::Invalid("the submission server does not take addresses beyond ASCII (SMTPUTF8)");
        return Err(why.into());
    }
    let mut mail = format!("MAIL FROM:<{}>", envelope.sender());
    if unicode {
        mail.push_str(" SMTPUTF8");
    }
    // RFC 6152 and RFC 1870
    if offers.has("8BITMIME") && !message.is_ascii() {
        mail.push_str(" BODY=8BITMIME");
    }
    if offers.has("SIZE") {
        let _ = write!(mail, " SIZE={}", message.length());
    }
    mail.push_str("\r\n");
    let mut commands = vec![mail];
    commands.extend(envelope.recipients().iter().map(|to| format!("RCPT TO:<{to}>\r\n")));

    // RFC 2920
    let replies = if offers.has("PIPELINING") {
        client.commands(&commands).await?
    } else {
        let mut replies = Vec::with_capacity(commands.len());
        for command in &commands {
            let reply = client.command(command).await?;
            let ends = reply.code == 421 || (replies.is_empty() && reply.code != DONE);
            replies.push(reply);
            if ends {
                break;
            }
        }
        replies
    };
    let taken = |at: usize, reply: &Reply| reply.code == DONE || (at > 0 && FORWARDED.contains(&reply.code));
    if replies.iter().enumerate().any(|(at, reply)| !taken(at, reply) && !reply.is_negative()) {
        return Err(MailError::Protocol.into());
    }
    if let Some(closing) = replies.iter().find(|reply| reply.code == 421) {
        return Err(refusal(closing, Vec::new()));
    }
    let (sender, recipients) = replies.split_first().ok_or(MailError::Protocol)?;
    if sender.is_negative() {
        return Err(refusal(sender, Vec::new()));
    }
    let mut submitted = Submitted::default();
    for (address, reply) in envelope.recipients().iter().zip(recipients) {
        if reply.is_negative() {
            let refusal =
                Refusal { address: address.to_string(), code: reply.code, enhanced: reply.enhanced() };
            submitted.refused.push(refusal);
        } else {
            submitted.accepted.push(address.to_string());
        }
    }
    if submitted.accepted.is_empty() {
        // If only one of them may work later, the message is to be tried later.
        let later = recipients.iter().find(|reply| reply.code / 100 == 4);
        let reply = later.or(recipients.first()).ok_or(MailError::Invalid("a message needs a recipient"))?;
        return Err(refusal(reply, submitted.refused));
    }
    let reply = client.command("DATA\r\n").await?;
    if reply.code == 354 { Ok(submitted) } else { Err(refusal(&reply, Vec::new())) }
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

/// What EHLO says: a name of letters, digits, hyphens and dots, or none.
fn name(wanted: Option<&str>) -> &str {
    let plain = |name: &&str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    wanted.filter(plain).unwrap_or(NAMELESS)
}

/// 4yz or 5yz, or something that is neither.
fn refusal(reply: &Reply, refused: Vec<Refusal>) -> SubmitError {
    match reply.code {
        400..=499 => SubmitError::Deferred { code: reply.code, enhanced: reply.enhanced() },
        500..=599 => SubmitError::Rejected { code: reply.code, enhanced: reply.enhanced(), refused },
        _ => MailError::Protocol.into(),
    }
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
