//! Charsets of two or four octets to a unit (RFC 2781), in the order that the octets show.

/// Octets to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Two,
    Four,
}

/// How the octets of a unit stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) width: Width,
    pub(super) big_endian: bool,
}

/// Octets that are looked at to tell the order.
const SAMPLE: usize = 4096;

/// The order that a byte order mark tells, and its octets.
fn mark(octets: &[u8]) -> Option<(Order, usize)> {
    let order = |width, big_endian| Order { width, big_endian };
    Some(match octets {
        [0xFF, 0xFE, 0, 0, ..] => (order(Width::Four, false), 4),
        [0, 0, 0xFE, 0xFF, ..] => (order(Width::Four, true), 4),
        [0xFF, 0xFE, ..] => (order(Width::Two, false), 2),
        [0xFE, 0xFF, ..] => (order(Width::Two, true), 2),
        _ => return None,
    })
}

/// Whether a byte order mark says so.
pub(super) fn is_marked(octets: &[u8]) -> bool {
    mark(octets).is_some()
}

/// Whether zeros stand where text of ASCII has them, though nobody said so.
pub(super) fn is_likely(octets: &[u8]) -> bool {
    let sample = &octets[..octets.len().min(SAMPLE)];
    let (even, odd) = zeros(sample);
    sample.len() >= 8 && even.max(odd) * 5 > sample.len() && even.min(odd) * 20 < sample.len()
}

/// Whether octets labelled so can be it: a text without a zero whose octets are UTF-8 is what it looks like.
pub(super) fn is_possible(octets: &[u8]) -> bool {
    let sample = &octets[..octets.len().min(SAMPLE)];
    memchr::memchr(0, sample).is_some() || std::str::from_utf8(sample).is_err()
}

/// Octets to text, in the order of the mark, of `labelled`, or of what the octets show.
pub(super) fn text(octets: &[u8], labelled: Option<Order>) -> String {
    let (order, begin) = match mark(octets) {
        Some((order, begin)) => (order, begin),
        None if labelled.is_some_and(|order| order.width == Width::Four) => {
            (labelled.unwrap_or(Order { width: Width::Four, big_endian: true }), 0)
        }
        None => {
            let sample = &octets[..octets.len().min(SAMPLE)];
            let shown = shown_order(sample).or(labelled.map(|order| order.big_endian));
            (Order { width: Width::Two, big_endian: shown.unwrap_or_else(|| is_scripted_big(sample)) }, 0)
        }
    };
    let octets = &octets[begin..];
    match order.width {
        Width::Two => {
            let units = octets.chunks_exact(2).map(|two| {
                let two = [two[0], two[1]];
                if order.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
            });
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        Width::Four => octets
            .chunks_exact(4)
            .map(|four| {
                let four = [four[0], four[1], four[2], four[3]];
                let unit = if order.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            })
            .collect(),
    }
}

/// Zeros at even and at odd places.
fn zeros(sample: &[u8]) -> (usize, usize) {
    let (mut even, mut odd) = (0, 0);
    for (at, _) in sample.iter().enumerate().filter(|(_, octet)| **octet == 0) {
        *(if at % 2 == 0 { &mut even } else { &mut odd }) += 1;
    }
    (even, odd)
}

/// Whether the high octet comes first, where zeros tell it.
fn shown_order(sample: &[u8]) -> Option<bool> {
    let (even, odd) = zeros(sample);
    (even != odd).then_some(even > odd)
}

/// The same where there is no zero: a text in one script has few high octets and many low ones.
fn is_scripted_big(sample: &[u8]) -> bool {
    let different = |first: usize| {
        let mut seen = [false; 256];
        for octet in sample.iter().skip(first).step_by(2) {
            seen[usize::from(*octet)] = true;
        }
        seen.iter().filter(|seen| **seen).count()
    };
    different(0) <= different(1)
}
