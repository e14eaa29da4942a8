//! What the user makes of drafts, where the account's owner wants that learnt: drafts are remembered when they are written
//! and compared with what was sent in their place. A failure here is logged and never fails the caller.

use crate::{Drafted, Styles};
use imapmcp_core::{
    account::Account,
    mail::{Flag, Locator, MailError, Page, Role, Summary},
    store::StoreError,
};
use imapmcp_mime::{
    compose::{Draft, Letter},
    header,
    view::Format,
};
use imapmcp_organizing::{Opened, text};
use std::time::Duration;

/// Messages of Sent that are compared with remembered drafts.
const RECENT: u32 = 30;
/// Messages read at a time: a draft should not wait for long.
const AT_ONCE: usize = 3;
const DEADLINE: Duration = Duration::from_secs(3);

impl Styles {
    /// Remembers a draft that was written now, in place of the one with the Message-ID `old`.
    pub async fn draft_written(&self, account: &Account, draft: &Draft, old: Option<&str>) {
        let work = async {
            if !self.all(&account.user).await?.contains_key(&account.id) {
                return Ok(());
            }
            if let Some(old) = old {
                self.forget(&account.user, &account.id, old).await?;
            }
            let drafted = Drafted {
                message_id: draft.message_id.clone(),
                subject: draft.letter.subject.clone(),
                in_reply_to: draft.letter.in_reply_to.clone(),
                text: draft.letter.text.clone().unwrap_or_default(),
                written_at: self.now(),
            };
            self.drafted(&account.user, &account.id, &drafted).await
        };
        noted(work.await);
    }

    /// A stored draft is being sent: what the user changed in it teaches. One that nobody changed does not: its words are
    /// the client's.
    pub async fn draft_sent(&self, account: &Account, message_id: Option<&str>, draft: &Letter) {
        let work = async {
            let drafts = self.drafts(&account.user, &account.id).await?;
            let by_id = drafts.iter().find(|known| message_id == Some(&known.message_id));
            // mail programs give a draft that was changed a new Message-ID
            let by_subject = || {
                drafts.iter().find(|known| {
                    known.in_reply_to == draft.in_reply_to && same_subject(&known.subject, &draft.subject)
                })
            };
            let Some(known) = by_id.or_else(by_subject) else { return Ok(()) };
            let text = draft.text.clone().unwrap_or_default();
            let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
            let newest = imapmcp_mime::quotes::split(&text).newest;
            if words(newest) == words(&known.text) {
                return self.forget(&account.user, &account.id, &known.message_id).await;
            }
            self.sent(&account.user, &account.id, known, &text).await
        };
        noted(work.await);
    }

    /// Looks for remembered drafts among what the user sent with a mail program of their own. One list of Sent, and the texts
    /// of at most three messages. What is not found in three seconds is found next time.
    pub async fn look_for_drafts(&self, opened: &Opened) {
        let account = &opened.account;
        let work = async {
            let drafts = self.drafts(&account.user, &account.id).await?;
            if drafts.is_empty() {
                return Ok(());
            }
            for (known, text) in found(opened, &drafts).await.unwrap_or_default() {
                self.sent(&account.user, &account.id, known, &text).await?;
            }
            Ok(())
        };
        noted(tokio::time::timeout(DEADLINE, work).await.unwrap_or(Ok(())));
    }
}

async fn found<'a>(opened: &Opened, drafts: &'a [Drafted]) -> Result<Vec<(&'a Drafted, String)>, MailError> {
    let folders = opened.mailbox.folders(false).await?;
    let Some(folder) = folders.by_role(Role::Sent) else {
        return Ok(Vec::new());
    };
    let listing = opened.mailbox.list(&folder.name, &Page { limit: RECENT, after: None }).await?;
    let mut matches: Vec<(&Drafted, &Summary)> = Vec::new();
    for summary in &listing.messages {
        let known = drafts.iter().find(|draft| is_sent_draft(draft, summary));
        if let Some(known) = known.filter(|known| !matches.iter().any(|(one, _)| one == known)) {
            matches.push((known, summary));
        }
    }
    let mut found = Vec::new();
    for (known, summary) in matches.into_iter().take(AT_ONCE) {
        let at = Locator {
            folder: folder.name.clone(),
            uid_validity: Some(listing.uid_validity),
            uid: summary.uid,
        };
        let message = opened.mailbox.message(&at, text::BEGINNING).await?;
        if let Ok(view) = text::of(opened, &message, text::BEGINNING, Format::Text).await {
            found.push((known, view.text));
        }
    }
    Ok(found)
}

/// Whether a message of Sent is what became of a draft: the same Message-ID, or an answer to the same message, later.
fn is_sent_draft(draft: &Drafted, sent: &Summary) -> bool {
    let envelope = &sent.envelope;
    let id = |field: &Option<String>| {
        field.as_deref().and_then(|ids| header::identifiers(ids, 1).pop()).filter(|id| !id.is_empty())
    };
    if id(&envelope.message_id).as_deref() == Some(draft.message_id.as_str()) {
        return true;
    }
    // servers tell whole seconds
    let later = sent.internal_date.is_some_and(|at| at.seconds() >= draft.written_at.seconds());
    let subject = envelope.subject.as_deref().map(header::text).unwrap_or_default();
    later
        && draft.in_reply_to.is_some()
        && id(&envelope.in_reply_to) == draft.in_reply_to
        && same_subject(&subject, &draft.subject)
        && !sent.flags.iter().any(|flag| flag.eq_ignore_ascii_case(Flag::draft().as_str()))
}

fn same_subject(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn noted(done: Result<(), StoreError>) {
    if let Err(error) = done {
        tracing::warn!(%error, "a writing style could not be kept");
    }
}
