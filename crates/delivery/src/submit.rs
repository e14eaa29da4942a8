//! One submission of an entry that this worker holds.

use crate::{
    Delivery, DeliveryError,
    dot::{Dot, merged, refused_with},
    lease::Written,
    schedule::{RETRY_SECONDS, backoff, is_login, may_pass, reply, saves_by_itself},
    send::Caller,
    stored_message::StoredMessage,
};
use imapmcp_accounts::AccountError;
use imapmcp_core::{
    account::{Account, Login},
    mail::{MailError, SubmissionEnvelope, SubmitError},
    outbox::{OutboxEntry, OutboxState, Refusal, Trouble},
    time::Timestamp,
};
use tokio_util::sync::CancellationToken;

impl Delivery {
    /// Takes an entry in state `sending` as far as it gets now. An error is told to a caller who waits, and then nothing
    /// has left and nothing will.
    pub(crate) async fn submit(
        &self,
        entry: &mut OutboxEntry,
        record: &StoredMessage,
        caller: Caller,
        lost: &CancellationToken,
    ) -> Result<(), DeliveryError> {
        let Some((account, login)) = self.login(entry, caller).await? else { return Ok(()) };
        let pending = entry.pending();
        let envelope = SubmissionEnvelope::new(&entry.sender, &pending).map_err(DeliveryError::Address)?;
        let message = record.submission(&self.deps.parcels, &entry.user);
        entry.attempts = entry.attempts.saturating_add(1);
        entry.hold = None;
        let (outcome, access_ended) = {
            let dot = Dot::new(self, entry, &pending);
            let outcome = self.deps.submission.submit_when(&login, &envelope, &message, &dot).await;
            let ended = dot.access_ended();
            *entry = dot.into_entry();
            (outcome, ended)
        };
        entry.at_risk = false;
        // those the server has refused for good meanwhile are not refused again with the whole message
        let left = entry.pending();
        let refused_all = |code: u16, enhanced: &Option<String>| -> Vec<Refusal> {
            let refusal =
                |address: &String| Refusal { address: address.clone(), code, enhanced: enhanced.clone() };
            left.iter().map(refusal).collect()
        };
        if let Err(error) = &outcome {
            entry.last_error = reply(error).map(Trouble::Reply);
        }
        // what came after the login says that it worked
        let logged_in = match &outcome {
            Err(SubmitError::NotSent(error)) => Err(error.clone()),
            _ => Ok(()),
        };
        match outcome {
            Ok(submitted) => {
                entry.refusals = merged(&entry.refusals, &pending, &submitted.refused);
                entry.last_error = refused_with(&entry.refusals);
                entry.departed = true;
                let saves_itself = saves_by_itself(&login.backend);
                self.accepted(entry, record, lost, saves_itself).await;
            }
            Err(SubmitError::Unknown(why)) => {
                entry.last_error = Some(Trouble::from(&why));
                let now = self.about_now();
                entry.at_risk = true;
                entry.state = OutboxState::Unknown;
                entry.looks = 0;
                entry.expires_at = now.plus_seconds(RETRY_SECONDS);
                entry.next_attempt_at = Some(now.plus_seconds(backoff(0)));
                self.write(entry, false).await;
            }
            Err(SubmitError::Rejected { code, enhanced, refused }) => {
                entry.refusals = if refused.is_empty() {
                    merged(&entry.refusals, &left, &refused_all(code, &enhanced))
                } else {
                    merged(&entry.refusals, &pending, &refused)
                };
                self.end(entry, record, OutboxState::Rejected, lost).await;
            }
            Err(SubmitError::Deferred { code, enhanced }) => {
                entry.refusals = merged(&entry.refusals, &left, &refused_all(code, &enhanced));
                self.later(entry, record, lost).await;
            }
            Err(SubmitError::Withheld) if access_ended => {
                entry.last_error = Some(Trouble::AccessEnded);
                self.end(entry, record, OutboxState::Cancelled, lost).await;
            }
            Err(SubmitError::Withheld) => self.put_back(entry).await,
            Err(SubmitError::NotSent(error)) => {
                entry.last_error = Some(Trouble::from(&error));
                // before anybody is told: one try, not one a minute, because providers lock accounts
                self.deps.accounts.note_sending(&account, &logged_in).await;
                // without a caller to tell, a message waits until the person has mended the account
                if may_pass(&error) || (is_login(&error) && caller == Caller::Gone) {
                    self.later(entry, record, lost).await;
                } else {
                    self.end(entry, record, OutboxState::Cancelled, lost).await;
                    if caller == Caller::Waits && entry.state == OutboxState::Cancelled {
                        return Err(error.into());
                    }
                }
            }
        }
        if logged_in.is_ok() {
            self.deps.accounts.note_sending(&account, &logged_in).await;
        }
        Ok(())
    }

    /// What to show the server; `None` if the entry was put off instead.
    async fn login(
        &self,
        entry: &mut OutboxEntry,
        caller: Caller,
    ) -> Result<Option<(Account, Login)>, DeliveryError> {
        let error = match self.deps.accounts.login(&entry.user, &entry.account).await {
            Ok(found) => return Ok(Some(found)),
            Err(error) => error,
        };
        // nobody knows whether the account can be used
        if let AccountError::Store(error) = &error {
            tracing::warn!(outbox = %entry.id, %error, "a message waits for the database");
            self.put_back(entry).await;
            return Ok(None);
        }
        let why = match &error {
            AccountError::NeedsAttention { why, .. } => Trouble::from(&why.error()),
            AccountError::Paused => Trouble::from(&MailError::LoginFailed),
            AccountError::CredentialUnreadable(_) => Trouble::CredentialUnreadable,
            _ => Trouble::from(&MailError::LoginRefused),
        };
        entry.last_error = Some(why);
        if caller == Caller::Gone {
            self.later(entry, &StoredMessage::default(), &CancellationToken::new()).await;
            return Ok(None);
        }
        entry.state = OutboxState::Cancelled;
        entry.next_attempt_at = None;
        match self.write(entry, false).await {
            Written::Taken => Ok(None),
            Written::Yes | Written::Late => Err(error.into()),
        }
    }

    /// Nothing happened: the next worker may try at once.
    async fn put_back(&self, entry: &mut OutboxEntry) {
        entry.state = OutboxState::Queued;
        entry.next_attempt_at = Some(self.about_now().plus_seconds(backoff(0)));
        self.write(entry, false).await;
    }

    /// Tries again later, or ends if there is no time left.
    async fn later(&self, entry: &mut OutboxEntry, record: &StoredMessage, lost: &CancellationToken) {
        if let Some(at) = self.next_try(entry) {
            entry.state = OutboxState::Queued;
            entry.next_attempt_at = Some(at);
            self.write(entry, false).await;
            return;
        }
        // a server that never took the message has refused it; one that was never reached has not
        let refused = !entry.refusals.is_empty();
        let state = if refused { OutboxState::Rejected } else { OutboxState::Cancelled };
        self.end(entry, record, state, lost).await;
    }

    /// When the recipients that are left are tried again.
    pub(crate) fn next_try(&self, entry: &OutboxEntry) -> Option<Timestamp> {
        let at = self.about_now().plus_seconds(backoff(entry.attempts));
        (at <= entry.expires_at && !entry.pending().is_empty()).then_some(at)
    }

    /// No more tries. If others have the message already it counts as sent.
    async fn end(
        &self,
        entry: &mut OutboxEntry,
        record: &StoredMessage,
        state: OutboxState,
        lost: &CancellationToken,
    ) {
        if entry.departed {
            entry.expires_at = entry.expires_at.min(self.about_now());
            self.accepted(entry, record, lost, false).await;
            return;
        }
        entry.state = state;
        entry.next_attempt_at = None;
        self.write(entry, false).await;
    }

    /// The server has it: recorded before anything else happens, then the copy.
    async fn accepted(
        &self,
        entry: &mut OutboxEntry,
        record: &StoredMessage,
        lost: &CancellationToken,
        saves_itself: bool,
    ) {
        entry.state = OutboxState::Accepted;
        entry.next_attempt_at = Some(self.about_now());
        if saves_itself && entry.saved_to_sent.is_none() {
            entry.looks = 0;
            self.look_later(entry).await;
            return;
        }
        match self.write(entry, true).await {
            // the lease was given up while the database was away: the next round files the copy
            Written::Yes if lost.is_cancelled() => {
                self.write(entry, false).await;
            }
            Written::Yes => self.file_copy(entry, record, lost).await,
            Written::Late | Written::Taken => {}
        }
    }
}
