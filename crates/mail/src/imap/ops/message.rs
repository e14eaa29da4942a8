//! Reading one message: summary and header, a section, a stream of a part.

use crate::imap::{
    connection::{batch::Batch, selected::Selected, session::Session},
    wire::{
        command::Command,
        fault::{Fault, fetch_refusal},
        fetch::{Body, Fetch},
        framing::Limits,
        response::Kind,
        tap::{Piece, Sink, fetches},
    },
};
use crate::{lock::lock, wire_text::NO_SUCH_PART};
use bytes::Bytes;
use imapmcp_core::mail::{Locator, MailError, Message, MessageRef, Part};
use std::sync::{Arc, Mutex};

impl Session {
    /// Enters the folder and fetches from one message in one write; what was fetched counts only if the folder is
    /// still the one the reference was made in.
    pub(crate) async fn fetch_one(
        &mut self,
        at: &Locator,
        fetch: Command,
        limits: Limits,
    ) -> Result<(Selected, Fetch), Fault> {
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
        message_of(&selected, fetch, beginning).map_err(Fault::Said)
    }

    /// The items of a message with its header and the beginning of its text, and `more`.
    pub(crate) fn whole(&self, command: Command, beginning: u32, more: &'static str) -> Command {
        whole_of(command, self.items(), beginning, more)
    }

    /// At most `limit` octets of a section.
    pub(crate) async fn section(&mut self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, Fault> {
        let fetch = Command::new("UID FETCH ")
            .number(at.uid)
            .raw(" (UID BODY.PEEK[")
            .section(section)
            .raw("]<0.")
            .number(limit)
            .raw(">)");
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
    async fn has_part(&mut self, uid: u32, section: &str) -> Result<bool, Fault> {
        let numbers = section.trim_end_matches(|c: char| c.is_ascii_uppercase() || c == '.');
        if numbers.is_empty() {
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

    /// Gives the octets of a part to a sink as they come; `sink` is told in which transfer encoding. A server that can
    /// decode (BINARY, RFC 3516) does: a quarter less on the wire.
    pub(crate) async fn stream(
        &mut self,
        at: &Locator,
        part: &Part,
        sink: impl Fn(&str) -> Sink,
    ) -> Result<(), Fault> {
        // Not one octet may be given out for a stale reference: entering comes first.
        let batch = self.run(vec![self.enter(&at.folder)]).await?;
        self.entered(&batch, at.uid_validity)?;
        let is_encoded =
            ["base64", "quoted-printable"].iter().any(|known| part.encoding.eq_ignore_ascii_case(known));
        if is_encoded && self.capabilities.has_binary() {
            match self.stream_section(at, "BINARY.PEEK[", &part.section, sink("binary")).await {
                // RFC 3516 §4.3: it may be unable to decode what somebody else can
                Err(Fault::Said(MailError::Refused { .. })) => {}
                streamed => return streamed,
            }
        }
        self.stream_section(at, "BODY.PEEK[", &part.section, sink(&part.encoding)).await
    }

    async fn stream_section(
        &mut self,
        at: &Locator,
        item: &'static str,
        section: &str,
        sink: Sink,
    ) -> Result<(), Fault> {
        let fetch =
            Command::new("UID FETCH ").number(at.uid).raw(" (UID ").raw(item).section(section).raw("])");
        // The tap has it while octets come; what a server sends as a quoted string is given afterwards.
        let sink = Arc::new(Mutex::new((sink, false)));
        let tapped = Arc::clone(&sink);
        let give = move |piece: Piece<'_>| {
            let mut sink = lock(&tapped);
            sink.1 = true;
            (sink.0)(piece)
        };
        let batch = self.run_within(vec![fetch], Limits::STREAM, Some(Box::new(give))).await?;
        let given = lock(&sink).1;
        if given && !batch.is_ok(0) {
            // some of it was given out: nobody may begin anew
            return Err(Fault::Broken(MailError::Protocol));
        }
        match any_body(of_message(batch, 0, at.uid)?) {
            Some(Body::Streamed) => Ok(()),
            Some(Body::Octets(octets)) if octets.is_empty() && !self.has_part(at.uid, section).await? => {
                Err(Fault::Said(NO_SUCH_PART))
            }
            Some(Body::Octets(octets)) => {
                let mut sink = lock(&sink);
                for piece in [Piece::Start, Piece::Octets(&octets), Piece::End] {
                    if !(sink.0)(piece) {
                        break;
                    }
                }
                Ok(())
            }
            Some(Body::Nil) => Err(Fault::Said(NO_SUCH_PART)),
            Some(Body::Cut(_)) | None => Err(Fault::Said(MailError::Protocol)),
        }
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

/// The one section that was asked for.
fn any_body(fetch: Fetch) -> Option<Body> {
    fetch.body.or(fetch.text).or(fetch.header)
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
    let (header, header_cut) = octets(fetch.header.take())?;
    let (mut text, _) = if beginning == 0 { (Bytes::new(), false) } else { octets(fetch.text.take())? };
    text.truncate(beginning as usize);
    let (folder, uid_validity) = (selected.folder.clone(), selected.uid_validity);
    let summary = fetch.into_summary().ok_or(MailError::Protocol)?;
    Ok(Message {
        at: MessageRef { folder, uid_validity, uid: summary.uid },
        summary,
        header,
        beginning: text,
        header_cut,
    })
}

/// What the command at `place` and everything with it said of the message, or [`MailError::Gone`] if nothing.
fn of_message(batch: Batch, place: usize, uid: u32) -> Result<Fetch, Fault> {
    match batch.statuses.get(place) {
        Some(status) if status.kind == Kind::Ok => {}
        // One message that cannot be had is no reason to slow the account down.
        Some(status) => return Err(Fault::Said(fetch_refusal(status))),
        None => return Err(Fault::PROTOCOL),
    }
    let all: Vec<_> = fetches(batch.items).collect();
    // Changes of flags may come with the sequence number alone.
    let sequence = all.iter().find(|fetch| fetch.uid == Some(uid)).map(|fetch| fetch.sequence);
    // A response that was cut may have lost the UID; there was one message to tell of.
    let sequence = sequence.or_else(|| all.iter().find(|fetch| fetch.cut).map(|fetch| fetch.sequence));
    let own = all.into_iter().filter(|fetch| Some(fetch.sequence) == sequence);
    own.reduce(|mut known, later| {
        known.merge(later);
        known
    })
    .ok_or(Fault::Said(MailError::Gone))
}
