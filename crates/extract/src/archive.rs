//! ZIP files: what is in them, bounded before it is unpacked.

use crate::{error::ExtractError, pages::Text};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Files listed.
const MAX_LISTED: usize = 1000;
/// Octets unpacked of one member: a bomb stops here.
const MAX_MEMBER: u64 = 48 * 1024 * 1024;

pub(crate) enum Kind {
    Docx,
    Pptx,
    /// XLSX, XLSB, ODS.
    Sheet,
    Zip,
}

pub(crate) type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

pub(crate) fn open(octets: &[u8]) -> Result<Archive<'_>, ExtractError> {
    ZipArchive::new(Cursor::new(octets)).map_err(|_| ExtractError::Damaged)
}

/// Office files are ZIP files with known members.
pub(crate) fn kind(octets: &[u8]) -> Result<Kind, ExtractError> {
    let mut archive = open(octets)?;
    let has = |name: &str| archive.file_names().flatten().any(|known| known == name);
    let kind = if has("word/document.xml") {
        Kind::Docx
    } else if has("ppt/presentation.xml") {
        Kind::Pptx
    } else if has("xl/workbook.xml") || has("xl/workbook.bin") {
        Kind::Sheet
    } else if has("content.xml") && has("mimetype") {
        match member(&mut archive, "mimetype")?.as_slice() {
            b"application/vnd.oasis.opendocument.spreadsheet" => Kind::Sheet,
            _ => Kind::Zip,
        }
    } else {
        Kind::Zip
    };
    Ok(kind)
}

/// One member, unpacked.
pub(crate) fn member(archive: &mut Archive<'_>, name: &str) -> Result<Vec<u8>, ExtractError> {
    let mut file = archive.by_name(name).map_err(|_| ExtractError::Damaged)?;
    let mut octets = Vec::new();
    file.by_ref().take(MAX_MEMBER).read_to_end(&mut octets).map_err(|_| ExtractError::Damaged)?;
    if octets.len() as u64 == MAX_MEMBER {
        return Err(ExtractError::TooHard);
    }
    Ok(octets)
}

/// Names and sizes, as the archive claims them; nothing is unpacked.
pub(crate) fn list(octets: &[u8]) -> Result<Text, ExtractError> {
    let mut archive = open(octets)?;
    let count = archive.len();
    let mut lines = vec![format!("{count} files:")];
    for index in 0..count.min(MAX_LISTED) {
        // members that are encrypted or packed by unknown means have names all the same
        let Ok(file) = archive.by_index_raw(index) else { continue };
        let name = file.name().map(|name| imapmcp_mime::header::one_line(&name)).unwrap_or_default();
        lines.push(format!("- {} ({} octets)", name.chars().take(300).collect::<String>(), file.size()));
    }
    let mut text = Text::whole("zip", lines.join("\n"));
    text.cut = count > MAX_LISTED;
    Ok(text)
}
