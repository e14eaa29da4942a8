//! Mail ports: what the rest of the house needs from IMAP and SMTP, in their RFCs' words (RFC 9051, RFC 5321).
//!
//! Two implementors: the IMAP/SMTP adapters and the mailbox in memory; both pass the same contract suite.
//! Text from servers is handed over as it came (encoded words and all); crate `mime` makes it readable.

mod code;
mod error;
mod flag;
mod folder;
mod listing;
mod mailbox;
mod message;
mod messages;
mod outgoing;
mod page;
mod search;
mod thread;
mod transfer;

pub use code::{MailErrorKind, NetworkFault};
pub use error::{MailError, SubmitError};
pub use flag::{Flag, FlagChange};
pub use folder::{Folder, FolderCounts, FolderName, Folders, Role};
pub use listing::{Listing, Omitted};
pub use mailbox::{MailStore, Mailbox};
pub use message::{Address, Envelope, Message, Part, Summary};
pub use messages::{Locator, MessageRef, Messages};
pub use outgoing::Outgoing;
pub use page::{BadCursor, Page, PageCursor};
pub use search::Criterion;
pub use thread::{Thread, ThreadScope, ThreadStrategy};
pub use transfer::{Outcome, Transfer, TransferKind};

use crate::{account::Login, outbox::Refusal};
use async_trait::async_trait;

/// RFC 5321 envelope of a submission. Addresses are validated when it is made: no control character, no angle
/// bracket, no white space ever reaches the SMTP dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionEnvelope {
    sender: String,
    recipients: Vec<String>,
}

impl SubmissionEnvelope {
    /// Checks every address; `Err` carries the first that is not one.
    pub fn new(sender: &str, recipients: &[String]) -> Result<Self, String> {
        for address in std::iter::once(sender).chain(recipients.iter().map(String::as_str)) {
            if !is_address(address) {
                return Err(address.to_owned());
            }
        }
        Ok(Self { sender: sender.to_owned(), recipients: recipients.to_vec() })
    }

    /// Reverse path.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// Forward paths.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }
}

/// Whether `text` is a plain `local@domain` that cannot break out of an SMTP command or a header field
/// (a subset of RFC 5321 §4.1.2 Mailbox: no quoted local parts, no address literals; UTF-8 allowed, RFC 6531).
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str, extra: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && part.chars().all(|c| {
                c.is_ascii_alphanumeric() || extra.contains(c) || (!c.is_ascii() && c.is_alphanumeric())
            })
    };
    local.len() <= 64 && text.len() <= 254 && plain(local, "!#$%&'*+-/=?^_`{|}~.") && plain(domain, "-.")
}

/// What the submission server took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submitted {
    /// Recipients it accepted.
    pub accepted: Vec<String>,
    /// Recipients it refused while taking the message for the others.
    pub refused: Vec<Refusal>,
}

/// Asked once per submission, when nothing but the final dot is missing: until then the server must not deliver
/// (RFC 5321 §4.1.1.4), from then on nobody but the server can tell. The place to record that durably.
#[async_trait]
pub trait FinalDot: Send + Sync {
    /// Whether the dot may leave; `refused` are the recipients the server refused at RCPT.
    async fn may_leave(&self, refused: &[Refusal]) -> bool;
}

/// Submits messages (RFC 6409).
#[async_trait]
pub trait Submission: Send + Sync {
    /// Submits one message. [`SubmitError::Unknown`] means: the final dot has no answer.
    async fn submit(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
    ) -> Result<Submitted, SubmitError>;

    /// Submits one message, asking `dot` before it is complete. Where a submission has no such moment, it is asked before
    /// everything.
    async fn submit_when(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
        dot: &dyn FinalDot,
    ) -> Result<Submitted, SubmitError> {
        if !dot.may_leave(&[]).await {
            return Err(SubmitError::Withheld);
        }
        self.submit(login, envelope, message).await
    }

    /// Connects, authenticates, says NOOP and QUIT: proves that the login works.
    async fn probe(&self, login: &Login) -> Result<(), MailError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_carry_a_second_command() {
        for bad in [
            "a@b.c>\r\nRCPT TO:<x@y.z",
            "a b@c.d",
            "a@b@c d",
            "<a@b.c>",
            "@b.c",
            "a@",
            "a@.b",
            "a..b@c.d",
            "a@b.c\0",
            "\"a b\"@c.d",
        ] {
            assert!(!is_address(bad), "{bad:?}");
            assert!(SubmissionEnvelope::new("me@example.com", &[bad.to_owned()]).is_err());
        }
        for good in ["a@b", "a.b+c@d-e.example", "jürgen@müller.example", "o'neil@example.com"] {
            assert!(is_address(good), "{good:?}");
        }
    }
}
