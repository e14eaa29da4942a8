//! What a person decides about a message that cannot settle itself. Each decision takes the entry like a worker does, so
//! that it and a worker cannot both win.

use crate::{
    Delivery,
    in_hand::Held,
    machine::{Caller, Event, Hand, Leased},
};
use imapmcp_core::{
    id::{AccountId, OutboxId, UserId},
    outbox::OutboxState,
    secret::Sealed,
    store::{Leaving, OutboxQuery, StoreError},
};

/// So many messages, the newest, are tried again at once; any others have their own times.
const RESUMED: u32 = 1000;

/// What became of a person's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOutcome {
    /// It was carried out; this is the state now.
    Done(OutboxState),
    /// The entry is past that, or somebody works on it at this moment: this is its state.
    TooLate(OutboxState),
}

enum Taken {
    Missing,
    Late(OutboxState),
    Mine(Box<(Held, Leased, Sealed)>),
}

impl Delivery {
    /// Looks for an entry of unknown outcome in Sent now; `None` if unknown or another user's. What is there has left; what
    /// is not stays unknown, and [`OutboxView::last_error`](crate::OutboxView::last_error) tells whether Sent could be
    /// looked at.
    pub async fn look_again(&self, user: &UserId, id: &OutboxId) -> Result<Option<HandOutcome>, StoreError> {
        let mine = match self.take_by_hand(user, id, OutboxState::Unknown, false).await? {
            Taken::Missing => return Ok(None),
            Taken::Late(state) => return Ok(Some(HandOutcome::TooLate(state))),
            Taken::Mine(mine) => mine,
        };
        let this = self.clone();
        // like any delivery: it outlives whoever waits here
        let look = async move {
            let (_held, mut entry, message) = *mine;
            if let Some(copy) = this.open(&entry, &message) {
                // nobody is told of an error here: it is recorded
                let _ = this.attend(entry, copy, Caller::Gone).await;
            } else {
                this.happened(&mut entry, Event::Unreadable).await;
            }
        };
        let _ = self.under_way.spawn_on(look, &self.runtime).await;
        let entry = self.deps.outbox.find_entry(user, id).await?;
        Ok(entry.map(|entry| HandOutcome::Done(entry.state)))
    }

    /// The person knows that a message of unknown outcome arrived: it counts as sent, and its copy is filed if Sent has
    /// none. `None` if unknown or another user's.
    pub async fn arrived(&self, user: &UserId, id: &OutboxId) -> Result<Option<HandOutcome>, StoreError> {
        self.decide(user, id, Hand::Arrived).await
    }

    /// The person wants a message of unknown outcome sent once more, at the risk that it arrives twice: the same octets
    /// under the same Message-ID. `None` if unknown or another user's. It is a new decision each time; nothing here
    /// ever takes it by itself. It leaves even if the access it was first sent with has ended since.
    pub async fn send_again(&self, user: &UserId, id: &OutboxId) -> Result<Option<HandOutcome>, StoreError> {
        self.decide(user, id, Hand::SendAgain).await
    }

    /// Tries an entry that is tried again later now instead. `None` if unknown or another user's.
    pub async fn retry_now(&self, user: &UserId, id: &OutboxId) -> Result<Option<HandOutcome>, StoreError> {
        self.decide(user, id, Hand::RetryNow).await
    }

    /// The account was mended, such as by another password: what waits for its next try with it is tried now, instead of
    /// within the hour. Returns how many messages.
    pub async fn resume(&self, user: &UserId, account: &AccountId) -> Result<usize, StoreError> {
        let query = OutboxQuery {
            states: vec![OutboxState::Queued],
            accounts: Some(vec![account.clone()]),
            leaving: Leaving::Any,
            after: None,
            limit: RESUMED,
        };
        let (waiting, now) = (self.deps.outbox.list_entries(user, &query).await?, self.now().await?);
        let mut resumed = 0;
        for entry in waiting.iter().filter(|entry| entry.hold.is_none()) {
            // an access that has ended since stays ended
            resumed += usize::from(self.deps.outbox.hasten(user, &entry.due(), false, now).await?);
        }
        self.woken.notify_one();
        Ok(resumed)
    }

    /// Changes an entry and leaves the next step, due at once, to a worker.
    async fn decide(
        &self,
        user: &UserId,
        id: &OutboxId,
        hand: Hand,
    ) -> Result<Option<HandOutcome>, StoreError> {
        let (held, mut entry, _) = match self.take_by_hand(user, id, hand.from(), hand.sends()).await? {
            Taken::Missing => return Ok(None),
            Taken::Late(state) => return Ok(Some(HandOutcome::TooLate(state))),
            Taken::Mine(mine) => *mine,
        };
        let outcome = match entry.happen(Event::Settled(hand), self.now().await?) {
            Ok(_) if self.write_once(&mut entry, false).await? => HandOutcome::Done(entry.state),
            Ok(_) => HandOutcome::TooLate(hand.from()),
            // it changed between being looked at and taken
            Err(_) => HandOutcome::TooLate(entry.state),
        };
        // the sweep may take it up from here
        drop(held);
        self.woken.notify_one();
        Ok(Some(outcome))
    }

    async fn take_by_hand(
        &self,
        user: &UserId,
        id: &OutboxId,
        from: OutboxState,
        to_send: bool,
    ) -> Result<Taken, StoreError> {
        let Some(entry) = self.deps.outbox.find_entry(user, id).await? else { return Ok(Taken::Missing) };
        if entry.state != from || entry.hold.is_some() {
            return Ok(Taken::Late(entry.state));
        }
        let Some(held) = self.in_hand.take(id) else { return Ok(Taken::Late(entry.state)) };
        let (now, due) = (self.now().await?, entry.due());
        if self.deps.outbox.hasten(user, &due, to_send, now).await?
            && let Some((entry, message)) = self.deps.outbox.take(&due, from, &self.lease(now), now).await?
        {
            return Ok(Taken::Mine(Box::new((held, Leased::new(entry), message))));
        }
        Ok(Taken::Late(entry.state))
    }
}
