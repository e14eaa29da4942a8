#![doc = include_str!("../README.md")]

mod writer;

pub use writer::Writer;

use bytes::Bytes;
use futures_util::stream;
use imapmcp_core::{
    id::{ParcelId, UserId},
    octets::{Octets, Parcel, Pieces, ReadError},
    random::Entropy,
    secret::{Binding, ExposeSecret, Vault},
    store::{ParcelRepository, StoreError},
    time::Clock,
};
use std::sync::Arc;

/// Octets of a chunk.
pub const CHUNK: usize = 256 * 1024;
/// How long a parcel lives that nobody refers to, counted from its last chunk.
pub const LIFETIME_SECONDS: i64 = 3600;
/// How long messages hold their parcels after they have ended: nothing reads them any more.
const ENDED_SECONDS: i64 = 3600;

/// What parcels are made with.
pub struct ParcelsDeps {
    /// Where they lie.
    pub repository: Arc<dyn ParcelRepository>,
    /// Seals the chunks.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Seals octets in chunks and reads them back. Clones share everything.
#[derive(Clone)]
pub struct Parcels {
    deps: Arc<ParcelsDeps>,
}

impl Parcels {
    /// Ready for use.
    pub fn new(deps: ParcelsDeps) -> Self {
        Self { deps: Arc::new(deps) }
    }

    /// An empty parcel, to be filled.
    pub async fn write(&self, user: &UserId) -> Result<Writer, StoreError> {
        let id = ParcelId::random(&*self.deps.entropy);
        let expires_at = self.deps.clock.now().plus_seconds(LIFETIME_SECONDS);
        self.deps.repository.add_parcel(user, &id, expires_at).await?;
        Ok(Writer::new(Arc::clone(&self.deps), user.clone(), id))
    }

    /// The octets of a parcel, a chunk at a time. One that is altered, swapped, missing or too many ends the stream with
    /// [`ReadError::Broken`].
    pub fn read(&self, user: &UserId, parcel: &Parcel) -> Pieces {
        let reading = Reading {
            deps: Arc::clone(&self.deps),
            user: user.clone(),
            parcel: parcel.clone(),
            position: 0,
            seen: 0,
        };
        Box::pin(stream::try_unfold(reading, Reading::next))
    }

    /// A parcel as octets that can be read again and again.
    pub fn octets(&self, user: &UserId, parcel: &Parcel) -> Arc<dyn Octets> {
        Arc::new(Stored { parcels: self.clone(), user: user.clone(), parcel: parcel.clone() })
    }

    /// Removes a parcel that no message holds. A failure is not raised: it lapses by itself.
    pub async fn discard(&self, user: &UserId, id: &ParcelId) {
        if let Err(error) = self.deps.repository.remove_parcel(user, id).await {
            tracing::debug!(%error, "a parcel is left to lapse");
        }
    }

    /// Removes what has lapsed; returns how many parcels.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.deps.clock.now();
        self.deps.repository.sweep_parcels(now.plus_seconds(-ENDED_SECONDS), now).await
    }
}

struct Stored {
    parcels: Parcels,
    user: UserId,
    parcel: Parcel,
}

impl Octets for Stored {
    fn pieces(&self) -> Pieces {
        self.parcels.read(&self.user, &self.parcel)
    }
}

struct Reading {
    deps: Arc<ParcelsDeps>,
    user: UserId,
    parcel: Parcel,
    position: u32,
    seen: u64,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ReadError> {
        let Parcel { id, octets, chunks, .. } = &self.parcel;
        if self.position == *chunks {
            return if self.seen == *octets { Ok(None) } else { Err(ReadError::Broken) };
        }
        let found = self.deps.repository.find_chunk(&self.user, id, self.position).await;
        let sealed = found
            .map_err(|error| {
                tracing::warn!(parcel = %id, %error, "a chunk cannot be read");
                ReadError::Unavailable
            })?
            .ok_or(ReadError::Broken)?;
        let place = self.position.to_string();
        let opened = self.deps.vault.open(Binding::parcel_chunk(id, &self.user, &place), &sealed);
        let plain = opened.map_err(|error| {
            tracing::error!(parcel = %id, place, %error, "a chunk cannot be opened");
            ReadError::Broken
        })?;
        let piece = Bytes::copy_from_slice(plain.expose_secret());
        self.position += 1;
        self.seen += piece.len() as u64;
        Ok(Some((piece, self)))
    }
}
