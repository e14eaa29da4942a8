//! Text from mail is data. It stands between two marks that are random per call, so that nothing within can close
//! them.

use crate::present;
use imapmcp_core::random::{self, Entropy};
use imapmcp_mime::budget;

/// Octets the marks add to a text.
pub(crate) const COST: usize = 64;

/// Fences `text`: `<mail-AbC…>` … `</mail-AbC…>`.
pub(crate) fn around(entropy: &dyn Entropy, text: &str) -> String {
    loop {
        let mark = format!("mail-{}", random::token(entropy, 9));
        // 72 random bits; the check costs nothing and makes it certain
        if !text.contains(&mark) {
            return format!("<{mark}>\n{text}\n</{mark}>");
        }
    }
}

/// A piece of a text between marks.
pub(crate) struct Fenced {
    /// Marks and piece.
    pub(crate) text: String,
    /// Where to go on; `None` at the end.
    pub(crate) next: Option<usize>,
    /// Tokens that are left after it.
    pub(crate) omitted_tokens: usize,
}

/// As much of `text` from octet `from` on as takes at most `octets` in a JSON string, marks included.
pub(crate) fn fitting(entropy: &dyn Entropy, text: &str, from: usize, octets: usize) -> Fenced {
    let octets = octets.max(COST + 16);
    let mut room = octets - COST;
    loop {
        let piece = budget::piece(text, from, room);
        let fenced = around(entropy, piece.text);
        let length = present::quoted(&fenced);
        // escaping makes JSON longer than the text: shrink in proportion until it fits
        if length > octets && room > 16 {
            room = (room * octets / length).saturating_sub(8).clamp(16, room - 1);
            continue;
        }
        return Fenced { text: fenced, next: piece.next, omitted_tokens: piece.omitted_tokens };
    }
}
