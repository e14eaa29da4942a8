//! A file that goes with a message.

use imapmcp_core::octets::Content;

/// A file to go with a message.
#[derive(Debug, Clone)]
pub struct File {
    /// File name.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// What it holds.
    pub content: Content,
    /// Content-ID without angle brackets, for files shown within the HTML text.
    pub content_id: Option<String>,
    /// Further parameters of the media type, such as a text's charset, by [`super::parameters`].
    pub parameters: Vec<(String, String)>,
    /// Shown where it stands among the texts (RFC 2183 §2.1), and no picture of the HTML text.
    pub in_place: bool,
}

impl File {
    /// A file beside the text.
    pub fn new(filename: impl Into<String>, content_type: impl Into<String>, content: Content) -> Self {
        Self {
            filename: filename.into(),
            content_type: content_type.into(),
            content,
            content_id: None,
            parameters: Vec::new(),
            in_place: false,
        }
    }
}
