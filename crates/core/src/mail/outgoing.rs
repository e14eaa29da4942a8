use crate::octets::{Octets, Pieces, ReadError};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use std::{fmt, sync::Arc};

/// A message to be submitted or appended: read piece by piece, as often as needed, its length known. Clones share its
/// octets.
#[derive(Clone)]
pub struct Outgoing {
    octets: Arc<dyn Octets>,
    length: u64,
    is_ascii: bool,
}

impl Outgoing {
    /// Of octets of which this is known: exactly so many are there, and whether all of them are ASCII.
    pub fn new(octets: Arc<dyn Octets>, length: u64, is_ascii: bool) -> Self {
        Self { octets, length, is_ascii }
    }

    /// How many octets.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether all of them are ASCII (RFC 6152 is for those that are not).
    pub fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// From the first octet on. The stream ends with [`ReadError::Broken`] if there are not as many as promised.
    pub fn pieces(&self) -> Pieces {
        let counted = (self.octets.pieces(), self.length, false);
        Box::pin(futures_util::stream::unfold(counted, |(mut pieces, left, ended)| async move {
            if ended {
                return None;
            }
            match pieces.next().await {
                Some(Ok(piece)) => Some(match left.checked_sub(piece.len() as u64) {
                    Some(left) => (Ok(piece), (pieces, left, false)),
                    None => (Err(ReadError::Broken), (pieces, 0, true)),
                }),
                Some(Err(error)) => Some((Err(error), (pieces, left, true))),
                None if left > 0 => Some((Err(ReadError::Broken), (pieces, left, true))),
                None => None,
            }
        }))
    }

    /// All octets, for who needs them whole.
    pub async fn collect(&self) -> Result<Bytes, ReadError> {
        let mut pieces = self.pieces();
        let mut whole: Option<BytesMut> = None;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if whole.is_none() && piece.len() as u64 == self.length {
                return Ok(piece);
            }
            whole.get_or_insert_default().extend_from_slice(&piece);
        }
        Ok(whole.unwrap_or_default().freeze())
    }
}

/// What is in memory already.
impl<T: Into<Bytes>> From<T> for Outgoing {
    fn from(octets: T) -> Self {
        let octets: Bytes = octets.into();
        Self { length: octets.len() as u64, is_ascii: octets.is_ascii(), octets: Arc::new(octets) }
    }
}

/// How long, not what.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("length", &self.length).finish_non_exhaustive()
    }
}
