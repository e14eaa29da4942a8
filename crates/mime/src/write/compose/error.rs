//! What is wrong with a draft.

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
