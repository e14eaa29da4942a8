//! Reading one message: summary and header, a section, a stream of a part.

use super::{
    command::Command,
    fault::Fault,
    fetch::{Body, Fetch},
    session::{Batch, Selected, Session},
    tap::{Piece, Sink, fetches},
    wire::Limits,
};
use bytes::Bytes;
use imapmcp_core::mail::{Locator, MailError, Message, MessageRef};
use std::sync::{Arc, Mutex, PoisonError};

impl Session {
    /// Enters the folder and fetches from one message in one write; what was fetched counts only if the folder is
    /// still the one the reference was made in.
    fn fetch_one(
        &mut self,
        at: &Locator,
        fetch: Command,
        limits: Limits,
    ) -> Result<(Selected, Fetch), Fault> {
        let batch = self.run_within(vec![self.enter(&at.folder), fetch.clone()], limits, None)?;
        let selected = self.entered(&batch, at.uid_validity)?;
        let news = batch.news;
        match of_message(batch, 1, at.uid) {
            // It may have arrived just now, and the server looked only after it had answered.
            Err(Fault::Said(MailError::Gone)) if news => {
                let batch = self.run_within(vec![fetch], limits, None)?;
                Ok((selected, of_message(batch, 0, at.uid)?))
            }
            fetched => Ok((selected, fetched?)),
        }
    }

    /// Summary and header of a message.
    pub(crate) fn message(&mut self, at: &Locator) -> Result<Message, Fault> {
        let fetch = Command::new("UID FETCH ")
            .number(at.uid)
            .raw(" (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER])");
        let (selected, mut fetch) = self.fetch_one(at, fetch, Limits::default())?;
        let header = match fetch.body.take() {
            Some(Body::Octets(header)) => header,
            Some(Body::Nil) => Bytes::new(),
            // A header of more than a megabyte.
            Some(Body::TooLarge | Body::Streamed) | None => return Err(Fault::Said(MailError::Protocol)),
        };
        let at = MessageRef { folder: selected.folder, uid_validity: selected.uid_validity, uid: at.uid };
        let summary = fetch.into_summary().ok_or(Fault::Said(MailError::Protocol))?;
        Ok(Message { at, summary, header })
    }

    /// At most `limit` octets of a section.
    pub(crate) fn section(&mut self, at: &Locator, section: &str, limit: u32) -> Result<Bytes, Fault> {
        let fetch = Command::new("UID FETCH ")
            .number(at.uid)
            .raw(" (UID BODY.PEEK[")
            .section(section)
            .raw("]<0.")
            .number(limit)
            .raw(">)");
        let (_, fetch) = self.fetch_one(at, fetch, Limits::section(limit))?;
        match fetch.body {
            Some(Body::Octets(octets)) if octets.is_empty() && !self.has_part(at.uid, section)? => {
                Err(Fault::Said(crate::NO_SUCH_PART))
            }
            Some(Body::Octets(octets)) if octets.len() <= limit as usize => Ok(octets),
            Some(Body::Nil) => Err(Fault::Said(crate::NO_SUCH_PART)),
            _ => Err(Fault::Said(MailError::Protocol)),
        }
    }

    /// Whether a message has a part, for servers that give nothing instead of NIL for one that is not there.
    fn has_part(&mut self, uid: u32, section: &str) -> Result<bool, Fault> {
        let numbers = section.trim_end_matches(|c: char| c.is_ascii_uppercase() || c == '.');
        if numbers.is_empty() {
            return Ok(true);
        }
        let fetch = Command::new("UID FETCH ").number(uid).raw(" (UID BODYSTRUCTURE)");
        let parts = of_message(self.run(vec![fetch])?, 0, uid)?.parts.unwrap_or_default();
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

    /// Gives the octets of a section to `sink` as they come.
    pub(crate) fn stream(&mut self, at: &Locator, section: &str, sink: Sink) -> Result<(), Fault> {
        // Not one octet may be given out for a stale reference: entering comes first.
        let batch = self.run(vec![self.enter(&at.folder)])?;
        self.entered(&batch, at.uid_validity)?;
        let fetch =
            Command::new("UID FETCH ").number(at.uid).raw(" (UID BODY.PEEK[").section(section).raw("])");
        // The tap has it while octets come; what a server sends as a quoted string is given afterwards.
        let sink = Arc::new(Mutex::new(sink));
        let tapped = Arc::clone(&sink);
        let give = move |piece: Piece<'_>| {
            let mut sink = tapped.lock().unwrap_or_else(PoisonError::into_inner);
            (*sink)(piece)
        };
        let batch = self.run_within(vec![fetch], Limits::default(), Some(Box::new(give)))?;
        match of_message(batch, 0, at.uid)?.body {
            Some(Body::Streamed) => Ok(()),
            Some(Body::Octets(octets)) if octets.is_empty() && !self.has_part(at.uid, section)? => {
                Err(Fault::Said(crate::NO_SUCH_PART))
            }
            Some(Body::Octets(octets)) => {
                let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                for piece in [Piece::Start, Piece::Octets(&octets), Piece::End] {
                    if !(*sink)(piece) {
                        break;
                    }
                }
                Ok(())
            }
            Some(Body::Nil) => Err(Fault::Said(crate::NO_SUCH_PART)),
            Some(Body::TooLarge) | None => Err(Fault::Said(MailError::Protocol)),
        }
    }
}

/// What the command at `place` and everything with it said of the message, or [`MailError::Gone`] if nothing.
fn of_message(batch: Batch, place: usize, uid: u32) -> Result<Fetch, Fault> {
    batch.check(place)?;
    let all: Vec<_> = fetches(batch.items).collect();
    // Changes of flags may come with the sequence number alone.
    let sequence = all.iter().find(|fetch| fetch.uid == Some(uid)).map(|fetch| fetch.sequence);
    let own = all.into_iter().filter(|fetch| Some(fetch.sequence) == sequence);
    own.reduce(|mut known, later| {
        known.merge(later);
        known
    })
    .ok_or(Fault::Said(MailError::Gone))
}
