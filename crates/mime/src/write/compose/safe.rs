//! Text that may stand in a header field.

use crate::header::one_line;
use std::borrow::Cow;

/// Line breaks, NUL and other control characters; a tab is the only one a header field may hold.
pub(super) fn breaks_out(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// A name that readers would take for an encoded word must not turn into another one on the way.
pub(super) fn disarmed(name: &str) -> Cow<'_, str> {
    if name.contains("=?") { Cow::Owned(name.replace("=?", "= ?")) } else { Cow::Borrowed(name) }
}

pub(super) fn shorten(text: &str) -> String {
    one_line(text).chars().take(60).collect()
}
