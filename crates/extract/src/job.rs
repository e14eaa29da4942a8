//! One file: what it is, and who reads it.

use crate::{ExtractError, archive, office, picture, sheet, text};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What is wanted of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    Text { filename: String, content_type: String, charset: Option<String>, pages: Option<(u32, u32)> },
    Picture,
}

/// What it came to; the text or the picture goes beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Text { kind: String, pages: Option<u32>, cut: bool },
    Picture { media_type: String },
}

/// Text of a file, in pages where it has such.
pub(crate) struct Text {
    pub(crate) kind: &'static str,
    /// A name (of a sheet) and its text.
    pub(crate) pages: Vec<(Option<String>, String)>,
    /// What the pages are called in headings; `None` when the file has none.
    pub(crate) unit: Option<&'static str>,
    pub(crate) cut: bool,
}

impl Text {
    /// A text without pages.
    pub(crate) fn whole(kind: &'static str, text: String) -> Self {
        Self { kind, pages: vec![(None, text)], unit: None, cut: false }
    }
}

pub(crate) fn run(job: &Job, octets: &[u8]) -> Result<(Answer, Vec<u8>), ExtractError> {
    match job {
        Job::Picture => {
            let (media_type, octets) = picture::scaled(octets)?;
            Ok((Answer::Picture { media_type: media_type.to_owned() }, octets))
        }
        Job::Text { filename, content_type, charset, pages } => {
            let text = read(filename, content_type, charset.as_deref(), octets)?;
            let total = text.unit.map(|_| u32::try_from(text.pages.len()).unwrap_or(u32::MAX));
            let (joined, cut) = joined(&text, *pages)?;
            let answer = Answer::Text { kind: text.kind.to_owned(), pages: total, cut: cut || text.cut };
            Ok((answer, joined.into_bytes()))
        }
    }
}

/// By what the file is; by its type and name only where its octets say nothing.
fn read(
    filename: &str,
    content_type: &str,
    charset: Option<&str>,
    octets: &[u8],
) -> Result<Text, ExtractError> {
    let ending = filename.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let content_type = content_type.to_ascii_lowercase();
    if octets.len() > 4 && octets[..octets.len().min(1024)].windows(5).any(|window| window == b"%PDF-") {
        return text::pdf(octets);
    }
    if octets.starts_with(b"PK\x03\x04") || octets.starts_with(b"PK\x05\x06") {
        return match archive::kind(octets)? {
            archive::Kind::Docx => office::docx(octets),
            archive::Kind::Pptx => office::pptx(octets),
            archive::Kind::Sheet => sheet::read(octets),
            archive::Kind::Zip => archive::list(octets),
        };
    }
    // OLE2: XLS can be read, DOC and PPT cannot
    if octets.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return if ending == "xls" { sheet::read(octets) } else { Err(ExtractError::Unsupported) };
    }
    if content_type == "message/rfc822" || ending == "eml" {
        return Ok(text::message(octets));
    }
    if content_type.starts_with("text/html") || matches!(ending.as_str(), "html" | "htm" | "xhtml") {
        return Ok(text::html(octets, charset));
    }
    if content_type == "text/calendar" || ending == "ics" {
        return Ok(text::calendar(octets, charset));
    }
    text::plain(octets, charset, &content_type)
}

fn joined(text: &Text, pages: Option<(u32, u32)>) -> Result<(String, bool), ExtractError> {
    let (first, last) = pages.unwrap_or((1, u32::MAX));
    if first as usize > text.pages.len().max(1) {
        return Err(ExtractError::NoSuchPage);
    }
    let mut joined = String::new();
    let numbered = (1_u32..).zip(&text.pages).filter(|(number, _)| (first..=last).contains(number));
    for (number, (name, page)) in numbered {
        if !joined.is_empty() {
            joined.push_str("\n\n");
        }
        if let Some(unit) = text.unit {
            let name = name.as_deref().map(|name| format!(": {name}")).unwrap_or_default();
            let _ = write!(joined, "## {unit} {number}{name}\n\n");
        }
        joined.push_str(page.trim_end());
        if joined.len() > crate::MAX_TEXT {
            let mut end = crate::MAX_TEXT;
            while !joined.is_char_boundary(end) {
                end -= 1;
            }
            joined.truncate(end);
            return Ok((imapmcp_mime::body::visible(&joined), true));
        }
    }
    Ok((imapmcp_mime::body::visible(&joined), false))
}
