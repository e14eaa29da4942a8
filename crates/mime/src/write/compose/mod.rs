//! A person's words to a message (RFC 5322, RFC 2045–2049, RFC 2231), by `mail-builder`.
//!
//! Every string is checked before it reaches the builder: a field that carries a line break or NUL is refused by
//! name, whatever the builder would do with it.

mod address;
mod body;
mod declarations;
mod draft;
mod fields;
mod flowed;
mod html;
mod letter;
mod lines;
mod markdown;
mod parse;
mod part;
mod reply;

pub use address::NamedAddress;
pub(crate) use body::as_markdown;
pub use body::{Body, Signature};
pub use draft::{Draft, Piece, encoded_words};
pub(crate) use fields::is_own as is_own_field;
pub use html::sanitised;
pub use letter::{File, Letter, Passage};
pub use lines::{Base64Lines, encoded_length};
pub(crate) use parse::is_text;
pub use parse::{Parsed, file_of, parse};
pub use part::parameters;
pub use reply::{Answer, Quoted, answer, forward_subject, forwarded, quoted, reply_subject};

use std::borrow::Cow;

/// Octets of all attachments together.
pub const MAX_ATTACHMENTS: usize = 25 * 1024 * 1024;
/// Recipients of one message.
pub const MAX_RECIPIENTS: usize = 100;

/// What is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// Not an address: its text, shortened.
    #[error("`{0}` is not an e-mail address")]
    Address(String),
    /// Nobody to send to.
    #[error("there is no recipient")]
    NoRecipient,
    /// Too many.
    #[error("more than {MAX_RECIPIENTS} recipients")]
    TooManyRecipients,
    /// A field holds a line break or NUL.
    #[error("`{0}` holds a line break or a control character")]
    ControlCharacter(&'static str),
    /// Neither text nor HTML nor a file.
    #[error("the message is empty")]
    Empty,
    /// Attachments over [`MAX_ATTACHMENTS`].
    #[error("the attachments are larger than 25 MB together")]
    TooLarge,
    /// HTML or Markdown that would keep a parser busy: which of them, and the bound it does not keep.
    #[error("`{field}` is too complex: {bound}")]
    TooComplex {
        /// `body_html` or `body_markdown`.
        field: &'static str,
        /// What is too much.
        bound: &'static str,
    },
    /// The attachment's media type or name cannot be written.
    #[error("the attachment's {0} is not valid")]
    File(&'static str),
}

/// Line breaks, NUL and other control characters; a tab is the only one a header field may hold.
fn breaks_out(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// A name that readers would take for an encoded word must not turn into another one on the way.
fn disarmed(name: &str) -> Cow<'_, str> {
    if name.contains("=?") { Cow::Owned(name.replace("=?", "= ?")) } else { Cow::Borrowed(name) }
}

fn shorten(text: &str) -> String {
    crate::header::one_line(text).chars().take(60).collect()
}
