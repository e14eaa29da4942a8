//! What can happen to an entry.

use crate::schedule::Caller;
use imapmcp_core::outbox::{OutboxState, Refusal, Trouble};

/// What happened to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Its submission begins.
    Tried,
    /// Nothing of it is missing at the server but the final dot, which is about to leave.
    Risked {
        /// The recipients of this submission.
        tried: Vec<String>,
        /// Those of them whom the server has refused so far.
        refused: Vec<Refusal>,
    },
    /// Its submission ended.
    Attempted(Attempt),
    /// Filing its copy ended.
    Filing(Filing),
    /// It was looked for in Sent.
    Lookup(Lookup),
    /// The worker that risked the dot is gone.
    WorkerLost,
    /// Its stored message cannot be opened.
    Unreadable,
    /// The person decided.
    Settled(Hand),
}

/// How a submission ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The server took it.
    Accepted {
        /// The recipients of this submission.
        tried: Vec<String>,
        /// Those of them whom it was not taken for.
        refused: Vec<Refusal>,
        /// The provider puts the copy into Sent by itself.
        saves_itself: bool,
    },
    /// The server refused it for good.
    Rejected {
        /// The recipients of this submission.
        tried: Vec<String>,
        /// SMTP reply code.
        code: u16,
        /// Enhanced status code (RFC 3463).
        enhanced: Option<String>,
        /// The recipients that were refused one by one; if there are none, all were.
        refused: Vec<Refusal>,
    },
    /// The server asks to try again later.
    Deferred {
        /// SMTP reply code.
        code: u16,
        /// Enhanced status code (RFC 3463).
        enhanced: Option<String>,
    },
    /// Perhaps it left.
    Unknown(Trouble),
    /// The account could not be asked for; the server was not called.
    NotTried,
    /// The dot was withheld, and nothing left.
    Withheld,
    /// The dot was withheld because the access it was sent with has ended.
    AccessEnded,
    /// The server was not reached, or the login failed.
    NotSent {
        /// Why.
        trouble: Trouble,
        /// Whether somebody waits, who is told.
        caller: Caller,
    },
}

/// How filing the copy ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filing {
    /// It is in Sent.
    Filed,
    /// It is not in Sent yet; the provider may still put it there.
    NotYet,
    /// It could not be filed.
    Failed(Trouble),
}

/// What Sent says of an unknown outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It is there: it has left.
    Found,
    /// It is not there, and may have left all the same.
    NotFound,
    /// Sent could not be looked at.
    Failed(Trouble),
}

/// What a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hand {
    /// It arrived.
    Arrived,
    /// It is sent once more, at the risk that it arrives twice.
    SendAgain,
    /// What is tried again later is tried now.
    RetryNow,
}

impl Hand {
    /// The state in which it can be decided.
    pub(crate) const fn from(self) -> OutboxState {
        match self {
            Self::Arrived | Self::SendAgain => OutboxState::Unknown,
            Self::RetryNow => OutboxState::Queued,
        }
    }

    /// Whether the message is submitted next.
    pub(crate) const fn sends(self) -> bool {
        match self {
            Self::Arrived => false,
            Self::SendAgain | Self::RetryNow => true,
        }
    }
}

impl Event {
    /// Its name, for logs.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Tried => "a submission",
            Self::Risked { .. } => "the risk of the dot",
            Self::Attempted(_) => "the end of a submission",
            Self::Filing(_) => "the filing of a copy",
            Self::Lookup(_) => "a look into Sent",
            Self::WorkerLost => "the loss of a worker",
            Self::Unreadable => "being unreadable",
            Self::Settled(_) => "a decision by hand",
        }
    }
}
