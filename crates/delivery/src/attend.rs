//! The next step of an entry, whichever it is.

use crate::{
    Delivery, DeliveryError, Receipt,
    machine::{Caller, Leased},
    stored_message::StoredMessage,
};
use imapmcp_core::outbox::OutboxState;
use tokio_util::sync::CancellationToken;

impl Delivery {
    /// Takes the next step of an entry that this worker holds, keeping its lease meanwhile.
    pub(crate) async fn attend(
        &self,
        mut entry: Leased,
        message: StoredMessage,
        caller: Caller,
    ) -> Result<Receipt, DeliveryError> {
        let lost = CancellationToken::new();
        let keeper = self.keep(entry.id.clone(), entry.fence, lost.clone());
        let step = async {
            match entry.state {
                OutboxState::Sending => self.submit(&mut entry, &message, caller, &lost).await?,
                OutboxState::Unknown => self.look_for(&mut entry, &message, &lost).await,
                OutboxState::Accepted => self.file_copy(&mut entry, &message, &lost).await,
                OutboxState::Queued
                | OutboxState::PendingApproval
                | OutboxState::Done
                | OutboxState::Rejected
                | OutboxState::Cancelled => {
                    tracing::error!(outbox = %entry.id, state = ?entry.state, "nothing is due of this message");
                }
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
