//! Pages of messages, and what is missing from them.

use super::{Envelope, MailError, PageCursor, Summary};

/// Messages, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// UIDVALIDITY of the folder.
    pub uid_validity: u32,
    /// Messages in the folder (EXISTS), or matches of the search. Unless it is `exact`, conditions were judged on our side
    /// as the folder was paged through: of a server that may be believed (it cannot judge
    /// [`Criterion::HasAttachment`](super::Criterion::HasAttachment), say) this is at least as large as the truth; of one
    /// whose hits contradict what it says of them, these are the matches found so far.
    pub total: u32,
    /// Whether `total` is neither more nor less than there are.
    pub exact: bool,
    /// The messages.
    pub messages: Vec<Summary>,
    /// Those that belong here and that the server could not, or should not, describe.
    pub omitted: Vec<Omitted>,
    /// Hits further on that were not held against their messages yet, where the server's word is not enough; else 0.
    pub unchecked: u32,
    /// Where to go on; `None` at the end.
    pub next: Option<PageCursor>,
}

/// A message that is there and cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omitted {
    /// UID, where the server said it.
    pub uid: Option<u32>,
    /// Sequence number, where it was asked for by that.
    pub sequence: Option<u32>,
    /// Why: [`MailError::TooComplex`], or how the server refused.
    pub reason: MailError,
}

/// Envelopes of a folder, those with the highest UIDs first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelopes {
    /// UIDVALIDITY of the folder.
    pub uid_validity: u32,
    /// UID and ENVELOPE of those that could be read.
    pub envelopes: Vec<(u32, Envelope)>,
    /// Where to go on; `None` at the end.
    pub next: Option<PageCursor>,
}
