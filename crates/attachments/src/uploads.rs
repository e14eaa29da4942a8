//! Files on their way in: a link to PUT one file to, once; sealed in chunks as it arrives, gone after an hour.

use crate::{LIFETIME_SECONDS, Link};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use imapmcp_core::{
    id::{GrantId, UploadId, UserId},
    oauth::Principal,
    octets::{Octets, Parcel},
    permission::Permission,
    random::Entropy,
    secret::{Binding, ExposeSecret, LinkTokens, Sealed, Vault},
    store::{GrantRepository, StoreError, UploadBounds, UploadRepository},
    time::{Clock, Timestamp},
    upload::Upload,
};
use imapmcp_parcels::{Parcels, Writer};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Octets of one upload.
pub const MAX_UPLOAD: u64 = 25 * 1024 * 1024;
/// How long a complete upload can be named in messages.
pub const UPLOAD_SECONDS: i64 = 3600;
/// What one user may have open at a time.
pub(crate) const BOUNDS: UploadBounds = UploadBounds { count: 20, octets: 8 * MAX_UPLOAD };
/// Longest time one file takes to arrive.
pub const ARRIVAL_SECONDS: i64 = 900;

/// What uploads are made of and checked against.
pub struct UploadsDeps {
    /// Seals links; of a purpose of its own.
    pub tokens: Arc<dyn LinkTokens>,
    /// Says whether a grant, and its user, is still alive.
    pub grants: Arc<dyn GrantRepository>,
    /// What is on its way in.
    pub uploads: Arc<dyn UploadRepository>,
    /// Where octets go.
    pub parcels: Parcels,
    /// Seals names and types.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Our own origin, without a slash at its end.
    pub base_url: String,
    /// How long a sender may say nothing.
    pub silence: Duration,
}

/// Makes links to send files to, and takes the files in.
pub struct Uploads {
    pub(crate) deps: UploadsDeps,
}

/// A file that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Its name.
    pub filename: String,
    /// Its type.
    pub content_type: String,
    /// Its octets.
    pub parcel: Parcel,
}

/// A link to PUT a file to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLink {
    /// How messages name the file.
    pub id: UploadId,
    /// Where to send it, and until when.
    pub link: Link,
    /// At most so many octets are taken.
    pub max_octets: u64,
}

/// Why a file is not taken in, or not found.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Not made here, lapsed, or its grant is gone: one answer for all of them.
    #[error("the upload link has expired")]
    Expired,
    /// It is here already.
    #[error("the upload is complete")]
    Complete,
    /// Somebody else sends it now, over the same link.
    #[error("another sender has taken over")]
    Overtaken,
    /// More octets than were announced, or than there may be.
    #[error("the file is too large")]
    TooLarge {
        /// At most so many.
        max_octets: u64,
    },
    /// The sender said nothing for too long, or took too long in all.
    #[error("the file did not arrive in time")]
    TooSlow,
    /// The sender went away before the end; the link still works.
    #[error("the file did not arrive whole")]
    Broken,
    /// The user has too much open.
    #[error("too many uploads are open")]
    TooMany,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a link carries.
#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "u")]
    user: String,
    #[serde(rename = "g")]
    grant: String,
    #[serde(rename = "i")]
    upload: String,
}

/// What is sealed of an upload.
#[derive(Serialize, Deserialize)]
pub(crate) struct About {
    #[serde(rename = "n")]
    pub(crate) filename: String,
    #[serde(rename = "t")]
    pub(crate) content_type: String,
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    pub(crate) parcel: Option<String>,
}

impl Uploads {
    /// Ready for use.
    pub const fn new(deps: UploadsDeps) -> Self {
        Self { deps }
    }

    /// A link for the bearer of this grant to send one file to; with `size`, at most so many octets.
    pub async fn create(
        &self,
        principal: &Principal,
        filename: &str,
        content_type: &str,
        size: Option<u64>,
    ) -> Result<UploadLink, UploadError> {
        let max_octets = size.unwrap_or(MAX_UPLOAD);
        if max_octets > MAX_UPLOAD {
            return Err(UploadError::TooLarge { max_octets: MAX_UPLOAD });
        }
        let (id, user, grant) =
            (UploadId::random(&*self.deps.entropy), principal.user.clone(), principal.grant.clone());
        let about =
            About { filename: filename.to_owned(), content_type: content_type.to_owned(), parcel: None };
        let now = self.deps.clock.now();
        let expires_at = now.plus_seconds(LIFETIME_SECONDS);
        let payload = Payload { user: user.to_string(), grant: grant.to_string(), upload: id.to_string() };
        let about = self.seal(&id, &user, &about);
        let parcel = None;
        let upload =
            Upload { id: id.clone(), user, grant, about, max_octets, parcel, complete: false, expires_at };
        if !self.deps.uploads.add_upload(&upload, BOUNDS, now).await? {
            return Err(UploadError::TooMany);
        }
        let payload = serde_json::to_vec(&payload).unwrap_or_default();
        let token = self.deps.tokens.seal(&payload, LIFETIME_SECONDS);
        let url = format!("{}/uploads/{token}", self.deps.base_url);
        Ok(UploadLink { id, link: Link { url, expires_at }, max_octets })
    }

    /// Takes a file in, as it arrives. `announced` is how long its sender says it is. It is here once this returns `Ok`,
    /// and then the link is spent; before, it may be sent again from the start. Dropping the future ends it.
    pub async fn receive<E>(
        &self,
        token: &str,
        announced: Option<u64>,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Uploaded, UploadError> {
        let upload = self.open(token).await?;
        let too_large = || UploadError::TooLarge { max_octets: upload.max_octets };
        if upload.complete {
            return Err(UploadError::Complete);
        }
        if announced.is_some_and(|octets| octets > upload.max_octets) {
            return Err(too_large());
        }
        let mut about = self.unseal(&upload).ok_or(UploadError::Expired)?;
        let now = self.deps.clock.now();
        let mut writer = self.deps.parcels.write(&upload.user).await?;
        let id = writer.id().clone();
        let until = now.plus_seconds(ARRIVAL_SECONDS);
        if !self.deps.uploads.begin_upload(&upload.id, &id, until, now).await? {
            self.deps.parcels.discard(&upload.user, &id).await;
            return Err(self.too_late(&upload).await);
        }
        let arrived = self.arrive(&mut writer, upload.max_octets, until, body).await;
        let arrived = match arrived {
            Ok(()) if announced.is_none_or(|octets| octets == writer.octets()) => Ok(writer.finish().await?),
            Ok(()) => Err(UploadError::Broken),
            Err(error) => Err(error),
        };
        let parcel = match arrived {
            Ok(parcel) => parcel,
            Err(error) => {
                self.deps.parcels.discard(&upload.user, &id).await;
                return Err(error);
            }
        };
        about.parcel = Some(parcel.to_string());
        let sealed = self.seal(&upload.id, &upload.user, &about);
        let now = self.deps.clock.now();
        let until = now.plus_seconds(UPLOAD_SECONDS);
        let uploads = &self.deps.uploads;
        if !uploads.finish_upload(&upload.id, &id, &sealed, parcel.octets, until, now).await? {
            self.deps.parcels.discard(&upload.user, &id).await;
            return Err(self.too_late(&upload).await);
        }
        Ok(Uploaded { filename: about.filename, content_type: about.content_type, parcel })
    }

    /// A file that is here; `None` if there is none of this name for this grant, or not all of it yet.
    pub async fn find(&self, principal: &Principal, id: &UploadId) -> Result<Option<Uploaded>, StoreError> {
        let now = self.deps.clock.now();
        let Some(upload) = self.deps.uploads.find_upload(&principal.user, &principal.grant, id, now).await?
        else {
            return Ok(None);
        };
        let about = self.unseal(&upload).filter(|_| upload.complete);
        Ok(about.and_then(|About { filename, content_type, parcel }| {
            Some(Uploaded { filename, content_type, parcel: parcel?.parse().ok()? })
        }))
    }

    /// The octets of a file that is here.
    pub fn octets(&self, principal: &Principal, file: &Uploaded) -> Arc<dyn Octets> {
        self.deps.parcels.octets(&principal.user, &file.parcel)
    }

    /// Removes what has lapsed; returns how many uploads.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        self.deps.uploads.sweep_uploads(self.deps.clock.now()).await
    }

    async fn open(&self, token: &str) -> Result<Upload, UploadError> {
        let payload = self.deps.tokens.open(token).filter(|_| token.len() <= 1024);
        let payload: Option<Payload> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        let ids = payload.and_then(|Payload { user, grant, upload }| {
            Some((user.parse::<UserId>().ok()?, grant.parse::<GrantId>().ok()?, upload.parse().ok()?))
        });
        let (user, grant, id) = ids.ok_or(UploadError::Expired)?;
        let now = self.deps.clock.now();
        let live = self.deps.grants.live(&user, &grant, now).await?;
        if !live.is_some_and(|live| live.permissions.allows(Permission::Draft)) {
            return Err(UploadError::Expired);
        }
        let found = self.deps.uploads.find_upload(&user, &grant, &id, now).await?;
        found.ok_or(UploadError::Expired)
    }

    /// What became of an upload that nobody can begin or finish any more.
    pub(crate) async fn too_late(&self, upload: &Upload) -> UploadError {
        let now = self.deps.clock.now();
        match self.deps.uploads.find_upload(&upload.user, &upload.grant, &upload.id, now).await {
            Ok(Some(now)) if now.complete => UploadError::Complete,
            Ok(Some(_)) => UploadError::Overtaken,
            Ok(None) => UploadError::Expired,
            Err(error) => error.into(),
        }
    }

    async fn arrive<E>(
        &self,
        writer: &mut Writer,
        max_octets: u64,
        until: Timestamp,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), UploadError> {
        let mut body = std::pin::pin!(body);
        loop {
            let piece = tokio::time::timeout(self.deps.silence, body.next());
            let Some(piece) = piece.await.map_err(|_| UploadError::TooSlow)? else { return Ok(()) };
            let piece = piece.map_err(|_| UploadError::Broken)?;
            if self.deps.clock.now() >= until {
                return Err(UploadError::TooSlow);
            }
            if writer.octets() + piece.len() as u64 > max_octets {
                return Err(UploadError::TooLarge { max_octets });
            }
            writer.push(&piece).await?;
        }
    }

    pub(crate) fn seal(&self, id: &UploadId, user: &UserId, about: &About) -> Sealed {
        let about = serde_json::to_vec(about).unwrap_or_default();
        self.deps.vault.seal(Binding::upload_about(id, user), &about)
    }

    fn unseal(&self, upload: &Upload) -> Option<About> {
        let about =
            self.deps.vault.open(Binding::upload_about(&upload.id, &upload.user), &upload.about).ok()?;
        serde_json::from_slice(about.expose_secret()).ok()
    }
}
