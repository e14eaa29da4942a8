//! Octets that come in small pieces, or not all of them.

use imapmcp_core::{
    mail::Outgoing,
    octets::{Octets, Pieces, ReadError},
};
use std::sync::Arc;

struct Crumbs {
    octets: Vec<u8>,
    size: usize,
    end: Option<ReadError>,
}

impl Octets for Crumbs {
    fn pieces(&self) -> Pieces {
        let pieces: Vec<_> = self.octets.chunks(self.size).map(|piece| Ok(piece.to_vec().into())).collect();
        Box::pin(futures_util::stream::iter(pieces.into_iter().chain(self.end.clone().map(Err))))
    }
}

/// A message that is read in pieces of `size` octets.
pub fn crumbs(message: &[u8], size: usize) -> Outgoing {
    let crumbs = Crumbs { octets: message.to_vec(), size, end: None };
    Outgoing::new(Arc::new(crumbs), message.len() as u64, message.is_ascii())
}

/// A message that promises ten octets more than can be read, and says so or just ends.
pub fn broken(message: &[u8], says_so: bool) -> Outgoing {
    let end = says_so.then_some(ReadError::Unavailable);
    let crumbs = Crumbs { octets: message.to_vec(), size: 7, end };
    Outgoing::new(Arc::new(crumbs), message.len() as u64 + 10, message.is_ascii())
}
