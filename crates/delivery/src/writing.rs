//! A letter is written down: small files in the message itself, large ones in parcels, piece by piece.

use crate::{
    Delivery, DeliveryError,
    stored_message::{Part, StoredMessage},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use imapmcp_core::{
    id::{ParcelId, UserId},
    mail::Outgoing,
    octets::{Content, Octets, Parcel, Pieces, ReadError},
    store::StoreError,
};
use imapmcp_mime::compose::{Base64Lines, ComposeError, Draft, MAX_ATTACHMENTS, Piece};

/// Octets of files that stand in the message itself, all of them together.
const WITHIN: usize = 256 * 1024;

/// A message for the drafts: nothing of it is recorded. [`Delivery::discard`] it when it is stored.
#[derive(Debug)]
pub struct WrittenDraft {
    /// The message, with its Bcc field.
    pub message: Outgoing,
    user: UserId,
    made: Vec<ParcelId>,
}

/// What a file turned out to be.
enum Read {
    Small(Bytes),
    Large(Parcel),
}

impl Delivery {
    /// Writes a message for the drafts; large files are sealed at rest for as long as it takes.
    pub async fn write_draft(&self, user: &UserId, draft: &Draft) -> Result<WrittenDraft, DeliveryError> {
        let pieces = draft.compose_unsent()?;
        let (written, made) = self.write_down(user, draft, pieces).await?;
        Ok(WrittenDraft { message: written.copy(&self.deps.parcels, user), user: user.clone(), made })
    }

    /// Lets go of what was made for a draft.
    pub async fn discard(&self, draft: WrittenDraft) {
        self.discard_parcels(&draft.user, &draft.made).await;
    }

    pub(crate) async fn discard_parcels(&self, user: &UserId, parcels: &[ParcelId]) {
        for parcel in parcels {
            self.deps.parcels.discard(user, parcel).await;
        }
    }

    /// Writes a composed message down; with it, the parcels that were made for it.
    pub(crate) async fn write_down(
        &self,
        user: &UserId,
        draft: &Draft,
        pieces: Vec<Piece>,
    ) -> Result<(StoredMessage, Vec<ParcelId>), DeliveryError> {
        let mut made = Vec::new();
        match self.parts(user, draft, pieces, &mut made).await {
            Ok(parts) => Ok((StoredMessage::new(draft.bcc_field(), parts), made)),
            Err(error) => {
                self.discard_parcels(user, &made).await;
                Err(error)
            }
        }
    }

    async fn parts(
        &self,
        user: &UserId,
        draft: &Draft,
        pieces: Vec<Piece>,
        made: &mut Vec<ParcelId>,
    ) -> Result<Vec<Part>, DeliveryError> {
        let (mut parts, mut own) = (Vec::new(), BytesMut::new());
        let (mut within, mut room) = (WITHIN, MAX_ATTACHMENTS as u64);
        for piece in pieces {
            let file = match piece {
                Piece::Octets(octets) => {
                    own.extend_from_slice(&octets);
                    continue;
                }
                Piece::File(place) => draft.letter.files.get(place).ok_or(DeliveryError::Lapsed)?,
            };
            let read = match &file.content {
                Content::Sealed(parcel) => Read::Large(parcel.clone()),
                Content::Memory(octets) => self.read(user, octets.pieces(), within, room, made).await?,
                Content::Elsewhere { octets, .. } => {
                    self.read(user, octets.pieces(), within, room, made).await?
                }
            };
            let size = match &read {
                Read::Small(octets) => octets.len() as u64,
                Read::Large(parcel) => parcel.octets,
            };
            room = room.checked_sub(size).ok_or(ComposeError::TooLarge)?;
            match read {
                Read::Small(octets) => {
                    within -= octets.len();
                    let (mut lines, mut out) = (Base64Lines::new(), Vec::new());
                    lines.push(&octets, &mut out);
                    lines.finish(&mut out);
                    own.extend_from_slice(&out);
                }
                Read::Large(parcel) => {
                    parts.push(Part::Octets(own.split().freeze()));
                    parts.push(Part::File(parcel));
                }
            }
        }
        parts.push(Part::Octets(own.freeze()));
        Ok(parts)
    }

    /// Reads a file: into memory if it has at most `within` octets, else into a parcel; at most `room` in all.
    async fn read(
        &self,
        user: &UserId,
        mut pieces: Pieces,
        within: usize,
        room: u64,
        made: &mut Vec<ParcelId>,
    ) -> Result<Read, DeliveryError> {
        let (mut small, mut large) = (BytesMut::new(), None);
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if large.is_none() && small.len() + piece.len() <= within {
                small.extend_from_slice(&piece);
                continue;
            }
            let writer = match &mut large {
                Some(writer) => writer,
                none => {
                    let mut writer = self.deps.parcels.write(user).await?;
                    made.push(writer.id().clone());
                    writer.push(&std::mem::take(&mut small)).await?;
                    none.insert(writer)
                }
            };
            if writer.octets() + piece.len() as u64 > room {
                return Err(ComposeError::TooLarge.into());
            }
            writer.push(&piece).await?;
        }
        Ok(match large {
            Some(writer) => Read::Large(writer.finish().await?),
            None => Read::Small(small.freeze()),
        })
    }
}

impl From<ReadError> for DeliveryError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Mail(error) => Self::Mail(error),
            ReadError::Unavailable => Self::Store(StoreError::Unavailable(error.into())),
            ReadError::Broken => Self::Lapsed,
        }
    }
}
