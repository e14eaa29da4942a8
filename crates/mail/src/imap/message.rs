//! Reading one message: summary and header, a section, a stream of a part.

use super::{
    command::Command,
    fault::Fault,
    fetch::{Body, Fetch},
    session::{Reply, Selected, Session},
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
        let commands = vec![self.enter(&at.folder), fetch];
        let mut replies = self.run_within(commands, limits, None)?.into_iter();
        let entering = replies.next().ok_or(Fault::PROTOCOL)?;
        let selected = self.entered(entering, at.uid_validity)?;
        let fetch = of_message(replies.next(), at.uid)?;
        Ok((selected, fetch))
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
            Some(Body::Octets(octets)) if octets.len() <= limit as usize => Ok(octets),
            Some(Body::Nil) => Err(Fault::Said(crate::NO_SUCH_PART)),
            _ => Err(Fault::Said(MailError::Protocol)),
        }
    }

    /// Gives the octets of a section to `sink` as they come.
    pub(crate) fn stream(&mut self, at: &Locator, section: &str, sink: Sink) -> Result<(), Fault> {
        // Not one octet may be given out for a stale reference: entering comes first, unless it is known to be right.
        if self.selected().is_none_or(|selected| selected.folder != at.folder) {
            let entering = self.run(vec![self.enter(&at.folder)])?.pop().ok_or(Fault::PROTOCOL)?;
            self.entered(entering, at.uid_validity)?;
        } else if at
            .uid_validity
            .is_some_and(|known| self.selected().is_some_and(|now| now.uid_validity != known))
        {
            return Err(Fault::Said(MailError::Stale));
        }
        let fetch =
            Command::new("UID FETCH ").number(at.uid).raw(" (UID BODY.PEEK[").section(section).raw("])");
        // The tap has it while octets come; what a server sends as a quoted string is given afterwards.
        let sink = Arc::new(Mutex::new(sink));
        let tapped = Arc::clone(&sink);
        let give = move |piece: Piece<'_>| {
            let mut sink = tapped.lock().unwrap_or_else(PoisonError::into_inner);
            (*sink)(piece)
        };
        let commands = vec![Command::new("NOOP"), fetch];
        let reply = self.run_within(commands, Limits::default(), Some(Box::new(give)))?.pop();
        match of_message(reply, at.uid)?.body {
            Some(Body::Streamed) => Ok(()),
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

/// The fetched message, or [`MailError::Gone`] if the server had nothing to say about it.
fn of_message(reply: Option<Reply>, uid: u32) -> Result<Fetch, Fault> {
    let items = reply.ok_or(Fault::PROTOCOL)?.ok()?.items;
    fetches(items)
        .filter(|fetch| fetch.uid == Some(uid))
        .reduce(|mut known, later| {
            known.merge(later);
            known
        })
        .ok_or(Fault::Said(MailError::Gone))
}
