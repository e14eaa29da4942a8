//! MAIL, RCPT, DATA: who sends what to whom (RFC 5321 §3.3).

use super::{
    connect::Connection,
    offers::Offers,
    reply::{DONE, Reply},
};
use imapmcp_core::{
    mail::{MailError, Outgoing, SubmissionEnvelope, SubmitError, Submitted},
    outbox::Refusal,
};
use std::fmt::Write;

/// What RCPT may be answered with besides: it will be passed on, or tried.
const FORWARDED: [u16; 2] = [251, 252];
/// Announces a message, and says who will get it.
pub(super) async fn announce(
    client: &mut Connection,
    offers: &Offers,
    envelope: &SubmissionEnvelope,
    message: &Outgoing,
) -> Result<Submitted, SubmitError> {
    let mut commands = vec![mail_from(offers, envelope, message)?];
    commands.extend(envelope.recipients().iter().map(|to| format!("RCPT TO:<{to}>\r\n")));
    let replies = ask(client, offers, &commands).await?;
    let taken = |at: usize, reply: &Reply| reply.code == DONE || (at > 0 && FORWARDED.contains(&reply.code));
    if replies.iter().enumerate().any(|(at, reply)| !taken(at, reply) && !reply.is_negative()) {
        return Err(MailError::Protocol.into());
    }
    if let Some(closing) = replies.iter().find(|reply| reply.code == 421) {
        return Err(closing.refusal());
    }
    let (sender, recipients) = replies.split_first().ok_or(MailError::Protocol)?;
    if sender.is_negative() {
        return Err(sender.refusal());
    }
    let submitted = sorted(envelope, recipients)?;
    let reply = client.command("DATA\r\n").await?;
    if reply.code == 354 { Ok(submitted) } else { Err(reply.refusal()) }
}

/// MAIL, with what the server offers to be told.
fn mail_from(
    offers: &Offers,
    envelope: &SubmissionEnvelope,
    message: &Outgoing,
) -> Result<String, SubmitError> {
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
    Ok(mail)
}

/// The replies to MAIL and RCPT: in one write where the server lets (RFC 2920), else one after the other until nothing can
/// come of it.
async fn ask(
    client: &mut Connection,
    offers: &Offers,
    commands: &[String],
) -> Result<Vec<Reply>, SubmitError> {
    if offers.has("PIPELINING") {
        return Ok(client.commands(commands).await?);
    }
    let mut replies = Vec::with_capacity(commands.len());
    for command in commands {
        let reply = client.command(command).await?;
        let ends = reply.code == 421 || (replies.is_empty() && reply.code != DONE);
        replies.push(reply);
        if ends {
            break;
        }
    }
    Ok(replies)
}

/// Recipients by what was said of each; an error if nobody is left.
fn sorted(envelope: &SubmissionEnvelope, replies: &[Reply]) -> Result<Submitted, SubmitError> {
    let mut submitted = Submitted::default();
    for (address, reply) in envelope.recipients().iter().zip(replies) {
        if reply.is_negative() {
            let refusal =
                Refusal { address: address.to_string(), code: reply.code, enhanced: reply.enhanced() };
            submitted.refused.push(refusal);
        } else {
            submitted.accepted.push(address.to_string());
        }
    }
    if !submitted.accepted.is_empty() {
        return Ok(submitted);
    }
    // If only one of them may work later, the message is to be tried later.
    let later = replies.iter().find(|reply| reply.code / 100 == 4);
    let reply = later.or(replies.first()).ok_or(MailError::Invalid("a message needs a recipient"))?;
    Err(reply.refusal_with(submitted.refused))
}
