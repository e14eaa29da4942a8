use crate::WritingStyle;
use imapmcp_core::{
    id::{AccountId, UserId},
    secret::{Binding, ExposeSecret, Sealed, Vault},
    store::{RememberedDraft, StoreError, StyleRepository},
    time::{Clock, Timestamp},
};
use imapmcp_mime::quotes;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};

/// Drafts remembered for an account.
pub const MAX_DRAFTS: u32 = 50;
/// And for how long, in seconds.
pub const KEEP_SECONDS: i64 = 30 * 24 * 3600;
/// Octets of a draft's text that are remembered.
const MAX_TEXT: usize = 8 << 10;
/// Two processes may learn at the same moment; the second one reads again.
const TRIES: u32 = 3;

/// What the use cases work with.
pub struct StylesDeps {
    /// What is kept.
    pub repository: Arc<dyn StyleRepository>,
    /// Seals it.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// A draft that was written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// What it answers.
    pub in_reply_to: Option<String>,
    /// Its plain text.
    pub text: String,
    /// When it was written.
    pub written_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    subject: String,
    in_reply_to: Option<String>,
    text: String,
}

/// Writing styles of accounts whose owner switched it on.
pub struct Styles {
    deps: StylesDeps,
}

impl Styles {
    /// Ready for use.
    pub fn new(deps: StylesDeps) -> Self {
        Self { deps }
    }

    /// Switches an account on or off; off deletes all that was kept. `false` if unknown or another user's.
    pub async fn keep(&self, user: &UserId, account: &AccountId, on: bool) -> Result<bool, StoreError> {
        self.deps.repository.keep_style(user, account, on).await
    }

    /// The styles of a user's accounts that are switched on.
    pub async fn all(&self, user: &UserId) -> Result<HashMap<AccountId, WritingStyle>, StoreError> {
        let rows = self.deps.repository.list_styles(user).await?;
        let style = |row: imapmcp_core::store::StyleRow| {
            let style = self.open_profile(user, &row.account, row.profile.as_ref());
            (row.account, style)
        };
        Ok(rows.into_iter().map(style).collect())
    }

    /// Remembers a draft, where that is switched on; the oldest beyond [`MAX_DRAFTS`] are forgotten.
    pub async fn drafted(
        &self,
        user: &UserId,
        account: &AccountId,
        draft: &Drafted,
    ) -> Result<(), StoreError> {
        let mut text = quotes::split(&draft.text).newest.to_owned();
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        let kept = Kept { subject: draft.subject.clone(), in_reply_to: draft.in_reply_to.clone(), text };
        let plain = serde_json::to_vec(&kept).map_err(|error| StoreError::Query(error.into()))?;
        let sealed = self.deps.vault.seal(Binding::style_draft(account, user, &draft.message_id), &plain);
        let remembered = RememberedDraft {
            message_id: draft.message_id.clone(),
            draft: sealed,
            written_at: draft.written_at,
        };
        self.deps.repository.remember_draft(user, account, &remembered, MAX_DRAFTS).await?;
        Ok(())
    }

    /// Drafts that are remembered, the newest first. One that cannot be opened is left out.
    pub async fn drafts(&self, user: &UserId, account: &AccountId) -> Result<Vec<Drafted>, StoreError> {
        let since = self.deps.clock.now().plus_seconds(-KEEP_SECONDS);
        let rows = self.deps.repository.list_drafts(user, account, since).await?;
        let open = |row: RememberedDraft| {
            let plain = self
                .deps
                .vault
                .open(Binding::style_draft(account, user, &row.message_id), &row.draft)
                .ok()?;
            let kept: Kept = serde_json::from_slice(plain.expose_secret()).ok()?;
            Some(Drafted {
                message_id: row.message_id,
                subject: kept.subject,
                in_reply_to: kept.in_reply_to,
                text: kept.text,
                written_at: row.written_at,
            })
        };
        Ok(rows.into_iter().filter_map(open).collect())
    }

    /// Forgets a draft without learning from it.
    pub async fn forget(
        &self,
        user: &UserId,
        account: &AccountId,
        message_id: &str,
    ) -> Result<(), StoreError> {
        self.deps.repository.forget_draft(user, account, message_id).await
    }

    /// Learns from what the person made of a draft, and forgets the draft; each draft teaches once, whoever races.
    pub async fn sent(
        &self,
        user: &UserId,
        account: &AccountId,
        draft: &Drafted,
        text: &str,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let rows = self.deps.repository.list_styles(user).await?;
            let Some(row) = rows.into_iter().find(|row| row.account == *account) else { return Ok(()) };
            let mut style = self.open_profile(user, account, row.profile.as_ref());
            style.learn(&draft.text, text);
            let plain = serde_json::to_vec(&style).map_err(|error| StoreError::Query(error.into()))?;
            let sealed = self.deps.vault.seal(Binding::style_profile(account, user), &plain);
            let learnt =
                self.deps.repository.learn(user, account, &draft.message_id, row.version, &sealed).await?;
            if learnt {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// Forgets drafts that are too old; returns how many.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        self.deps.repository.purge_drafts(self.deps.clock.now().plus_seconds(-KEEP_SECONDS)).await
    }

    /// A profile that cannot be opened (any more) begins anew.
    fn open_profile(&self, user: &UserId, account: &AccountId, sealed: Option<&Sealed>) -> WritingStyle {
        let Some(sealed) = sealed else { return WritingStyle::default() };
        match self.deps.vault.open(Binding::style_profile(account, user), sealed) {
            Ok(plain) => serde_json::from_slice(plain.expose_secret()).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(account = %account, %error, "a writing style cannot be opened");
                WritingStyle::default()
            }
        }
    }
}
