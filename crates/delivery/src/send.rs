//! One send, from the request to the receipt.

use crate::{DeliveryError, digest, in_hand::InHand};
use bytes::Bytes;
use imapmcp_accounts::{AccountError, Accounts};
use imapmcp_core::{
    account::Account,
    id::{AccountId, OutboxId},
    mail::{Criterion, Flag, MailError, Mailbox, Page, Role, Submission, SubmissionEnvelope, SubmitError},
    oauth::{Principal, SendPolicy},
    outbox::{OutboxEntry, OutboxState, Refusal},
    random::{self, Entropy},
    secret::{Binding, Vault},
    store::{Enqueued, OutboxRepository, StoreError},
    time::Clock,
};
use imapmcp_mime::compose::{Draft, File, NamedAddress};
use std::{sync::Arc, time::Duration};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// The same content within this time is the same send.
const REPEAT_SECONDS: i64 = 600;
/// Without a caller to tell, a message is tried again, and a copy is owed, for this long.
const RETRY_SECONDS: i64 = 24 * 3600;

/// Whether somebody waits for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Yes: a failure is theirs to act on, and a retry is a new send.
    Waits,
    /// No: what may pass is tried again later.
    Gone,
}

/// What delivery works with.
pub struct DeliveryDeps {
    /// Accounts and their mailboxes.
    pub accounts: Arc<Accounts>,
    /// The record.
    pub outbox: Arc<dyn OutboxRepository>,
    /// Submission servers.
    pub submission: Arc<dyn Submission>,
    /// Seals the octets at rest.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// What a caller wants sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// With which account.
    pub account: AccountId,
    /// To.
    pub to: Vec<NamedAddress>,
    /// Cc.
    pub cc: Vec<NamedAddress>,
    /// Bcc.
    pub bcc: Vec<NamedAddress>,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
    /// Attachments.
    pub files: Vec<File>,
    /// The same key again is the same send.
    pub idempotency_key: Option<String>,
}

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its record.
    pub id: OutboxId,
    /// Message-ID without angle brackets.
    pub message_id: String,
    /// Where it stands.
    pub state: OutboxState,
    /// Recipients the server took.
    pub accepted: Vec<String>,
    /// Recipients it refused.
    pub rejected: Vec<Refusal>,
    /// Whether the copy is in Sent; `None` while nobody knows.
    pub saved_to_sent: Option<bool>,
    /// True when this is an earlier send's receipt.
    pub repeated: bool,
}

/// Sends messages. Clones share everything.
#[derive(Clone)]
pub struct Delivery {
    pub(crate) deps: Arc<DeliveryDeps>,
    /// Deliveries run here, not on the runtime of a worker that may end before them.
    pub(crate) runtime: Handle,
    pub(crate) under_way: TaskTracker,
    pub(crate) in_hand: InHand,
}

impl Delivery {
    /// Ready to send. Deliveries run on the current tokio runtime, whichever one calls [`Self::send`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(deps: DeliveryDeps) -> Self {
        Self {
            deps: Arc::new(deps),
            runtime: Handle::current(),
            under_way: TaskTracker::new(),
            in_hand: InHand::default(),
        }
    }

    /// Waits until what is under way has ended, at most this long. `false` if something is left (it is recorded
    /// and looked after by the next start).
    pub async fn drain(&self, limit: Duration) -> bool {
        self.under_way.close();
        tokio::time::timeout(limit, self.under_way.wait()).await.is_ok()
    }

    /// Records the message, submits it and files the copy. Once recorded the work goes on even if the caller goes
    /// away: the future may be dropped at any time.
    pub async fn send(&self, principal: &Principal, request: Request) -> Result<Receipt, DeliveryError> {
        let (account, _) = self.deps.accounts.mailbox(&principal.user, &request.account).await?;
        let (entry, octets, copy) = self.record_of(principal, &account, request)?;
        let repeats_since = self.deps.clock.now().plus_seconds(-REPEAT_SECONDS);
        if let Enqueued::Before(before) = self.deps.outbox.enqueue(&entry, repeats_since).await? {
            if before.content != entry.content {
                return Err(DeliveryError::KeyReused);
            }
            return Ok(receipt(&before, true));
        }
        if entry.state == OutboxState::PendingApproval {
            return Ok(receipt(&entry, false));
        }
        let this = self.clone();
        let deliver = async move { this.deliver(entry, octets, copy, Caller::Waits).await };
        let work = self.under_way.spawn_on(deliver, &self.runtime);
        work.await.map_err(|_| DeliveryError::Interrupted)?
    }

    fn record_of(
        &self,
        principal: &Principal,
        account: &Account,
        request: Request,
    ) -> Result<(OutboxEntry, Bytes, Bytes), DeliveryError> {
        let now = self.deps.clock.now();
        let domain = account.email.rsplit('@').next().unwrap_or("localhost");
        let draft = Draft {
            from: NamedAddress::new(account.from_name.as_deref(), &account.email)?,
            to: request.to,
            cc: request.cc,
            bcc: request.bcc,
            subject: request.subject,
            text: request.text,
            html: request.html,
            files: request.files,
            message_id: format!("{}@{domain}", random::token(&*self.deps.entropy, 18)),
            date: now,
        };
        let octets = draft.build()?;
        let copy = draft.copy_of(&octets);
        let recipients = draft.recipients();
        SubmissionEnvelope::new(&account.email, &recipients).map_err(DeliveryError::Address)?;
        let id = OutboxId::random(&*self.deps.entropy);
        // stored with its Bcc field: recovery files the copy from the record
        let message = self.deps.vault.seal(binding(&id, principal.user.as_str()), &copy);
        let state = match principal.send_policy {
            SendPolicy::Immediate => OutboxState::Queued,
            // nothing leaves without a release
            SendPolicy::UndoWindow(_) | SendPolicy::Approval => OutboxState::PendingApproval,
        };
        let entry = OutboxEntry {
            id,
            user: principal.user.clone(),
            account: account.id.clone(),
            grant: principal.grant.clone(),
            state,
            content: digest::content(&account.id, &draft),
            message_id: draft.message_id,
            sender: account.email.clone(),
            recipients,
            message,
            idempotency: request.idempotency_key.map(|key| digest::idempotency(&principal.user, &key)),
            refusals: Vec::new(),
            saved_to_sent: None,
            created_at: now,
            updated_at: now,
        };
        Ok((entry, Bytes::from(octets), Bytes::from(copy)))
    }

    /// Takes a queued entry to its end.
    pub(crate) async fn deliver(
        &self,
        mut entry: OutboxEntry,
        octets: Bytes,
        copy: Bytes,
        caller: Caller,
    ) -> Result<Receipt, DeliveryError> {
        let outbox = &self.deps.outbox;
        let Some(_held) = self.in_hand.take(&entry.id) else { return Ok(receipt(&entry, true)) };
        let login = match self.deps.accounts.login(&entry.user, &entry.account).await {
            Ok(login) => login,
            // nobody knows whether the account can be used: the entry stays where it is
            Err(AccountError::Store(error)) => {
                tracing::warn!(outbox = %entry.id, %error, "a message waits for the database");
                return Ok(receipt(&entry, false));
            }
            Err(error) => {
                let now = self.deps.clock.now();
                // only while it is queued: another worker may have taken it meanwhile
                if !outbox.advance(&entry.id, OutboxState::Queued, OutboxState::Cancelled, now).await? {
                    return self.taken(&entry).await;
                }
                return Err(error.into());
            }
        };
        let envelope =
            SubmissionEnvelope::new(&entry.sender, &entry.recipients).map_err(DeliveryError::Address)?;
        if !outbox
            .advance(&entry.id, OutboxState::Queued, OutboxState::Sending, self.deps.clock.now())
            .await?
        {
            return self.taken(&entry).await;
        }
        match self.deps.submission.submit(&login, &envelope, &octets).await {
            Ok(submitted) => {
                entry.refusals = submitted.refused;
                self.note(&mut entry, OutboxState::Accepted).await;
            }
            Err(SubmitError::Unknown) => self.note(&mut entry, OutboxState::Unknown).await,
            Err(SubmitError::Rejected { code, enhanced, refused }) => {
                entry.refusals = if refused.is_empty() {
                    let all = |address: &String| Refusal {
                        address: address.clone(),
                        code,
                        enhanced: enhanced.clone(),
                    };
                    entry.recipients.iter().map(all).collect()
                } else {
                    refused
                };
                self.note(&mut entry, OutboxState::Rejected).await;
            }
            Err(SubmitError::Deferred { code, .. }) => {
                let state = self.after_nothing_left(&entry, caller, true);
                self.note(&mut entry, state).await;
                return Err(DeliveryError::Deferred { code });
            }
            Err(SubmitError::NotSent(error)) => {
                let state = self.after_nothing_left(&entry, caller, may_pass(&error));
                self.note(&mut entry, state).await;
                if error == MailError::LoginRefused {
                    self.deps.accounts.note_login_failure(&login.account, login.version).await;
                }
                return Err(error.into());
            }
        }
        if entry.state == OutboxState::Accepted {
            self.file_copy(&mut entry, copy).await;
        }
        Ok(receipt(&entry, false))
    }

    /// What another worker made of an entry.
    async fn taken(&self, entry: &OutboxEntry) -> Result<Receipt, DeliveryError> {
        let now = self.deps.outbox.find_entry(&entry.user, &entry.id).await?;
        Ok(receipt(now.as_ref().unwrap_or(entry), true))
    }

    /// Where an entry goes that was not submitted.
    fn after_nothing_left(&self, entry: &OutboxEntry, caller: Caller, may_pass: bool) -> OutboxState {
        let in_time = caller == Caller::Gone && may_pass && !self.is_overdue(entry);
        if in_time { OutboxState::Queued } else { OutboxState::Cancelled }
    }

    pub(crate) fn is_overdue(&self, entry: &OutboxEntry) -> bool {
        entry.created_at.plus_seconds(RETRY_SECONDS) < self.deps.clock.now()
    }

    /// Records what the submission server said. That it cannot be recorded does not change what happened: the
    /// caller is told the truth, and the sweep makes `unknown` of the entry.
    async fn note(&self, entry: &mut OutboxEntry, state: OutboxState) {
        if let Err(error) = self.end(entry, state).await {
            tracing::error!(outbox = %entry.id, %error, "the outcome of a submission could not be recorded");
        }
    }

    async fn end(&self, entry: &mut OutboxEntry, state: OutboxState) -> Result<(), StoreError> {
        entry.state = state;
        entry.updated_at = self.deps.clock.now();
        let saved = entry.saved_to_sent;
        self.deps.outbox.settle(&entry.id, state, &entry.refusals, saved, entry.updated_at).await
    }

    /// Puts the copy into Sent unless it is there. A failure is recorded, not raised: the mail has left.
    pub(crate) async fn file_copy(&self, entry: &mut OutboxEntry, copy: Bytes) {
        let saved = match self.deps.accounts.mailbox(&entry.user, &entry.account).await {
            Ok((account, mailbox)) => {
                let saved = save(&*mailbox, &entry.message_id, copy).await;
                if saved == Err(MailError::LoginRefused) {
                    // one try, not one a minute: providers lock accounts
                    self.deps.accounts.note_login_failure(&account.id, account.credential_version).await;
                }
                saved
            }
            Err(_) => Err(MailError::LoginRefused),
        };
        if let Err(error) = &saved {
            tracing::warn!(outbox = %entry.id, %error, "the copy was not saved to Sent");
        }
        entry.saved_to_sent = Some(saved.is_ok());
        let ended = saved.is_ok() || self.is_overdue(entry);
        self.note(entry, if ended { OutboxState::Done } else { OutboxState::Accepted }).await;
    }
}

/// Whether the same submission may work later by itself.
const fn may_pass(error: &MailError) -> bool {
    matches!(error, MailError::Timeout | MailError::Throttled { .. } | MailError::Unreachable(_))
}

async fn save(mailbox: &dyn Mailbox, message_id: &str, copy: Bytes) -> Result<(), MailError> {
    let folders = mailbox.folders(false).await?;
    let sent =
        folders.into_iter().find(|folder| folder.role == Some(Role::Sent)).ok_or(MailError::NoFolder)?.name;
    // Gmail and some others save by themselves
    let criterion = Criterion::Header("Message-ID", message_id.to_owned());
    let there = mailbox.search(&sent, &criterion, &Page { limit: 1, after: None }).await?;
    if there.total == 0 {
        mailbox.append(&sent, copy, &[Flag::seen()]).await?;
    }
    Ok(())
}

pub(crate) fn binding<'a>(id: &'a OutboxId, user: &'a str) -> Binding<'a> {
    Binding { field: "outbox.message", row: id.as_str(), user, context: "" }
}

fn receipt(entry: &OutboxEntry, repeated: bool) -> Receipt {
    let left = matches!(entry.state, OutboxState::Accepted | OutboxState::Done);
    let refused = |address: &String| entry.refusals.iter().any(|refusal| refusal.address == *address);
    Receipt {
        id: entry.id.clone(),
        message_id: entry.message_id.clone(),
        state: entry.state,
        accepted: if left {
            entry.recipients.iter().filter(|address| !refused(address)).cloned().collect()
        } else {
            Vec::new()
        },
        rejected: entry.refusals.clone(),
        saved_to_sent: entry.saved_to_sent,
        repeated,
    }
}
