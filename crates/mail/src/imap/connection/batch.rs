//! The answers to commands that were written at once.

use crate::imap::wire::{
    fault::{Fault, refusal},
    response::{Code, Data, Kind, Status},
};

/// The answers to a batch of commands.
///
/// Responses are not sorted by command: a server may put off what is new in the folder to the end of a batch
/// (Dovecot does), and whatever it says of a message counts, whichever command it came with.
#[derive(Debug)]
pub(crate) struct Batch {
    /// One per command, in the order of the commands.
    pub(crate) statuses: Vec<Status>,
    /// In the order they came.
    pub(crate) items: Vec<Data>,
    /// How many of them had come when each command was answered.
    pub(crate) marks: Vec<usize>,
    /// Whether messages arrived in or vanished from the folder that was open already.
    pub(crate) news: bool,
    /// Whether messages vanished: sequence numbers in this batch mean nothing.
    pub(crate) expunged: bool,
}

impl Batch {
    /// Fails unless the server said OK to the command at `place`.
    pub(crate) fn check(&self, place: usize) -> Result<(), Fault> {
        match self.statuses.get(place) {
            Some(status) if status.kind == Kind::Ok => Ok(()),
            Some(status) => Err(Fault::Said(refusal(status))),
            None => Err(Fault::PROTOCOL),
        }
    }

    /// The most messages a command may concern, if one of these concerned more (RFC 9738).
    pub(crate) fn message_limit(&self) -> Option<usize> {
        let limit = |status: &Status| match status.code {
            Some(Code::MessageLimit(limit, _)) => usize::try_from(limit).ok().filter(|limit| *limit > 0),
            _ => None,
        };
        self.statuses.iter().find_map(limit)
    }

    /// Whether the server said OK to the command at `place`.
    pub(crate) fn is_ok(&self, place: usize) -> bool {
        self.check(place).is_ok()
    }
}
