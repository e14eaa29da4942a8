//! Why a file cannot be read, as a model is told.

/// Why a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum ExtractError {
    /// More octets than are looked at.
    #[error("The attachment is too large to be read here; give the user its download link (get_attachment).")]
    TooLarge,
    /// No text can be taken out of such a file.
    #[error(
        "No text can be read from this kind of attachment; give the user its download link (get_attachment)."
    )]
    Unsupported,
    /// It is not what it says, or damaged.
    #[error("The attachment is damaged or encrypted, or not what its name says.")]
    Damaged,
    /// The page, sheet or slide does not exist.
    #[error("The attachment has no such page; leave out `pages` to see how many there are.")]
    NoSuchPage,
    /// It took too long or too much memory: given up.
    #[error("The attachment takes too much time or memory to read; it was given up.")]
    TooHard,
    /// Too many files are being read.
    #[error("Too many attachments are being read at the moment. Try again in a few seconds.")]
    Busy,
}

impl ExtractError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "attachment_too_large",
            Self::Unsupported => "unsupported_attachment",
            Self::Damaged => "damaged_attachment",
            Self::NoSuchPage => "no_such_page",
            Self::TooHard => "attachment_too_hard",
            Self::Busy => "busy",
        }
    }
}
