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
    /// INTERNALDATE on or after this UTC day.
    Since(Timestamp),
    /// INTERNALDATE before this UTC day.
    Before(Timestamp),
    /// Not \Seen.
    Unseen,
    /// \Seen.
    Seen,
    /// \Flagged.
    Flagged,
    /// Larger than so many octets.
    Larger(u32),
}
