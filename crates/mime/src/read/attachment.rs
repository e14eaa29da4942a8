//! What a message carries besides its text.

use super::choice::is_own_text;
pub use super::filename::filename;
use crate::transfer;
use imapmcp_core::mail::Part;

/// One attachment, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its place in the list, from 0.
    pub index: usize,
    /// File name, decoded and freed of paths; made up when the message gives none.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// Octets once decoded (an estimate from the encoded size).
    pub size: u64,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Meant to be shown within the text.
    pub inline: bool,
    /// Section of the part.
    pub section: String,
}

/// Every leaf part that is not the message's own text.
pub fn list(parts: &[Part]) -> Vec<Attachment> {
    let own = is_own_text(parts);
    parts
        .iter()
        .filter(|part| !own(part))
        .enumerate()
        .map(|(index, part)| Attachment {
            index,
            filename: name_of(index, part),
            content_type: part.media_type.clone(),
            size: if transfer::name(&part.encoding) == "base64" {
                part.size / 78 * 57 + part.size % 78 * 3 / 4
            } else {
                part.size
            },
            content_id: part.content_id.as_deref().map(|id| id.trim_matches(['<', '>', ' ']).to_owned()),
            inline: is_inline(part),
            section: part.section.clone(),
        })
        .collect()
}

/// A part's file name, or one made of its place.
pub fn name_of(index: usize, part: &Part) -> String {
    filename(part).unwrap_or_else(|| made_up(index, &part.media_type))
}

/// Whether there is anything a person would call an attachment: not the text, not an inline picture.
pub fn any(parts: &[Part]) -> bool {
    // most messages are one text
    if let [only] = parts
        && matches!(only.media_type.as_str(), "text/plain" | "text/html")
        && only.disposition.as_deref() != Some("attachment")
    {
        return false;
    }
    let own = is_own_text(parts);
    parts.iter().any(|part| !is_inline(part) && !own(part))
}

fn is_inline(part: &Part) -> bool {
    part.disposition.as_deref() != Some("attachment") && part.content_id.is_some()
}

fn made_up(index: usize, media_type: &str) -> String {
    let ending = match media_type {
        "message/rfc822" => "eml",
        "text/calendar" => "ics",
        "text/html" => "html",
        "text/plain" => "txt",
        "image/jpeg" => "jpg",
        other => other.rsplit(['/', '+', '.']).next().filter(|ending| ending.len() <= 5).unwrap_or("bin"),
    };
    format!("part-{index}.{ending}")
}
