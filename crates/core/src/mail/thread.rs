//! Conversations.

use super::{FolderName, Message};

/// How much of a conversation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadScope {
    /// Look into Sent, Archive (or All Mail) and INBOX as well as the message's own folder.
    pub cross_folder: bool,
    /// At most this many messages (1..=200), the newest ones.
    pub limit: u32,
    /// Octets of each message's `BODY[TEXT]` to bring along.
    pub beginning: u32,
}

/// How a conversation was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadStrategy {
    /// X-GM-THRID: the provider's own threads.
    Gmail,
    /// THREADID (RFC 8474): the server's own threads.
    ObjectId,
    /// THREAD=REFERENCES (RFC 5256) in the message's folder.
    References,
    /// The transitive closure of Message-ID, In-Reply-To and References, or the base subject where a client wrote none.
    Closure,
}

impl ThreadStrategy {
    /// The word shown to clients.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gmail => "gmail",
            Self::ObjectId => "objectid",
            Self::References => "references",
            Self::Closure => "closure",
        }
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// How it was found.
    pub strategy: ThreadStrategy,
    /// The server's identifier of it (X-GM-THRID, THREADID of RFC 8474), else the root's Message-ID without brackets.
    pub id: Option<String>,
    /// Its messages, oldest first by INTERNALDATE, each Message-ID once (the copy in the message's own folder first,
    /// then INBOX, Sent, Archive).
    pub messages: Vec<Message>,
    /// Messages that are known to belong to it but are not in `messages`: the limit, or a bound.
    pub omitted: u32,
    /// Folders that could not be searched.
    pub skipped: Vec<FolderName>,
}
