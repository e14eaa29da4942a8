//! What a restarted (or another) process does with sends that were under way.

use crate::{
    Delivery,
    send::{Caller, binding},
};
use bytes::Bytes;
use imapmcp_core::{
    outbox::{OutboxEntry, OutboxState},
    store::StoreError,
};
use imapmcp_mime::header::Fields;
use secrecy::ExposeSecret;

/// No submission takes longer than this; what is still `sending` afterwards has lost its worker.
const SENDING_SECONDS: i64 = 600;
/// A queued or accepted entry this old has lost its worker.
const WAITING_SECONDS: i64 = 60;
/// Entries looked at in one sweep.
const BATCH: u32 = 100;

impl Delivery {
    /// Looks after stalled entries: `queued` ones are sent, `sending` ones become `unknown` (nobody can tell
    /// whether the final dot was confirmed), `accepted` ones get their copy. Returns how many were touched.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.deps.clock.now();
        let outbox = &self.deps.outbox;
        let mut touched = 0;
        let lost =
            outbox.list_stalled(OutboxState::Sending, now.plus_seconds(-SENDING_SECONDS), BATCH).await?;
        for entry in lost {
            let unknown = OutboxState::Unknown;
            touched += usize::from(outbox.advance(&entry.id, OutboxState::Sending, unknown, now).await?);
        }
        let waiting = now.plus_seconds(-WAITING_SECONDS);
        for entry in outbox.list_stalled(OutboxState::Queued, waiting, BATCH).await? {
            if let Some(copy) = self.claimed(&entry).await? {
                touched += 1;
                let octets = without_bcc(&copy);
                let this = self.clone();
                // like any delivery: it outlives whoever waits here, and a stop of the server waits for it
                let work = async move { this.deliver(entry, octets, copy, Caller::Gone).await };
                if let Ok(Err(error)) = self.under_way.spawn_on(work, &self.runtime).await {
                    tracing::warn!(%error, "a recovered message was not sent");
                }
            }
        }
        for mut entry in outbox.list_stalled(OutboxState::Accepted, waiting, BATCH).await? {
            let Some(_held) = self.in_hand.take(&entry.id) else { continue };
            if let Some(copy) = self.claimed(&entry).await? {
                touched += 1;
                self.file_copy(&mut entry, copy).await;
            }
        }
        Ok(touched)
    }

    /// Takes an entry before other replicas do. What cannot be opened goes to the end of the queue.
    async fn claimed(&self, entry: &OutboxEntry) -> Result<Option<Bytes>, StoreError> {
        let now = self.deps.clock.now();
        let mine = self.deps.outbox.claim(&entry.id, entry.state, entry.updated_at, now).await?;
        Ok(if mine { self.open(entry) } else { None })
    }

    fn open(&self, entry: &OutboxEntry) -> Option<Bytes> {
        match self.deps.vault.open(binding(&entry.id, entry.user.as_str()), &entry.message) {
            Ok(octets) => Some(Bytes::copy_from_slice(octets.expose_secret())),
            Err(error) => {
                tracing::error!(outbox = %entry.id, %error, "a recorded message cannot be opened");
                None
            }
        }
    }
}

/// What was to be submitted, from our own copy: the Bcc field we put in front is taken off.
fn without_bcc(copy: &Bytes) -> Bytes {
    if !copy.starts_with(b"Bcc: ") || Fields::parse(copy).raw("bcc").is_none() {
        return copy.clone();
    }
    let mut at = 0;
    while let Some(end) = copy[at..].windows(2).position(|pair| pair == b"\r\n") {
        at += end + 2;
        if !matches!(copy.get(at), Some(b' ' | b'\t')) {
            break;
        }
    }
    copy.slice(at..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcc_never_leaves() {
        let copy = Bytes::from_static(b"Bcc: a@b.c,\r\n d@e.f\r\nSubject: x\r\n\r\nBcc: body");
        assert_eq!(without_bcc(&copy), "Subject: x\r\n\r\nBcc: body");
        let plain = Bytes::from_static(b"Subject: x\r\n\r\ny");
        assert_eq!(without_bcc(&plain), plain);
    }
}
