//! The text of a file, in pages where it has such.

use crate::error::ExtractError;
use std::fmt::Write as _;

/// Octets of text that are taken out of one file.
pub const MAX_TEXT: usize = 2 * 1024 * 1024;

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

    /// The wanted pages under their headings, first and last from 1, and whether there is more than fits.
    pub(crate) fn joined(&self, pages: Option<(u32, u32)>) -> Result<(String, bool), ExtractError> {
        let (first, last) = pages.unwrap_or((1, u32::MAX));
        if first as usize > self.pages.len().max(1) {
            return Err(ExtractError::NoSuchPage);
        }
        let mut joined = String::new();
        let numbered = (1_u32..).zip(&self.pages).filter(|(number, _)| (first..=last).contains(number));
        for (number, (name, page)) in numbered {
            if !joined.is_empty() {
                joined.push_str("\n\n");
            }
            if let Some(unit) = self.unit {
                let name = name.as_deref().map(|name| format!(": {name}")).unwrap_or_default();
                let _ = write!(joined, "## {unit} {number}{name}\n\n");
            }
            joined.push_str(page.trim_end());
            if joined.len() > MAX_TEXT {
                joined.truncate(joined.floor_char_boundary(MAX_TEXT));
                return Ok((imapmcp_mime::body::visible(&joined), true));
            }
        }
        Ok((imapmcp_mime::body::visible(&joined), false))
    }
}
