//! One file: what it is, and who reads it.

use crate::{archive, error::ExtractError, office, pages::Text, picture, sheet, text};
use serde::{Deserialize, Serialize};

/// Octets of a file that is looked at.
pub const MAX_OCTETS: usize = 25 * 1024 * 1024;

/// What is wanted of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    Text { filename: String, content_type: String, charset: Option<String>, pages: Option<(u32, u32)> },
    Picture,
}

/// What it came to; the text or the picture goes beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Extracted {
    Text { kind: String, pages: Option<u32>, cut: bool },
    Picture { media_type: String },
}

pub(crate) fn run(job: &Job, octets: &[u8]) -> Result<(Extracted, Vec<u8>), ExtractError> {
    match job {
        Job::Picture => {
            let (media_type, octets) = picture::scaled(octets)?;
            Ok((Extracted::Picture { media_type: media_type.to_owned() }, octets))
        }
        Job::Text { filename, content_type, charset, pages } => {
            let text = read(filename, content_type, charset.as_deref(), octets)?;
            let total = text.unit.map(|_| u32::try_from(text.pages.len()).unwrap_or(u32::MAX));
            let (joined, cut) = text.joined(*pages)?;
            let answer = Extracted::Text { kind: text.kind.to_owned(), pages: total, cut: cut || text.cut };
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
