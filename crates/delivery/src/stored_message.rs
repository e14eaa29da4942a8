//! A message as it is written down: its own octets, and in their places the files that lie in parcels.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use imapmcp_core::{
    id::{ParcelId, UserId},
    mail::Outgoing,
    octets::{Octets, Parcel, Pieces},
};
use imapmcp_mime::{
    compose::{Base64Lines, encoded_length},
    header::Fields,
};
use imapmcp_parcels::Parcels;
use std::sync::Arc;

/// What a record with parcels begins with: no message does.
const MARK: [u8; 2] = [0, 1];
const OCTETS: u8 = 0;
const FILE: u8 = 1;
/// Octets of a file that are encoded at a time.
const AT_ONCE: usize = 48 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Octets(Bytes),
    /// Base64 of what the parcel holds, in lines.
    File(Parcel),
}

/// A message with a Bcc field of ours in front, if it has such recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredMessage {
    parts: Vec<Part>,
    /// Octets of that field.
    bcc: usize,
}

impl StoredMessage {
    pub(crate) fn new(bcc: Option<Bytes>, parts: Vec<Part>) -> Self {
        let length = bcc.as_ref().map_or(0, Bytes::len);
        Self { parts: bcc.into_iter().map(Part::Octets).chain(parts).collect(), bcc: length }
    }

    /// The parcels that have to stay.
    pub(crate) fn parcels(&self) -> Vec<ParcelId> {
        let id = |part: &Part| match part {
            Part::File(parcel) => Some(parcel.id.clone()),
            Part::Octets(_) => None,
        };
        self.parts.iter().filter_map(id).collect()
    }

    /// Its own octets alone: a message whose larger files are empty.
    pub(crate) fn outline(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for part in &self.parts {
            if let Part::Octets(octets) = part {
                out.extend_from_slice(octets);
            }
        }
        out
    }

    /// The larger files: where each stands in the [`outline`](Self::outline), and its octets.
    pub(crate) fn elsewhere(&self) -> Vec<(usize, u64)> {
        let (mut at, mut files) = (0, Vec::new());
        for part in &self.parts {
            match part {
                Part::Octets(octets) => at += octets.len(),
                Part::File(parcel) => files.push((at, parcel.octets)),
            }
        }
        files
    }

    /// As it is sealed: the message itself if it is whole.
    pub(crate) fn write(&self) -> Vec<u8> {
        if self.parts.iter().all(|part| matches!(part, Part::Octets(_))) {
            return self.outline();
        }
        let mut out = MARK.to_vec();
        let length = |octets: usize| u32::try_from(octets).unwrap_or(u32::MAX).to_be_bytes();
        out.extend_from_slice(&length(self.bcc));
        for part in &self.parts {
            let line;
            let (kind, octets) = match part {
                Part::Octets(octets) => (OCTETS, &octets[..]),
                Part::File(parcel) => {
                    line = parcel.to_string();
                    (FILE, line.as_bytes())
                }
            };
            out.push(kind);
            out.extend_from_slice(&length(octets.len()));
            out.extend_from_slice(octets);
        }
        out
    }

    /// What was sealed; `None` if it is none of ours.
    pub(crate) fn read(mut record: Bytes) -> Option<Self> {
        if !record.starts_with(&MARK) {
            let bcc = bcc_length(&record);
            return Some(Self { parts: vec![Part::Octets(record)], bcc });
        }
        let mut take = |length: usize| (record.len() >= length).then(|| record.split_to(length));
        let number =
            |octets: &Bytes| octets.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
        take(MARK.len())?;
        let bcc = number(&take(4)?);
        let mut parts = Vec::new();
        while let Some(kind) = take(1) {
            let length = number(&take(4)?);
            let octets = take(length)?;
            parts.push(match kind[0] {
                OCTETS => Part::Octets(octets),
                FILE => Part::File(std::str::from_utf8(&octets).ok()?.parse().ok()?),
                _ => return None,
            });
        }
        Some(Self { parts, bcc })
    }

    /// Our own copy, with its Bcc field.
    pub(crate) fn copy(&self, parcels: &Parcels, user: &UserId) -> Outgoing {
        Self::outgoing(parcels, user, self.parts.clone())
    }

    /// What is submitted: the Bcc field that we put in front is taken off.
    pub(crate) fn submission(&self, parcels: &Parcels, user: &UserId) -> Outgoing {
        let mut parts = self.parts.clone();
        if let Some(Part::Octets(first)) = parts.first_mut() {
            let _ = first.split_to(self.bcc.min(first.len()));
        }
        Self::outgoing(parcels, user, parts)
    }

    fn outgoing(parcels: &Parcels, user: &UserId, parts: Vec<Part>) -> Outgoing {
        let length = |part: &Part| match part {
            Part::Octets(octets) => octets.len() as u64,
            Part::File(parcel) => encoded_length(parcel.octets),
        };
        let ascii = |part: &Part| match part {
            Part::Octets(octets) => octets.is_ascii(),
            Part::File(_) => true,
        };
        let (length, is_ascii) = (parts.iter().map(length).sum(), parts.iter().all(ascii));
        let parts = Message { parts, parcels: parcels.clone(), user: user.clone() };
        Outgoing::new(Arc::new(parts), length, is_ascii)
    }
}

struct Message {
    parts: Vec<Part>,
    parcels: Parcels,
    user: UserId,
}

impl Octets for Message {
    fn pieces(&self) -> Pieces {
        let (parcels, user) = (self.parcels.clone(), self.user.clone());
        let parts = stream::iter(self.parts.clone()).flat_map(move |part| match part {
            Part::Octets(octets) => octets.pieces(),
            Part::File(parcel) => in_lines(parcels.read(&user, &parcel)),
        });
        Box::pin(parts)
    }
}

/// The base64 of octets, as they come.
fn in_lines(octets: Pieces) -> Pieces {
    Box::pin(stream::unfold(Some((octets, Bytes::new(), Base64Lines::new())), |state| async {
        let (mut octets, mut rest, mut lines) = state?;
        let mut out = Vec::new();
        if rest.is_empty() {
            match octets.next().await {
                Some(Ok(piece)) => rest = piece,
                Some(Err(error)) => return Some((Err(error), None)),
                None => {
                    lines.finish(&mut out);
                    return Some((Ok(out.into()), None));
                }
            }
        }
        // several pieces may be under way at a time: each is a small part of a chunk
        lines.push(&rest.split_to(rest.len().min(AT_ONCE)), &mut out);
        Some((Ok(out.into()), Some((octets, rest, lines))))
    }))
}

/// Octets of the Bcc field in front of a whole message.
fn bcc_length(copy: &[u8]) -> usize {
    if !copy.starts_with(b"Bcc: ") || Fields::parse(copy).raw("bcc").is_none() {
        return 0;
    }
    let mut at = 0;
    while let Some(end) = copy[at..].windows(2).position(|pair| pair == b"\r\n") {
        at += end + 2;
        if !matches!(copy.get(at), Some(b' ' | b'\t')) {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcc_never_leaves() {
        let copy = b"Bcc: a@b.c,\r\n d@e.f\r\nSubject: x\r\n\r\nBcc: body";
        assert_eq!(&copy[bcc_length(copy)..], b"Subject: x\r\n\r\nBcc: body");
        assert_eq!(bcc_length(b"Subject: x\r\n\r\ny"), 0);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let digits = "0".repeat(64);
        let parcel: Parcel = format!("prc_a 25 1 {digits}").parse().unwrap();
        let parts = vec![
            Part::Octets("Subject: x\r\n\r\n".into()),
            Part::File(parcel.clone()),
            Part::Octets("--\r\n".into()),
        ];
        let written = StoredMessage::new(Some("Bcc: a@b.c\r\n".into()), parts.clone());
        let record = Bytes::from(written.write());
        assert_eq!(StoredMessage::read(record.clone()), Some(written.clone()));
        assert_eq!((written.parcels(), written.bcc), (vec![parcel.id], 12));
        for end in MARK.len()..record.len() {
            let cut = StoredMessage::read(record.slice(..end));
            assert!(cut.is_none_or(|cut| cut.parts.len() < written.parts.len()), "{end}");
        }
        let whole = StoredMessage::new(Some("Bcc: a@b.c\r\n".into()), parts[..1].to_vec());
        let record = whole.write();
        assert_eq!(record, b"Bcc: a@b.c\r\nSubject: x\r\n\r\n", "as before there were parcels");
        assert_eq!(StoredMessage::read(record.into()).unwrap().bcc, 12);
    }
}
