//! Reading one message: summary and header, or a section.

use super::{
    one::{any_body, of_message},
    structure,
};
use crate::imap::{
    connection::{selected::Selected, session::Session},
    wire::{
        command::Command,
        fault::Fault,
        fetch::{Body, Fetch},
        framing::Limits,
    },
};
use crate::wire_text::{NO_SUCH_PART, stretch};
use bytes::Bytes;
use imapmcp_core::mail::{Locator, MailError, Message, MessageRef};

impl Session {
    /// Enters the folder and fetches from one message in one write; what was fetched counts only if the folder is
    /// still the one the reference was made in.
    pub(crate) async fn fetch_one(
        &mut self,
        at: &Locator,
        fetch: Command,
        limits: Limits,
    ) -> Result<(Selected, Fetch), Fault> {
        self.spell(&at.folder).await?;
        if let Some(selected) = self.selected().filter(|_| self.is_fresh(&at.folder)).cloned() {
            if at.uid_validity.is_some_and(|known| known != selected.uid_validity) {
                return Err(Fault::Said(MailError::Stale));
            }
            let batch = self.run_within(vec![fetch.clone()], limits, None).await?;
            match of_message(batch, 0, at.uid) {
                // It may have arrived since.
                Err(Fault::Said(MailError::Gone)) => {}
                fetched => return Ok((selected, fetched?)),
            }
        }
        let batch = self.run_within(vec![self.enter(&at.folder), fetch.clone()], limits, None).await?;
        let selected = self.entered(&batch, at.uid_validity)?;
        let news = batch.news;
        match of_message(batch, 1, at.uid) {
            // It may have arrived just now, and the server looked only after it had answered.
            Err(Fault::Said(MailError::Gone)) if news => {
                let batch = self.run_within(vec![fetch], limits, None).await?;
                Ok((selected, of_message(batch, 0, at.uid)?))
            }
            fetched => Ok((selected, fetched?)),
        }
    }

    /// Summary, header and the beginning of the text of a message.
    pub(crate) async fn message(&mut self, at: &Locator, beginning: u32) -> Result<Message, Fault> {
        let fetch = self.whole(Command::new("UID FETCH ").number(at.uid), beginning, "");
        let (selected, fetch) = self.fetch_one(at, fetch, Limits::messages(1, beginning)).await?;
        self.remember(&selected, std::iter::once(&fetch));
        let odd = fetch.odd.clone();
        let message = message_of(&selected, fetch, beginning).map_err(Fault::Said)?;
        self.with_true_parts(message, odd, beginning).await
    }

    /// The items of a message with its header and the beginning of its text, and `more`.
    pub(crate) fn whole(&self, command: Command, beginning: u32, more: &'static str) -> Command {
        whole_of(command, self.items_beside_fields(), beginning, more)
    }

    /// At most `limit` octets of a section.
    pub(crate) async fn section(&mut self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, Fault> {
        let fetch =
            Command::new("UID FETCH ").number(at.uid).raw(" (UID ").peek(section, Some(limit)).raw(")");
        let (_, fetch) = self.fetch_one(at, fetch, Limits::section(limit)).await?;
        match any_body(fetch) {
            Some(Body::Octets(octets)) if octets.is_empty() && !self.has_part(at.uid, section).await? => {
                Err(Fault::Said(NO_SUCH_PART))
            }
            Some(Body::Octets(octets)) if octets.len() <= limit as usize => Ok(octets),
            Some(Body::Nil) => Err(Fault::Said(NO_SUCH_PART)),
            _ => Err(Fault::Said(MailError::Protocol)),
        }
    }

    /// Whether a message has a part, for servers that give nothing instead of NIL for one that is not there.
    pub(crate) async fn has_part(&mut self, uid: u32, section: &str) -> Result<bool, Fault> {
        let numbers = section.trim_end_matches(|c: char| c.is_ascii_uppercase() || c == '.');
        if numbers.is_empty() || stretch(section).is_some() {
            return Ok(true);
        }
        let fetch = Command::new("UID FETCH ").number(uid).raw(" (UID BODYSTRUCTURE)");
        let parts = of_message(self.run(vec![fetch]).await?, 0, uid)?.parts.unwrap_or_default();
        // A container of parts, the part itself, or something inside an embedded message.
        let within = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        Ok(parts.iter().any(|part| {
            within(numbers, &part.section)
                || (within(&part.section, numbers)
                    && (part.section == numbers || part.media_type.starts_with("message/")))
        }))
    }
}

/// As [`Session::whole`], of these items.
pub(crate) fn whole_of(command: Command, items: &'static str, beginning: u32, more: &'static str) -> Command {
    let command = command.raw(" (").raw(items).raw(more).raw(" BODY.PEEK[HEADER]");
    match beginning {
        0 => command.raw(")"),
        octets => command.raw(" BODY.PEEK[TEXT]<0.").number(octets).raw(">)"),
    }
}

/// The message, if this is an answer to [`Session::whole`]. Of a header of more than a megabyte it has the beginning.
pub(crate) fn message_of(
    selected: &Selected,
    mut fetch: Fetch,
    beginning: u32,
) -> Result<Message, MailError> {
    let octets = |body| match body {
        Some(Body::Octets(octets)) => Ok((octets, false)),
        Some(Body::Cut(octets)) => Ok((octets, true)),
        Some(Body::Nil) => Ok((Bytes::new(), false)),
        Some(Body::Streamed) | None => Err(MailError::Protocol),
    };
    if fetch.cut {
        return Err(MailError::TooComplex);
    }
    fetch.fill();
    let (header, header_cut) = octets(fetch.header.take())?;
    let (mut text, _) = if beginning == 0 { (Bytes::new(), false) } else { octets(fetch.text.take())? };
    text.truncate(beginning as usize);
    let (folder, uid_validity) = (selected.folder.clone(), selected.uid_validity);
    let odd = std::mem::take(&mut fetch.odd);
    let summary = fetch.into_summary().ok_or(MailError::Protocol)?;
    let at = MessageRef { folder, uid_validity, uid: summary.uid };
    let mut message = Message { at, summary, header, beginning: text, header_cut };
    if beginning > 0 && message.beginning.len() < beginning as usize {
        structure::correct(&mut message, !odd.is_empty());
    }
    Ok(message)
}
