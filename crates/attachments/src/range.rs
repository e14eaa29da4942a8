//! Range requests (RFC 9110 §14) on a stream whose length is not known beforehand.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

/// One range of octets, both ends within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// First octet.
    pub first: u64,
    /// Last octet, if named.
    pub last: Option<u64>,
}

impl ByteRange {
    /// Reads a Range field. `None` means: send everything, as RFC 9110 §14.2 allows for anything but one plain range
    /// (several ranges, a suffix of a length nobody knows yet).
    pub fn parse(field: &str) -> Option<Self> {
        let (first, last) = field.trim().strip_prefix("bytes=")?.split_once('-')?;
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
        let first = number(first)?;
        let last = match last {
            "" => None,
            last => Some(number(last).filter(|last| *last >= first)?),
        };
        Some(Self { first, last })
    }
}

/// The range of a stream of octets.
pub fn cut<E>(
    octets: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    range: ByteRange,
) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static
where
    E: Send + 'static,
{
    let mut at = 0_u64;
    let end = range.last.map_or(u64::MAX, |last| last.saturating_add(1));
    let pieces = octets.map(move |piece| {
        piece.map(|mut piece| {
            let length = piece.len() as u64;
            let from = range.first.saturating_sub(at).min(length);
            let to = end.saturating_sub(at).min(length).max(from);
            at += length;
            // both are at most the length of a piece in memory
            piece = piece.slice(usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0));
            (piece, at >= end)
        })
    });
    // the piece that reaches the end is the last one asked for
    let bounded = stream::unfold((Box::pin(pieces), false), |(mut pieces, ended)| async move {
        if ended {
            return None;
        }
        match pieces.next().await? {
            Ok((piece, last)) => Some((Ok(piece), (pieces, last))),
            Err(error) => Some((Err(error), (pieces, true))),
        }
    });
    bounded.filter(|piece| std::future::ready(!matches!(piece, Ok(octets) if octets.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_plain_range_is_one() {
        assert_eq!(ByteRange::parse("bytes=0-4"), Some(ByteRange { first: 0, last: Some(4) }));
        assert_eq!(ByteRange::parse("bytes=7-"), Some(ByteRange { first: 7, last: None }));
        for other in ["", "bytes=-5", "bytes=4-3", "bytes=0-1,3-4", "octets=0-1", "bytes=a-b", "bytes=+1-2"] {
            assert_eq!(ByteRange::parse(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn a_range_is_cut_out_of_any_chunking() {
        let whole = b"0123456789";
        for size in 1..=10 {
            for (first, last) in
                [(0, Some(0)), (2, Some(5)), (5, None), (9, Some(99)), (10, None), (99, Some(100))]
            {
                let pieces = whole.chunks(size).map(|piece| Ok::<_, ()>(Bytes::from_static(piece)));
                let pieces: Vec<_> = pieces.collect();
                let got: Vec<Bytes> =
                    cut(stream::iter(pieces), ByteRange { first, last }).map(Result::unwrap).collect().await;
                let end = last.map_or(10, |last| usize::try_from(last).unwrap() + 1).min(10);
                let start = usize::try_from(first).unwrap().min(end);
                assert_eq!(got.concat(), whole[start..end], "{size} {first} {last:?}");
            }
        }
    }
}
