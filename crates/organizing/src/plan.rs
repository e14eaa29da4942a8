//! The same change to everything a search finds, looked at before it is made.

use crate::{
    ChangeError, Opened, OperationError, OperationKind, Organizer, Progress,
    changes::{archive_folder, trash_folder},
    steps::{Ranges, Undo},
};
use imapmcp_core::{
    id::OperationId,
    mail::{
        Criterion, Flag, FlagChange, FolderName, Messages, Omitted, Outcome, Page, Summary, TransferKind,
    },
    operation::{Operation, OperationState},
};
use serde::{Deserialize, Serialize};

/// Messages of one plan.
const MAX_MESSAGES: usize = 5000;
const PAGE: u32 = 200;

/// What a plan does to every message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Archive,
    Delete,
    Move(FolderName),
    MarkRead,
    MarkUnread,
    Flag,
    Unflag,
}

impl Action {
    const fn verb(&self) -> Verb {
        match self {
            Self::Archive => Verb::Archive,
            Self::Delete => Verb::Delete,
            Self::Move(_) => Verb::Move,
            Self::MarkRead => Verb::MarkRead,
            Self::MarkUnread => Verb::MarkUnread,
            Self::Flag => Verb::Flag,
            Self::Unflag => Verb::Unflag,
        }
    }
}

/// The word of an action in databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    Archive,
    Delete,
    Move,
    MarkRead,
    MarkUnread,
    Flag,
    Unflag,
}

/// A plan as it stands in databases.
#[derive(Serialize, Deserialize)]
struct Plan {
    action: Verb,
    to: Option<String>,
    folder: String,
    uid_validity: u32,
    uids: Ranges,
}

/// A plan that was recorded; nothing was changed.
#[derive(Debug)]
pub struct Planned {
    /// What carries it out, once, within 15 minutes.
    pub id: OperationId,
    /// Where the messages would go.
    pub to: Option<FolderName>,
    /// UIDVALIDITY of the folder.
    pub uid_validity: u32,
    /// The messages, newest first, at most 5,000.
    pub found: Vec<Summary>,
    /// Messages that are found and cannot be described; they are not part of the plan.
    pub omitted: Vec<Omitted>,
    /// Whether there are more messages than the plan takes.
    pub more: bool,
}

/// What carrying a plan out came to.
#[derive(Debug)]
pub struct Ran {
    /// Messages that were changed.
    pub done: usize,
    /// Messages that were not.
    pub failed: usize,
    /// Messages of which the server did not say what became of them.
    pub unknown: usize,
    /// Why the rest was not tried.
    pub problem: Option<ChangeError>,
    /// What takes it back.
    pub operation: Option<OperationId>,
}

/// What has been done so far.
#[derive(Default)]
struct Tally {
    done: usize,
    unknown: usize,
    undo: Undo,
}

impl Tally {
    fn take(&mut self, outcome: &Outcome) {
        self.done += outcome.done.len();
        self.unknown += outcome.unknown.len();
    }

    /// Whether nothing was changed, for certain.
    fn is_empty(&self) -> bool {
        self.done + self.unknown == 0 && self.undo.is_empty()
    }
}

impl Organizer {
    /// Finds messages of a folder and records one change to all of them.
    pub async fn plan(
        &self,
        opened: &Opened,
        folder: &FolderName,
        criterion: &Criterion,
        action: Action,
        progress: Progress<'_>,
    ) -> Result<Planned, OperationError> {
        let verb = action.verb();
        let to = match action {
            Action::Archive => Some(archive_folder(opened).await?),
            Action::Delete => Some(trash_folder(opened).await?),
            Action::Move(to) => Some(to),
            Action::MarkRead | Action::MarkUnread | Action::Flag | Action::Unflag => None,
        };
        if to.as_ref() == Some(folder) {
            return Err(ChangeError::SameFolder.into());
        }
        let found = find(opened, folder, criterion, progress).await?;
        let uids: Vec<u32> = found.messages.iter().map(|message| message.uid).collect();
        let plan = Plan {
            action: verb,
            to: to.clone().map(Into::into),
            folder: folder.clone().into(),
            uid_validity: found.uid_validity,
            uids: Ranges::of(&uids),
        };
        let detail =
            serde_json::to_string(&plan).map_err(|error| OperationError::Record(error.to_string()))?;
        let id = self.record_plan(&opened.account, detail).await?;
        let Found { uid_validity, messages, omitted, more } = found;
        Ok(Planned { id, to, uid_validity, found: messages, omitted, more })
    }

    /// Carries a plan out that [`Organizer::find`] found, once. After an error nothing was changed, and it can be carried
    /// out later.
    pub async fn carry_out(
        &self,
        opened: &Opened,
        operation: &Operation,
        progress: Progress<'_>,
    ) -> Result<Ran, OperationError> {
        let plan: Plan = serde_json::from_str(&operation.detail)
            .map_err(|error| OperationError::Record(error.to_string()))?;
        self.take(operation, OperationKind::Plan).await?;
        let uids = plan.uids.uids();
        let mut tally = Tally::default();
        let mut problem = None;
        for chunk in uids.chunks(Messages::MOST) {
            match plan.one_chunk(opened, chunk, &mut tally).await {
                Ok(()) => progress(tally.done, uids.len()),
                Err(error) if tally.is_empty() => {
                    self.settle(operation, OperationKind::Plan.ready()).await;
                    return Err(error.into());
                }
                // part of it is done: that is the answer, and the rest is told as not done
                Err(error) => {
                    problem = Some(error);
                    break;
                }
            }
        }
        let state = if problem.is_some() { OperationState::Failed } else { OperationState::Done };
        self.settle(operation, state).await;
        Ok(Ran {
            done: tally.done,
            failed: uids.len() - tally.done - tally.unknown,
            unknown: tally.unknown,
            problem,
            operation: self.record(&opened.account, &tally.undo).await,
        })
    }
}

struct Found {
    uid_validity: u32,
    messages: Vec<Summary>,
    omitted: Vec<Omitted>,
    more: bool,
}

async fn find(
    opened: &Opened,
    folder: &FolderName,
    criterion: &Criterion,
    progress: Progress<'_>,
) -> Result<Found, ChangeError> {
    let mut page = Page { limit: PAGE, after: None };
    let (mut messages, mut omitted) = (Vec::new(), Vec::<Omitted>::new());
    loop {
        let listing = opened.mailbox.search(folder, criterion, &page).await?;
        messages.extend(listing.messages);
        for one in listing.omitted {
            // pages may name the same one
            if !omitted.contains(&one) {
                omitted.push(one);
            }
        }
        progress(messages.len(), listing.total as usize);
        let more = listing.next.is_some() && messages.len() >= MAX_MESSAGES;
        if listing.next.is_none() || more {
            messages.truncate(MAX_MESSAGES);
            return Ok(Found { uid_validity: listing.uid_validity, messages, omitted, more });
        }
        page.after = listing.next;
    }
}

impl Plan {
    async fn one_chunk(&self, opened: &Opened, uids: &[u32], tally: &mut Tally) -> Result<(), ChangeError> {
        let messages = Messages::new(self.folder.as_str(), Some(self.uid_validity), uids);
        let (add, remove) = match self.action {
            Verb::Archive | Verb::Delete | Verb::Move => {
                let to = FolderName::from(self.to.as_deref().unwrap_or_default());
                let transfer = opened.mailbox.transfer(&messages, &to, TransferKind::Move).await;
                let transfer = transfer.map_err(ChangeError::of_move)?;
                tally.take(&transfer.outcome);
                tally.undo.transfer(&messages.folder, &transfer, TransferKind::Move);
                return Ok(());
            }
            Verb::MarkRead => (vec![Flag::seen()], Vec::new()),
            Verb::MarkUnread => (Vec::new(), vec![Flag::seen()]),
            Verb::Flag => (vec![Flag::flagged()], Vec::new()),
            Verb::Unflag => (Vec::new(), vec![Flag::flagged()]),
        };
        let change = FlagChange { add, remove };
        let outcome = opened.mailbox.change_flags(&messages, &change).await?;
        tally.take(&outcome);
        tally.undo.flags(&messages.folder, &outcome, &change);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan that was made before an update is carried out after it.
    #[test]
    fn a_stored_plan_is_read_as_it_was_written() {
        let stored =
            r#"{"action":"move","to":"Archive","folder":"INBOX","uid_validity":7,"uids":[[1,3],[9,9]]}"#;
        let plan: Plan = serde_json::from_str(stored).unwrap();
        assert_eq!(
            (plan.action, plan.to.as_deref(), plan.uids.uids().len()),
            (Verb::Move, Some("Archive"), 4)
        );
        assert_eq!(serde_json::to_string(&plan).unwrap(), stored);
        for (word, action) in [
            ("archive", Verb::Archive),
            ("delete", Verb::Delete),
            ("mark_read", Verb::MarkRead),
            ("mark_unread", Verb::MarkUnread),
            ("flag", Verb::Flag),
            ("unflag", Verb::Unflag),
        ] {
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{word}\""));
        }
    }
}
