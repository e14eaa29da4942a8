//! Long files that stand in a call itself. Whoever reads the call takes them out of it as it arrives and puts a stand-in
//! in their place; the tools find them by that as long as the call lasts.

use crate::{context::Services, error::ToolError};
use imapmcp_attachments::{ARRIVAL_SECONDS, Arriving, MAX_UPLOAD, UploadError, Uploads};
use imapmcp_core::{id::UploadId, oauth::Principal, permission::Permission};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::runtime::Handle;

/// Octets of such files of one call, all together: those of a message.
pub const MAX_OCTETS: u64 = MAX_UPLOAD;
/// Longest time that a call with such files takes to arrive.
pub const ARRIVAL: Duration = Duration::from_secs(ARRIVAL_SECONDS.unsigned_abs());

/// The files of one call. They are gone with this, except for what a recorded message refers to.
pub struct Handed {
    uploads: Arc<Uploads>,
    principal: Principal,
    ids: Vec<UploadId>,
    arriving: Option<Arriving>,
    room: u64,
    runtime: Handle,
}

impl Handed {
    /// For a call by somebody who may write messages; nobody else hands files over.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(services: &Services, principal: &Principal) -> Option<Self> {
        principal.may(Permission::Draft).then(|| Self {
            uploads: Arc::clone(&services.uploads),
            principal: principal.clone(),
            ids: Vec::new(),
            arriving: None,
            room: MAX_OCTETS,
            runtime: Handle::current(),
        })
    }

    /// How long a sender may say nothing in the middle of a file.
    pub fn silence(&self) -> Duration {
        self.uploads.silence()
    }

    /// A file of at most `at_most` octets begins. `false` if its user has too much open: it stays in the call then.
    pub async fn begin(&mut self, at_most: u64) -> Result<bool, ToolError> {
        let id = self.uploads.name();
        // before there is anything to let go of: this may be dropped any time
        self.ids.push(id.clone());
        match self.uploads.begin(&self.principal, &id, at_most.min(self.room)).await {
            Ok(arriving) => {
                self.arriving = Some(arriving);
                Ok(true)
            }
            Err(UploadError::TooMany) => {
                self.ids.pop();
                Ok(false)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// More octets of it.
    pub async fn push(&mut self, octets: &[u8]) -> Result<(), ToolError> {
        match &mut self.arriving {
            Some(arriving) => arriving.push(octets).await.map_err(failed),
            None => Ok(()),
        }
    }

    /// It is whole; what to put in its place in the call.
    pub async fn finish(&mut self) -> Result<Value, ToolError> {
        if let Some(arriving) = self.arriving.take() {
            self.room = self.room.saturating_sub(arriving.octets());
            self.uploads.complete(arriving).await.map_err(failed)?;
        }
        Ok(self.ids.last().map_or(Value::Null, stand_in))
    }

    /// It was none: what came of it goes.
    pub async fn abandon(&mut self) {
        self.arriving = None;
        let last = self.ids.len().saturating_sub(1);
        forget(&self.uploads, &self.principal, &self.ids[last..]).await;
        self.ids.truncate(last);
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Lets go of all of them: the call has ended.
    pub async fn release(mut self) {
        let ids = std::mem::take(&mut self.ids);
        forget(&self.uploads, &self.principal, &ids).await;
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        if self.ids.is_empty() {
            return;
        }
        let ids = std::mem::take(&mut self.ids);
        let (uploads, principal) = (Arc::clone(&self.uploads), self.principal.clone());
        self.runtime.spawn(async move { forget(&uploads, &principal, &ids).await });
    }
}

async fn forget(uploads: &Uploads, principal: &Principal, ids: &[UploadId]) {
    for id in ids {
        if let Err(error) = uploads.forget(&principal.user, id).await {
            tracing::debug!(%error, "a file of a call is left to lapse");
        }
    }
}

/// What stands in a call for a file that was taken out of it.
fn stand_in(id: &UploadId) -> Value {
    json!({ "upload": id.as_str() })
}

/// The upload that a stand-in names.
pub(crate) fn upload_of(content: &Value) -> Option<&Value> {
    content.get("upload")
}

fn failed(error: UploadError) -> ToolError {
    match error {
        UploadError::Store(error) => error.into(),
        UploadError::TooMany => ToolError::TooManyUploads,
        UploadError::TooLarge { .. } => ToolError::argument(
            "attachments",
            "are larger than 25 MB together",
            "[{\"upload\": \"upl_…\"}] of create_upload with a smaller file",
        ),
        error => ToolError::Internal(format!("a file of a call: {error}")),
    }
}
