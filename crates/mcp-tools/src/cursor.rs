//! What a cursor is of: one of another account, folder or question leads nowhere instead of to the wrong messages.

use crate::error::ToolError;
use imapmcp_core::mail::PageCursor;

/// A short mark of what a list was asked for: FNV-1a of its pieces.
pub(crate) fn mark<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for piece in pieces {
        for octet in piece.bytes().chain([0]) {
            hash = (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3);
        }
    }
    format!("{:08x}", hash & 0xffff_ffff)
}

/// A cursor of one folder's list, as it is handed out.
pub(crate) fn write(mark: &str, cursor: PageCursor) -> String {
    format!("{mark}~{cursor}")
}

/// Reads a cursor that [`write`] wrote for the same list.
pub(crate) fn read(mark: &str, text: &str) -> Result<PageCursor, ToolError> {
    let cursor =
        text.split_once('~').filter(|(of, _)| *of == mark).and_then(|(_, cursor)| cursor.parse().ok());
    cursor.ok_or_else(not_of_this_list)
}

/// The answer to a cursor of something else.
pub(crate) fn not_of_this_list() -> ToolError {
    ToolError::argument(
        "cursor",
        "is not a cursor of this list (account, folder and conditions must be the same)",
        "the next_cursor of the answer before",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_where_it_came_from_and_nowhere_else() {
        let cursor = PageCursor { uid_validity: 1, uid: 7, sequence: 3, date: None };
        let here = mark(["acc_a", "INBOX", ""]);
        assert_eq!(read(&here, &write(&here, cursor)).unwrap(), cursor);
        for other in [["acc_b", "INBOX", ""], ["acc_a", "Sent", ""], ["acc_a", "INBOX", "unread"]] {
            assert!(read(&mark(other), &write(&here, cursor)).is_err(), "{other:?}");
        }
        for bad in ["", "~", "1.7.3", &cursor.to_string(), &format!("{here}~"), &format!("{here}~x")] {
            assert!(read(&here, bad).is_err(), "{bad}");
        }
        assert_ne!(mark(["a", "bc"]), mark(["ab", "c"]));
    }
}
