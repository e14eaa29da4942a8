//! One send, from the request to the receipt.

use crate::{
    Delivery, DeliveryError, Receipt, digest,
    machine::{Caller, NewEntry, start},
    schedule::{FARTHEST_SECONDS, REPEAT_SECONDS},
};
use imapmcp_core::{
    account::{Account, Side},
    id::{AccountId, OutboxId},
    mail::SubmissionEnvelope,
    oauth::Principal,
    outbox::OutboxState,
    secret::{Binding, TokenHash},
    store::Enqueued,
    time::Timestamp,
};
use imapmcp_mime::compose::{Draft, Letter};

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

impl Delivery {
    /// Records the message, submits it and files the copy, unless it waits (undo window, approval, a later time). Once
    /// recorded the work goes on even if the caller goes away: the future may be dropped at any time.
    pub async fn send(&self, principal: &Principal, request: Request) -> Result<Receipt, DeliveryError> {
        let account = self.deps.accounts.usable(&principal.user, &request.account, Side::Sending).await?;
        let policy = principal.send_policy_at(&account.id).stricter(account.send_policy);
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
        // with its Bcc field: the copy is filed from what is stored
        let (stored, made) = self.write_down(user, &draft, pieces).await?;
        let key = idempotency_key.map(|key| digest::idempotency(user, &key));
        let new = self.new_entry(principal, &account, draft, key);
        let entry = start(new, policy, send_at, self.lease(now), now);
        let message = self.deps.vault.seal(Binding::outbox_message(&entry.id, user), &stored.write());
        let repeats_since = entry.created_at.plus_seconds(-REPEAT_SECONDS);
        // in hand before it is recorded: the sweep of this process leaves it alone
        let held = self.in_hand.take(&entry.id);
        let enqueued = self.deps.outbox.enqueue(&entry, &message, &stored.parcels(), repeats_since).await;
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
            this.attend(entry, stored, Caller::Waits).await
        };
        let work = self.under_way.spawn_on(deliver, &self.runtime);
        work.await.map_err(|_| DeliveryError::Interrupted)?
    }

    fn new_entry(
        &self,
        principal: &Principal,
        account: &Account,
        draft: Draft,
        idempotency: Option<TokenHash>,
    ) -> NewEntry {
        let sender = draft.from.email().to_owned();
        let alias = (!sender.eq_ignore_ascii_case(&account.email)).then_some(sender.as_str());
        let content = digest::content(&account.id, alias, &draft.letter);
        let id = OutboxId::random(&*self.deps.entropy);
        let subject = self
            .deps
            .vault
            .seal(Binding::outbox_subject(&id, &principal.user), draft.letter.subject.as_bytes());
        NewEntry {
            id,
            user: principal.user.clone(),
            account: account.id.clone(),
            grant: principal.grant.clone(),
            message_id: draft.message_id,
            subject,
            sender,
            recipients: draft.letter.recipients(),
            idempotency,
            content,
        }
    }
}
