//! Going through an account's folders, gently: page by page, with a pause as long as the page took.

use super::{Correspondents, Known, seen::Sighted};
use imapmcp_core::{
    account::Account,
    correspondent::{CaughtUp, Reached},
    mail::{Folders, MailError, Mailbox, Page, Role},
    store::StoreError,
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// What came in through other programs since is not known: after so long the folders are gone through again, from where
/// that ended.
pub(super) const CATCH_UP_AFTER: Duration = Duration::from_hours(1);
/// How far behind what is known may be before nobody is called new any more.
const CURRENT: Duration = Duration::from_hours(2);
/// The newest messages of a folder that are gone through.
const NEWEST: usize = 20_000;
const PAGE: u32 = 200;
/// A server that takes longer for all of them keeps others waiting.
const LONGEST: Duration = Duration::from_mins(5);
/// A pause between two pages at least.
const PAUSE: Duration = Duration::from_millis(50);
/// Where people's messages are: what was archived came in once, too.
const FOLDERS: [Role; 4] = [Role::Inbox, Role::Sent, Role::Archive, Role::All];

/// Whether what is known reaches up to about now.
pub(super) fn is_current(to: &CaughtUp, now: Timestamp) -> bool {
    let age = now.0.saturating_sub(to.at.0);
    u64::try_from(age).is_ok_and(|age| Duration::from_millis(age) < CURRENT)
}

/// Why it ended early.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no room for more addresses")]
    NoRoom,
}

impl Correspondents {
    /// Goes through the folders of an account that is said to be under way.
    pub(super) async fn catch_up(&self, account: &Arc<Account>, mailbox: Option<Arc<dyn Mailbox>>) {
        if let (Some(mailbox), Ok(_place)) = (mailbox, self.places.acquire().await)
            && let Err(error) = timeout(LONGEST, self.go_through(account, &*mailbox))
                .await
                .unwrap_or(Err(Interrupted::Mail(MailError::Timeout)))
        {
            tracing::debug!(%error, "the folders of an account are not gone through");
        }
        self.under_way().remove(&account.id);
    }

    async fn go_through(&self, account: &Account, mailbox: &dyn Mailbox) -> Result<(), Interrupted> {
        let Some(known) = self.read(account).await? else { return Ok(()) };
        let at = self.deps.clock.now();
        let all = mailbox.folders(false).await?;
        let mut folders = Vec::new();
        for role in FOLDERS {
            folders.extend(self.go_through_folder(account, mailbox, &known, &all, role).await?);
        }
        Ok(self.reach(account, &known, Some(CaughtUp { at, folders })).await?)
    }

    /// How far it was gone through; `None` if there is no such folder.
    async fn go_through_folder(
        &self,
        account: &Account,
        mailbox: &dyn Mailbox,
        known: &Known,
        all: &Folders,
        role: Role,
    ) -> Result<Option<Reached>, Interrupted> {
        let Some(folder) = all.by_role(role) else { return Ok(None) };
        let (mut after, mut seen, mut reached) = (None, 0, None);
        loop {
            let begun = Instant::now();
            let page = mailbox.envelopes(&folder.name, &Page { limit: PAGE, after }).await?;
            let before = known.caught_up.as_ref().map_or(0, |to| to.reached(role, page.uid_validity));
            let newest = page.envelopes.first().map_or(before, |(uid, _)| *uid);
            reached.get_or_insert(Reached { role, uid_validity: page.uid_validity, uid: newest });
            let new = page.envelopes.iter().take_while(|(uid, _)| *uid > before);
            let sighted: Vec<Sighted> =
                new.flat_map(|(_, envelope)| Sighted::of(account, envelope)).collect();
            if !self.note(account, known, &sighted).await? {
                return Err(Interrupted::NoRoom);
            }
            seen += PAGE as usize;
            let ended = page.envelopes.last().is_some_and(|(uid, _)| *uid <= before) || seen >= NEWEST;
            after = page.next.filter(|_| !ended);
            if after.is_none() {
                return Ok(reached);
            }
            tokio::time::sleep(begun.elapsed().max(PAUSE)).await;
        }
    }
}
