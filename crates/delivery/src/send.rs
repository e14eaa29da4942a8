//! One send, from the request to the receipt.

use crate::{
    DeliveryError, Receipt, digest,
    in_hand::InHand,
    lanes::Lanes,
    schedule::{FARTHEST_SECONDS, REPEAT_SECONDS, RETRY_SECONDS},
    stored_message::StoredMessage,
};
use imapmcp_accounts::Accounts;
use imapmcp_core::{
    account::{Account, Side},
    id::{AccountId, OutboxId},
    mail::{Submission, SubmissionEnvelope},
    oauth::{Principal, SendPolicy},
    outbox::{Hold, OutboxEntry, OutboxState},
    random::{self, Entropy},
    secret::{Binding, TokenHash, Vault},
    store::{Enqueued, OutboxRepository},
    time::{Clock, Timestamp},
};
use imapmcp_mime::compose::{Draft, Letter};
use imapmcp_parcels::Parcels;
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};
use tokio::{runtime::Handle, sync::Notify};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
    /// Large files, sealed in chunks.
    pub parcels: Parcels,
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
    /// What.
    pub letter: Letter,
    /// The same key again is the same send.
    pub idempotency_key: Option<String>,
    /// Not before this moment, at most a year ahead; a moment that is past is now.
    pub send_at: Option<Timestamp>,
}

/// Sends messages. Clones share everything.
#[derive(Clone)]
pub struct Delivery {
    pub(crate) deps: Arc<DeliveryDeps>,
    /// Deliveries run here, not on the runtime of a worker that may end before them.
    pub(crate) runtime: Handle,
    pub(crate) under_way: TaskTracker,
    pub(crate) in_hand: InHand,
    /// This process, as leases name it.
    pub(crate) worker: Arc<str>,
    /// There is something new to wait for.
    pub(crate) woken: Arc<Notify>,
    pub(crate) lanes: Lanes,
    /// Milliseconds that the database's clock was ahead of ours last.
    pub(crate) ahead: Arc<AtomicI64>,
}

impl Delivery {
    /// Ready to send. Deliveries run on the current tokio runtime, whichever one calls [`Self::send`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(deps: DeliveryDeps) -> Self {
        let worker = random::token(&*deps.entropy, 9).into();
        Self {
            deps: Arc::new(deps),
            runtime: Handle::current(),
            under_way: TaskTracker::new(),
            in_hand: InHand::default(),
            worker,
            woken: Arc::new(Notify::new()),
            lanes: Lanes::default(),
            ahead: Arc::default(),
        }
    }

    /// Waits until what is under way has ended, at most this long. `false` if something is left (it is recorded
    /// and looked after by the next start).
    pub async fn drain(&self, limit: Duration) -> bool {
        self.under_way.close();
        tokio::time::timeout(limit, self.under_way.wait()).await.is_ok()
    }

    /// Records the message, submits it and files the copy, unless it waits (undo window, approval, a later time). Once
    /// recorded the work goes on even if the caller goes away: the future may be dropped at any time.
    pub async fn send(&self, principal: &Principal, request: Request) -> Result<Receipt, DeliveryError> {
        let account = self.deps.accounts.usable(&principal.user, &request.account, Side::Sending).await?;
        let policy = principal.send_policy.stricter(account.send_policy);
        let user = &principal.user;
        let Request { letter, idempotency_key, send_at, .. } = request;
        let now = self.now().await?;
        if send_at.is_some_and(|at| at > now.plus_seconds(FARTHEST_SECONDS)) {
            return Err(DeliveryError::TooFar);
        }
        // the recipients see when it was sent, not when it was written
        let date = send_at.map_or(now, |at| at.max(now));
        if letter.from.as_ref().is_some_and(|from| !account.owns(from.email())) {
            let own = account.senders().iter().map(|own| own.email().to_owned()).collect();
            return Err(DeliveryError::Sender(own));
        }
        let draft = Draft::new(&account, letter, date, &*self.deps.entropy)?;
        let pieces = draft.compose()?;
        SubmissionEnvelope::new(draft.from.email(), &draft.letter.recipients())
            .map_err(DeliveryError::Address)?;
        // with its Bcc field: the copy is filed from the record
        let (record, made) = self.write_down(user, &draft, pieces).await?;
        let key = idempotency_key.map(|key| digest::idempotency(user, &key));
        let entry = self.record_of(principal, &account, policy, draft, key, (now, send_at));
        let message = self.deps.vault.seal(binding(&entry.id, user.as_str()), &record.write());
        let repeats_since = entry.created_at.plus_seconds(-REPEAT_SECONDS);
        // in hand before it is recorded: the sweep of this process leaves it alone
        let held = self.in_hand.take(&entry.id);
        let enqueued = self.deps.outbox.enqueue(&entry, &message, &record.parcels(), repeats_since).await;
        drop(message);
        if !matches!(enqueued, Ok(Enqueued::New)) {
            self.discard_parcels(user, &made).await;
        }
        match enqueued? {
            Enqueued::New => {}
            Enqueued::Before(before) if before.content == entry.content => {
                return Ok(Receipt::of(&before, true));
            }
            Enqueued::Before(_) => return Err(DeliveryError::KeyReused),
            Enqueued::Lapsed => return Err(DeliveryError::Lapsed),
        }
        if entry.state != OutboxState::Sending {
            self.woken.notify_one();
            return Ok(Receipt::of(&entry, false));
        }
        let this = self.clone();
        let deliver = async move {
            let _held = held;
            this.attend(entry, record, Caller::Waits).await
        };
        let work = self.under_way.spawn_on(deliver, &self.runtime);
        work.await.map_err(|_| DeliveryError::Interrupted)?
    }

    fn record_of(
        &self,
        principal: &Principal,
        account: &Account,
        policy: SendPolicy,
        draft: Draft,
        idempotency: Option<TokenHash>,
        (now, send_at): (Timestamp, Option<Timestamp>),
    ) -> OutboxEntry {
        let send_at = send_at.filter(|at| *at > now);
        let sender = draft.from.email().to_owned();
        let alias = (!sender.eq_ignore_ascii_case(&account.email)).then_some(sender.as_str());
        let id = OutboxId::random(&*self.deps.entropy);
        let user = principal.user.as_str();
        let subject = self.deps.vault.seal(subject_binding(&id, user), draft.letter.subject.as_bytes());
        let undo = match policy {
            SendPolicy::UndoWindow(seconds) => Some(now.plus_seconds(i64::from(seconds.max(1)))),
            SendPolicy::Immediate | SendPolicy::Approval => None,
        };
        let not_before = undo.max(send_at);
        let (state, hold, next_attempt_at) = match (policy, not_before) {
            (SendPolicy::Approval, _) => (OutboxState::PendingApproval, Some(Hold::Approval), None),
            (_, Some(at)) => {
                let hold = if send_at == not_before { Hold::Scheduled } else { Hold::Undo };
                (OutboxState::Queued, Some(hold), Some(at))
            }
            // taken by this worker in the moment it is recorded
            (_, None) => (OutboxState::Sending, None, Some(now)),
        };
        let taken = state == OutboxState::Sending;
        OutboxEntry {
            id,
            user: principal.user.clone(),
            account: account.id.clone(),
            grant: principal.grant.clone(),
            state,
            content: digest::content(&account.id, alias, &draft.letter),
            message_id: draft.message_id,
            subject: Some(subject),
            sender: sender.clone(),
            recipients: draft.letter.recipients(),
            idempotency,
            refusals: Vec::new(),
            departed: false,
            at_risk: false,
            saved_to_sent: None,
            hold,
            not_before,
            next_attempt_at,
            expires_at: not_before.unwrap_or(now).plus_seconds(RETRY_SECONDS),
            attempts: 0,
            looks: 0,
            last_error: None,
            lease: taken.then(|| self.lease(now)),
            fence: i64::from(taken),
            created_at: now,
            updated_at: now,
        }
    }

    /// Takes the next step of an entry that this worker holds, keeping its lease meanwhile.
    pub(crate) async fn attend(
        &self,
        mut entry: OutboxEntry,
        record: StoredMessage,
        caller: Caller,
    ) -> Result<Receipt, DeliveryError> {
        let lost = CancellationToken::new();
        let keeper = self.keep(entry.id.clone(), entry.fence, lost.clone());
        let step = async {
            match entry.state {
                OutboxState::Sending => self.submit(&mut entry, &record, caller, &lost).await?,
                OutboxState::Unknown => self.look_for(&mut entry, &record, &lost).await,
                _ => self.file_copy(&mut entry, &record, &lost).await,
            }
            // another worker may have taken it meanwhile: what that one wrote holds
            if caller == Caller::Waits
                && let Ok(Some(now)) = self.deps.outbox.find_entry(&entry.user, &entry.id).await
                && now.fence != entry.fence
            {
                return Ok(Receipt::of(&now, false));
            }
            Ok(Receipt::of(&entry, false))
        };
        let receipt = tokio::select! {
            receipt = step => receipt,
            () = keeper => Err(DeliveryError::Interrupted),
        };
        // there may be a new time to wait for
        self.woken.notify_one();
        receipt
    }
}

pub(crate) fn binding<'a>(id: &'a OutboxId, user: &'a str) -> Binding<'a> {
    Binding { field: "outbox.message", row: id.as_str(), user, context: "" }
}

pub(crate) fn subject_binding<'a>(id: &'a OutboxId, user: &'a str) -> Binding<'a> {
    Binding { field: "outbox.subject", row: id.as_str(), user, context: "" }
}
