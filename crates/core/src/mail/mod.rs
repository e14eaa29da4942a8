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
mod submission;
mod thread;
mod transfer;

pub use code::{MailErrorKind, NetworkFault};
pub use error::{MailError, SubmitError};
pub use flag::{Flag, FlagChange};
pub use folder::{Folder, FolderCounts, FolderName, Folders, Role};
pub use listing::{Envelopes, Listing, Omitted};
pub use mailbox::{MailStore, Mailbox};
pub use message::{Address, Envelope, Message, Part, Summary};
pub use messages::{Beginning, Locator, MessageRef, Messages};
pub use outgoing::Outgoing;
pub use page::{BadCursor, Page, PageCursor};
pub use search::Criterion;
pub use submission::{FinalDot, Submission, SubmissionEnvelope, Submitted};
pub use thread::{Thread, ThreadScope, ThreadStrategy};
pub use transfer::{Outcome, Transfer, TransferKind};
