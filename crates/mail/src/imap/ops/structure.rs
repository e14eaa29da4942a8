//! Parts of a message that its server describes wrongly: its own header fields and octets tell what they are.

use super::one::of_message;
use crate::imap::{
    connection::session::Session,
    wire::{
        command::Command,
        fault::Fault,
        fetch::{Body, Fetch},
        framing::Limits,
        response::Data,
    },
};
use bytes::Bytes;
use imapmcp_core::mail::{Locator, MailError, Message, Part};
use imapmcp_mime::{is_doubtful, structure_of};

/// Octets of a message that are read to take it apart.
const MAX_TEXT: u32 = 32 << 20;
/// Octets of one part's header that are read.
const MAX_HEADER: u32 = 16 << 10;
/// Parts whose headers are asked for.
const MAX_ODD: usize = 50;
/// By how much sizes may differ: line ends at the end.
const TOLERANCE: u64 = 4;

/// Corrects the parts of a message that is all here; `odd` says that some cannot be right.
pub(crate) fn correct(message: &mut Message, odd: bool) {
    let (header, text, parts) = (&message.header, &message.beginning, &mut message.summary.parts);
    if !message.header_cut && (odd || is_doubtful(header, text, parts)) {
        *parts = structure_of(header, text);
    }
}

/// Whether the sizes tell that the server took a message of several parts for one, or did not find its text.
fn is_lumped(message: &Message) -> bool {
    let text = message.summary.size.saturating_sub(message.header.len() as u64);
    let parts = &message.summary.parts;
    let octets = parts.iter().map(|part| part.size).fold(0, u64::saturating_add);
    let header = &message.header;
    match parts.as_slice() {
        [] => true,
        _ if octets == 0 => text > TOLERANCE,
        [only] if own_part(header).is_none() => only.size.abs_diff(text) <= TOLERANCE,
        _ => false,
    }
}

/// What the header says of a message, or of a part, that has no parts.
fn own_part(header: &[u8]) -> Option<Part> {
    structure_of(header, b"").into_iter().next().filter(|part| part.section == "1")
}

impl Session {
    /// The message with the parts that it has. What its server says of them is held against the header, against the text
    /// that is here, and against the sizes; only where it cannot be right, something more is asked. `odd` are sections
    /// whose description cannot be.
    pub(crate) async fn with_true_parts(
        &mut self,
        mut message: Message,
        odd: Vec<String>,
        asked: u32,
    ) -> Result<Message, Fault> {
        let is_whole = asked > 0 && message.beginning.len() < asked as usize;
        if message.header_cut || is_whole {
            return Ok(message);
        }
        if let [only] = message.summary.parts.as_mut_slice()
            && only.section == "1"
            && let Some(own) = own_part(&message.header)
        {
            // the only part: its header is the message's
            let differs = own.media_type != only.media_type || own.encoding != only.encoding;
            if differs || !odd.is_empty() {
                let text = message.summary.size.saturating_sub(message.header.len() as u64);
                *only = Part { size: if only.size == 0 { text } else { only.size }, ..own };
            }
            return Ok(message);
        }
        if !odd.is_empty() {
            self.read_headers(&mut message, odd).await?;
        }
        if is_lumped(&message) || is_doubtful(&message.header, &message.beginning, &message.summary.parts) {
            let text = self.text(&Locator::from(message.at.clone())).await?;
            if is_doubtful(&message.header, &text, &message.summary.parts) {
                message.summary.parts = structure_of(&message.header, &text);
            }
        }
        Ok(message)
    }

    /// Describes parts by their own headers.
    async fn read_headers(&mut self, message: &mut Message, mut odd: Vec<String>) -> Result<(), Fault> {
        odd.truncate(MAX_ODD);
        let uid = message.at.uid;
        let fetch = |section: &String| {
            let section = format!("{section}.MIME");
            Command::new("UID FETCH ").number(uid).raw(" (UID ").peek(&section, Some(MAX_HEADER)).raw(")")
        };
        let batch =
            self.run_within(odd.iter().map(fetch).collect(), Limits::section(MAX_HEADER * 50), None).await?;
        let bodies = batch.items.into_iter().filter_map(|item| match item {
            Data::Fetch(fetch) if fetch.uid == Some(uid) => fetch.body,
            _ => None,
        });
        // in the order in which they were asked for; if some are missing, nobody can tell which
        let bodies: Vec<Body> = bodies.collect();
        if bodies.len() != odd.len() {
            return Ok(());
        }
        for (section, body) in odd.iter().zip(bodies) {
            let (Body::Octets(header), Some(part)) =
                (body, message.summary.parts.iter_mut().find(|part| part.section == *section))
            else {
                continue;
            };
            if let Some(own) = own_part(&header).filter(|_| !header.is_empty()) {
                *part = Part { section: section.clone(), size: part.size, ..own };
            }
        }
        Ok(())
    }

    /// The text of a message, as much of it as is read.
    async fn text(&mut self, at: &Locator) -> Result<Bytes, Fault> {
        let fetch =
            Command::new("UID FETCH ").number(at.uid).raw(" (UID ").peek("TEXT", Some(MAX_TEXT)).raw(")");
        let batch = self.run_within(vec![fetch], Limits::section(MAX_TEXT), None).await?;
        let Fetch { text, .. } = of_message(batch, 0, at.uid)?;
        match text {
            Some(Body::Octets(octets)) => Ok(octets),
            Some(Body::Nil) => Ok(Bytes::new()),
            _ => Err(Fault::Said(MailError::Protocol)),
        }
    }
}
