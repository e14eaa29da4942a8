//! Files that arrive within a call instead of over a link of their own. Whoever takes them in names them first and
//! forgets them when the call has ended.

use crate::uploads::{ARRIVAL_SECONDS, About, BOUNDS, UPLOAD_SECONDS, UploadError, Uploads};
use imapmcp_core::{
    id::{UploadId, UserId},
    oauth::Principal,
    store::StoreError,
    upload::Upload,
};
use imapmcp_parcels::Writer;
use std::time::Duration;

/// What files that arrive within calls are called until the call says more.
const UNKNOWN: &str = "application/octet-stream";

/// A file that is being taken in. One that is dropped is unfinished: [`Uploads::forget`] it.
pub struct Arriving {
    upload: Upload,
    writer: Writer,
}

impl Arriving {
    /// Takes octets; what makes a whole chunk is stored before this returns.
    pub async fn push(&mut self, octets: &[u8]) -> Result<(), UploadError> {
        let max_octets = self.upload.max_octets;
        if self.writer.octets() + octets.len() as u64 > max_octets {
            return Err(UploadError::TooLarge { max_octets });
        }
        Ok(self.writer.push(octets).await?)
    }

    /// Octets taken so far.
    pub fn octets(&self) -> u64 {
        self.writer.octets()
    }
}

impl Uploads {
    /// How long a sender may say nothing.
    pub fn silence(&self) -> Duration {
        self.deps.silence
    }

    /// A name for a file that is about to arrive; nothing is stored yet.
    pub fn name(&self) -> UploadId {
        UploadId::random(&*self.deps.entropy)
    }

    /// Begins to take in a file of at most `max_octets`, which counts among what its user has open.
    pub async fn begin(
        &self,
        principal: &Principal,
        id: &UploadId,
        max_octets: u64,
    ) -> Result<Arriving, UploadError> {
        let user = &principal.user;
        let writer = self.deps.parcels.write(user).await?;
        let about = About { filename: String::new(), content_type: UNKNOWN.to_owned(), parcel: None };
        let now = self.deps.clock.now();
        let upload = Upload {
            id: id.clone(),
            user: user.clone(),
            grant: principal.grant.clone(),
            about: self.seal(id, user, &about),
            max_octets,
            parcel: Some(writer.id().clone()),
            complete: false,
            expires_at: now.plus_seconds(ARRIVAL_SECONDS),
        };
        if !self.deps.uploads.add_upload(&upload, BOUNDS, now).await? {
            self.deps.parcels.discard(user, writer.id()).await;
            return Err(UploadError::TooMany);
        }
        Ok(Arriving { upload, writer })
    }

    /// All of it has arrived: from now on [`Self::find`] finds it.
    pub async fn complete(&self, arriving: Arriving) -> Result<(), UploadError> {
        let Arriving { upload, writer } = arriving;
        let parcel = writer.finish().await?;
        let about = About {
            filename: String::new(),
            content_type: UNKNOWN.to_owned(),
            parcel: Some(parcel.to_string()),
        };
        let about = self.seal(&upload.id, &upload.user, &about);
        let now = self.deps.clock.now();
        let until = now.plus_seconds(UPLOAD_SECONDS);
        let uploads = &self.deps.uploads;
        if !uploads.finish_upload(&upload.id, &parcel.id, &about, parcel.octets, until, now).await? {
            return Err(self.too_late(&upload).await);
        }
        Ok(())
    }

    /// Lets go of an upload, whatever has come of it. Its octets stay as long as a recorded message refers to them.
    pub async fn forget(&self, user: &UserId, id: &UploadId) -> Result<(), StoreError> {
        let removed = self.deps.uploads.remove_upload(user, id).await?;
        if let Some(parcel) = removed.and_then(|upload| upload.parcel) {
            self.deps.parcels.discard(user, &parcel).await;
        }
        Ok(())
    }
}
