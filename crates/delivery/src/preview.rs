//! What a person reads before a message leaves.

use crate::{Delivery, OutboxView};
use imapmcp_core::{
    id::{OutboxId, UserId},
    store::StoreError,
};
use imapmcp_mime::shown::{self, Shown};

/// A message as it will leave: read from the very octets that do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// What it holds.
    pub shown: Shown,
    /// Recipients that none of its fields names.
    pub unnamed: Vec<String>,
}

impl Delivery {
    /// A message as it will leave; `None` if unknown, another user's, forgotten or not to be opened.
    pub async fn preview(&self, user: &UserId, id: &OutboxId) -> Result<Option<Preview>, StoreError> {
        let Some(view) = self.find(user, id).await? else { return Ok(None) };
        self.preview_within(user, &view, usize::MAX).await
    }

    /// As [`Self::preview`], of a message whose octets without its files are at most so many.
    pub async fn preview_within(
        &self,
        user: &UserId,
        view: &OutboxView,
        octets: usize,
    ) -> Result<Option<Preview>, StoreError> {
        let Some(stored) = self.stored(user, &view.id).await? else { return Ok(None) };
        let (outline, elsewhere) = (stored.outline(), stored.elsewhere());
        if outline.is_empty() {
            return Ok(None);
        }
        let recipients = view.recipients.clone();
        // a long HTML body takes its time
        let read = self.runtime.spawn_blocking(move || {
            let shown = shown::of_message_within(&outline, &elsewhere, octets)?;
            let named =
                |address: &String| shown.addresses.iter().any(|named| named.eq_ignore_ascii_case(address));
            let unnamed = recipients.into_iter().filter(|address| !named(address)).collect();
            Some(Preview { shown, unnamed })
        });
        Ok(read.await.ok().flatten())
    }
}
