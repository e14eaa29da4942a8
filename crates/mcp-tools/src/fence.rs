//! Text from mail is data. It stands between two marks that are random per call, so that nothing within can close
//! them.

use imapmcp_core::random::{self, Entropy};

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
