//! Octets that are read piece by piece, because they are too many to be held whole.

use crate::{id::ParcelId, mail::MailError};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use std::{fmt, str::FromStr, sync::Arc};

/// Octets in order, each piece of a bounded size.
pub type Pieces = BoxStream<'static, Result<Bytes, ReadError>>;

/// Why octets cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Where they lie cannot be reached now: try again later.
    #[error("the octets cannot be reached now")]
    Unavailable,
    /// Altered, cut short or gone.
    #[error("the octets are not whole any more")]
    Broken,
    /// They come from a mail server, and this is what it said.
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// Octets that can be read from the start as often as needed.
pub trait Octets: Send + Sync {
    /// From the first octet to the last. Nothing is read before the stream is polled; after an error it has ended.
    fn pieces(&self) -> Pieces;
}

impl Octets for Bytes {
    fn pieces(&self) -> Pieces {
        Box::pin(stream::iter((!self.is_empty()).then(|| Ok(self.clone()))))
    }
}

/// Octets that lie sealed in chunks. What it says of them is to be kept sealed itself: a parcel that does not hold
/// exactly this is [`ReadError::Broken`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Where.
    pub id: ParcelId,
    /// How many octets.
    pub octets: u64,
    /// In how many chunks.
    pub chunks: u32,
    /// SHA-256 of the octets.
    pub digest: [u8; 32],
}

/// One line, to be sealed.
impl fmt::Display for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.id, self.octets, self.chunks)?;
        self.digest.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Parcel {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Self, ReadError> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(ReadError::Broken);
        let id = word()?.parse().map_err(|_| ReadError::Broken)?;
        let octets = word()?.parse().map_err(|_| ReadError::Broken)?;
        let chunks = word()?.parse().map_err(|_| ReadError::Broken)?;
        let digits = word()?;
        let mut digest = [0; 32];
        for (at, octet) in digest.iter_mut().enumerate() {
            let pair = digits.get(2 * at..2 * at + 2).ok_or(ReadError::Broken)?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| ReadError::Broken)?;
        }
        Ok(Self { id, octets, chunks, digest })
    }
}

/// What a file holds.
#[derive(Clone)]
pub enum Content {
    /// It is in memory.
    Memory(Bytes),
    /// It lies in a parcel of the same user.
    Sealed(Parcel),
    /// It is read when it is needed, such as a part of a message on its server.
    Elsewhere {
        /// Its octets; how many is known when they have been read.
        octets: Arc<dyn Octets>,
        /// What tells it from any other content, without reading it.
        identity: [u8; 32],
    },
}

impl Content {
    /// How many octets, where that is known without reading them.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Memory(octets) => Some(octets.len() as u64),
            Self::Sealed(parcel) => Some(parcel.octets),
            Self::Elsewhere { .. } => None,
        }
    }
}

/// How much, not what.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(octets) => write!(f, "Memory({})", octets.len()),
            Self::Sealed(parcel) => write!(f, "Sealed({}, {})", parcel.id, parcel.octets),
            Self::Elsewhere { .. } => f.write_str("Elsewhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_goes_round_as_a_line() {
        let mut digest = [7; 32];
        digest[0] = 0xab;
        let parcel = Parcel { id: "prc_x".parse().unwrap(), octets: 25 << 20, chunks: 100, digest };
        let line = parcel.to_string();
        // as it stands in databases
        assert_eq!(line, format!("prc_x 26214400 100 ab{}", "07".repeat(31)));
        assert_eq!(line.parse(), Ok(parcel));
        for broken in
            ["", "prc_x 1 1", "prc_x 1 1 ab", &line[1..], &line[..line.len() - 1], &line.replace("07", "éé")]
        {
            assert_eq!(broken.parse::<Parcel>(), Err(ReadError::Broken), "{broken}");
        }
    }
}
