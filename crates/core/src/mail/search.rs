//! What to search for, as a tree; adapters compile it (RFC 9051 §6.4.4), strings never reach the wire unencoded.

use crate::time::Timestamp;

/// One condition on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    /// Every one of these; an empty list matches everything.
    And(Vec<Criterion>),
    /// Either.
    Or(Box<Criterion>, Box<Criterion>),
    /// Not this.
    Not(Box<Criterion>),
    /// FROM contains.
    From(String),
    /// TO contains.
    To(String),
    /// CC contains.
    Cc(String),
    /// SUBJECT contains.
    Subject(String),
    /// BODY contains.
    Body(String),
    /// Header or body contains.
    Text(String),
    /// A header field contains; the name is program text.
    Header(&'static str, String),
    /// INTERNALDATE at this moment or later, to the second.
    Since(Timestamp),
    /// INTERNALDATE before this moment, to the second.
    Before(Timestamp),
    /// Not \Seen.
    Unseen,
    /// \Seen.
    Seen,
    /// \Flagged.
    Flagged,
    /// \Answered.
    Answered,
    /// \Draft.
    Draft,
    /// A keyword is set.
    Keyword(super::Flag),
    /// BCC contains.
    Bcc(String),
    /// The message carries a file: Gmail's `has:attachment`; elsewhere multipart/mixed by its Content-Type field, and
    /// the BODYSTRUCTURE of what was found decides.
    HasAttachment,
    /// A part has a file name that contains this, without case.
    Filename(String),
    /// The message has this label (Gmail's X-GM-LABELS); other servers have none, and refuse.
    Label(String),
    /// Smaller than so many octets.
    Smaller(u32),
    /// Larger than so many octets.
    Larger(u32),
}

impl Criterion {
    /// The text that this one condition looks for; `None` of a condition without one, and of several together.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::From(text)
            | Self::To(text)
            | Self::Cc(text)
            | Self::Bcc(text)
            | Self::Subject(text)
            | Self::Body(text)
            | Self::Text(text)
            | Self::Filename(text)
            | Self::Label(text)
            | Self::Header(_, text) => Some(text),
            Self::And(_)
            | Self::Or(..)
            | Self::Not(_)
            | Self::Since(_)
            | Self::Before(_)
            | Self::Unseen
            | Self::Seen
            | Self::Flagged
            | Self::Answered
            | Self::Draft
            | Self::Keyword(_)
            | Self::HasAttachment
            | Self::Smaller(_)
            | Self::Larger(_) => None,
        }
    }
}
