//! The text of a message: which parts, whence their octets, made readable off the async threads.

use crate::Opened;
use bytes::Bytes;
use imapmcp_core::mail::{Locator, MailError, Message, Part};
use imapmcp_mime::{
    body, locate,
    view::{self, Format, View},
};

/// Octets of a message's text that come with its header: most texts lie wholly within them, so that reading costs one
/// round trip, and a large attachment costs no more than this.
pub const BEGINNING: u32 = 96 * 1024;
/// The same for each message of a conversation.
pub const THREAD_BEGINNING: u32 = 32 * 1024;
/// Octets below which a hop to another thread costs more than the work: of text that may be HTML, and of plain text.
const HERE: usize = 16 * 1024;
const PLAIN_HERE: usize = 96 * 1024;

/// Why a text cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The mailbox.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// A bug: making it readable ended half-way.
    #[error("making a text readable ended half-way: {0}")]
    Broken(String),
}

/// The message's text in this format; `asked` is how much of it was asked for with the header. Parts that do not lie
/// wholly within that are fetched.
pub async fn of(opened: &Opened, message: &Message, asked: u32, format: Format) -> Result<View, TextError> {
    let whole = [Part { section: "TEXT".to_owned(), media_type: "text/plain".to_owned(), ..Part::default() }];
    let parts = &message.summary.parts;
    // the structure could not be read: the text as it is beats nothing
    let parts = if parts.is_empty() { &whole[..] } else { parts };
    let mut pieces: Vec<(Part, Bytes)> = Vec::new();
    for part in view::wanted(parts, format) {
        let octets = if let Some(octets) = here(message, asked, part) {
            octets
        } else {
            let at = Locator::from(message.at.clone());
            opened.mailbox.section(&at, &part.section, body::MAX_TEXT).await?
        };
        pieces.push((part.clone(), octets));
    }
    let octets: usize = pieces.iter().map(|(_, octets)| octets.len()).sum();
    let is_plain = pieces.iter().all(|(part, octets)| view::is_plain(part, octets));
    let work = move || {
        let parts: Vec<(&Part, &[u8])> = pieces.iter().map(|(part, octets)| (part, &octets[..])).collect();
        view::render(&parts, format)
    };
    let limit = if is_plain { PLAIN_HERE } else { HERE };
    if octets <= limit {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| TextError::Broken(error.to_string()))
}

/// A part's octets out of what came with the header.
fn here(message: &Message, asked: u32, part: &Part) -> Option<Bytes> {
    let text = &message.beginning;
    let complete = text.len() < asked as usize;
    if part.section == "TEXT" {
        return complete.then(|| text.clone());
    }
    let found = locate::section(&message.header, text, complete, part)?;
    Some(text.slice_ref(found))
}
