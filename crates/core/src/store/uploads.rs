use super::StoreError;
use crate::{
    id::{GrantId, ParcelId, UploadId, UserId},
    secret::Sealed,
    time::Timestamp,
    upload::Upload,
};
use async_trait::async_trait;

/// What one user may have open at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadBounds {
    /// Uploads.
    pub count: u32,
    /// Their `max_octets` together.
    pub octets: u64,
}

/// Files on their way in.
#[async_trait]
pub trait UploadRepository: Send + Sync {
    /// Adds, unless the user's live uploads would then pass a bound (`false`); of racers no more than fit are added.
    async fn add_upload(
        &self,
        upload: &Upload,
        bounds: UploadBounds,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// A live upload of this user and grant; another's is `None` too.
    async fn find_upload(
        &self,
        user: &UserId,
        grant: &GrantId,
        id: &UploadId,
        now: Timestamp,
    ) -> Result<Option<Upload>, StoreError>;
    /// Octets come, into `parcel`, until `expires_at` at most; whoever sent before is cut out. `false` if the upload is
    /// complete or has lapsed.
    async fn begin_upload(
        &self,
        id: &UploadId,
        parcel: &ParcelId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// All of it is in `parcel`: `octets` count from now on, and upload and parcel live until `expires_at`. `false`, and
    /// nothing changes, if another parcel was begun since, or the upload is complete or has lapsed.
    async fn finish_upload(
        &self,
        id: &UploadId,
        parcel: &ParcelId,
        about: &Sealed,
        octets: u64,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Removes one, whatever has come of it; what it was. Its parcel stays.
    async fn remove_upload(&self, user: &UserId, id: &UploadId) -> Result<Option<Upload>, StoreError>;
    /// Removes lapsed uploads; returns how many. Their parcels lapse by themselves.
    async fn sweep_uploads(&self, now: Timestamp) -> Result<usize, StoreError>;
}
