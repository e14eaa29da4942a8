//! What is due is taken up: held messages, retries, copies, and what lost its worker.

use crate::{
    Delivery,
    machine::{Caller, Event, Leased, taken_to},
    stored_message::StoredMessage,
};
use bytes::Bytes;
use imapmcp_core::{
    id::OutboxId,
    outbox::{Due, OutboxEntry, OutboxState},
    secret::{Binding, Sealed},
    store::StoreError,
};
use secrecy::ExposeSecret;
use std::{collections::HashSet, time::Duration};
use tokio::{task::JoinHandle, time::sleep};
use tracing::{
    Span,
    field::{Empty, debug},
};

/// Entries looked at in one round.
const BATCH: u32 = 100;
/// Between two rounds at most: another process may have recorded something.
const ROUND: Duration = Duration::from_secs(15);
/// Between two rounds at least.
const BREATH: Duration = Duration::from_millis(200);

impl Delivery {
    /// Looks after the outbox for ever: sleeps until the next step of any entry is due. Drop the future to stop;
    /// [`drain`](Self::drain) then waits for what is under way.
    pub async fn run(&self) {
        loop {
            if let Err(error) = self.start_due(&mut HashSet::new()).await {
                tracing::warn!(%error, "the outbox could not be looked after");
            }
            let wait = self.until_due().await.unwrap_or(ROUND).clamp(BREATH, ROUND);
            tokio::select! {
                () = sleep(wait) => {}
                () = self.woken.notified() => {}
            }
        }
    }

    /// One round, to its end: everything that is due now takes its next step. Returns how many entries were taken up.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let (mut seen, mut taken) = (HashSet::new(), 0);
        loop {
            let steps = self.start_due(&mut seen).await?;
            if steps.is_empty() {
                return Ok(taken);
            }
            for step in steps {
                taken += usize::from(step.await.unwrap_or(false));
            }
        }
    }

    /// How long nothing is due of those who have a place; who gets one back wakes the round.
    async fn until_due(&self) -> Result<Duration, StoreError> {
        let Some(engaged) = self.lanes.engaged() else { return Ok(ROUND) };
        let Some(at) = self.deps.outbox.next_due(&engaged).await? else { return Ok(ROUND) };
        let millis = at.0.saturating_sub(self.now().await?.0);
        Ok(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }

    /// Starts what is due and has a place, but none of the `seen`, which it adds to.
    async fn start_due(&self, seen: &mut HashSet<OutboxId>) -> Result<Vec<JoinHandle<bool>>, StoreError> {
        let withdrawn = self.deps.outbox.withdraw_ended(self.now().await?).await?;
        if withdrawn > 0 {
            tracing::info!(withdrawn, "messages whose sender's access has ended were withdrawn");
        }
        let mut steps = Vec::new();
        while let Some(engaged) = self.lanes.engaged() {
            let due = self.deps.outbox.list_due(self.now().await?, &engaged, BATCH).await?;
            let (listed, before) = (due.len(), steps.len());
            for due in due {
                if seen.contains(&due.id) {
                    continue;
                }
                let Some(lane) = self.lanes.enter(&due) else { continue };
                let Some(held) = self.in_hand.take(&due.id) else { continue };
                seen.insert(due.id.clone());
                let this = self.clone();
                // like any delivery: it outlives whoever waits here, and a stop of the server waits for it
                let step = async move {
                    let taken = this.step(&due).await;
                    drop((held, lane));
                    // somebody else's turn
                    this.woken.notify_one();
                    taken
                };
                steps.push(self.under_way.spawn_on(step, &self.runtime));
            }
            // all were listed, or all that were are somebody's
            if listed < BATCH as usize || steps.len() == before {
                break;
            }
        }
        Ok(steps)
    }

    /// The next step of one entry; whether it could be taken.
    #[tracing::instrument(
        name = "sweep",
        level = "debug",
        skip_all,
        fields(outbox = %due.id, attempt = Empty, state = Empty)
    )]
    async fn step(&self, due: &Due) -> bool {
        let to = taken_to(due);
        let taken = async {
            let now = self.now().await?;
            let taken = self.deps.outbox.take(due, to, &self.lease(now), now).await?;
            Ok::<_, StoreError>(taken.map(|(entry, message)| (entry, message, now)))
        };
        let (mut entry, message, now) = match taken.await {
            Ok(Some((entry, message, now))) => (Leased::new(entry), message, now),
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(outbox = %due.id, %error, "a message could not be taken up");
                return false;
            }
        };
        if to != due.state
            && to == OutboxState::Unknown
            && let Err(error) = entry.happen(Event::WorkerLost, now)
        {
            tracing::error!(outbox = %entry.id, %error, "a bug");
        }
        let Some(message) = self.open(&entry, &message) else {
            self.happened(&mut entry, Event::Unreadable).await;
            return true;
        };
        let id = entry.id.clone();
        match self.attend(entry, message, Caller::Gone).await {
            Ok(receipt) => {
                Span::current().record("attempt", receipt.attempts).record("state", debug(receipt.state));
            }
            Err(error) => tracing::warn!(outbox = %id, %error, "a message was not sent"),
        }
        true
    }

    pub(crate) fn open(&self, entry: &OutboxEntry, message: &Sealed) -> Option<StoredMessage> {
        match self.deps.vault.open(Binding::outbox_message(&entry.id, &entry.user), message) {
            Ok(octets) => StoredMessage::read(Bytes::copy_from_slice(octets.expose_secret())),
            Err(error) => {
                tracing::error!(outbox = %entry.id, %error, "a recorded message cannot be opened");
                None
            }
        }
    }
}
