use crate::{CHUNK, LIFETIME_SECONDS, ParcelsDeps};
use imapmcp_core::{
    id::{ParcelId, UserId},
    octets::Parcel,
    secret::Binding,
    store::StoreError,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A parcel being filled: at most one chunk of it is in memory. One that is dropped unfinished lapses.
pub struct Writer {
    deps: Arc<ParcelsDeps>,
    user: UserId,
    id: ParcelId,
    buffer: Vec<u8>,
    digest: Sha256,
    octets: u64,
    chunks: u32,
}

impl Writer {
    pub(crate) fn new(deps: Arc<ParcelsDeps>, user: UserId, id: ParcelId) -> Self {
        Self { deps, user, id, buffer: Vec::new(), digest: Sha256::new(), octets: 0, chunks: 0 }
    }

    /// Its identifier.
    pub fn id(&self) -> &ParcelId {
        &self.id
    }

    /// Octets taken so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Takes octets; what makes a whole chunk is stored before this returns.
    pub async fn push(&mut self, mut octets: &[u8]) -> Result<(), StoreError> {
        self.digest.update(octets);
        self.octets += octets.len() as u64;
        while !octets.is_empty() {
            // all at once: a buffer that grows leaves its smaller selves behind
            self.buffer.reserve_exact(CHUNK - self.buffer.len());
            let (now, rest) = octets.split_at(octets.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            octets = rest;
            if self.buffer.len() == CHUNK {
                self.store().await?;
            }
        }
        Ok(())
    }

    /// Stores what is left; what is in the parcel now.
    pub async fn finish(mut self) -> Result<Parcel, StoreError> {
        if !self.buffer.is_empty() {
            self.store().await?;
        }
        Ok(Parcel {
            id: self.id,
            octets: self.octets,
            chunks: self.chunks,
            digest: self.digest.finalize().into(),
        })
    }

    async fn store(&mut self) -> Result<(), StoreError> {
        let place = self.chunks.to_string();
        let sealed = self.deps.vault.seal(Binding::parcel_chunk(&self.id, &self.user, &place), &self.buffer);
        let expires_at = self.deps.clock.now().plus_seconds(LIFETIME_SECONDS);
        let repository = &self.deps.repository;
        if !repository.add_chunk(&self.user, &self.id, self.chunks, &sealed, expires_at).await? {
            return Err(StoreError::Unavailable("the parcel has lapsed".into()));
        }
        self.chunks += 1;
        self.buffer.clear();
        Ok(())
    }
}
