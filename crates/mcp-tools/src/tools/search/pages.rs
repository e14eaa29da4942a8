//! How a search over several places goes on.

use super::{Found, targets::Target};
use crate::{arguments::Arguments, cursor, error::ToolError};
use imapmcp_core::mail::PageCursor;

/// Where one target goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Here(Option<PageCursor>),
    Done,
}

/// `targets.cursor_cursor…`: `-` for a target that is done, `*` for one to begin with.
pub(super) fn next_cursor(mark: &str, starts: &[Start], found: &[Found]) -> Option<String> {
    let mut goes_on = false;
    let mut pieces = Vec::with_capacity(starts.len());
    for (target, start) in starts.iter().enumerate() {
        let next = match found.iter().find(|found| found.target == target) {
            // failed or done before: as it was
            None => *start,
            Some(found) => found.next(),
        };
        pieces.push(match next {
            Start::Done => "-".to_owned(),
            Start::Here(None) => "*".to_owned(),
            Start::Here(Some(cursor)) => cursor.to_string(),
        });
        let failed = found.iter().all(|found| found.target != target);
        goes_on |= !failed && next != Start::Done;
    }
    goes_on.then(|| format!("{mark}~{}", pieces.join("~")))
}

impl Found {
    fn next(&self) -> Start {
        let messages = &self.listing.messages;
        match self.used.checked_sub(1) {
            None if messages.is_empty() => {
                self.listing.next.map_or(Start::Done, |next| Start::Here(Some(next)))
            }
            None => Start::Here(self.before),
            Some(_) if self.used == messages.len() => {
                self.listing.next.map_or(Start::Done, |next| Start::Here(Some(next)))
            }
            Some(last) => {
                let last = &messages[last];
                Start::Here(Some(PageCursor {
                    uid_validity: self.listing.uid_validity,
                    uid: last.uid,
                    sequence: 0,
                    // a listing that goes by dates says so in its own cursor
                    date: self.listing.next.and_then(|next| next.date).and(last.internal_date),
                }))
            }
        }
    }
}

pub(super) fn decode(text: &str, mark: &str, targets: usize) -> Result<Vec<Start>, ToolError> {
    let mut pieces = text.split('~');
    if pieces.next() != Some(mark) {
        return Err(cursor::not_of_this_list());
    }
    let starts: Vec<Start> = pieces
        .map(|piece| match piece {
            "-" => Some(Start::Done),
            "*" => Some(Start::Here(None)),
            piece => piece.parse().ok().map(|cursor| Start::Here(Some(cursor))),
        })
        .collect::<Option<_>>()
        .ok_or_else(cursor::not_of_this_list)?;
    if starts.len() == targets { Ok(starts) } else { Err(cursor::not_of_this_list()) }
}

/// Tells apart searches of other places, and for other things.
pub(super) fn fingerprint(list: &[Target], arguments: &Arguments) -> String {
    let asked = arguments.apart_from(&[
        "account_id",
        "accounts",
        "folder",
        "folders",
        "limit",
        "cursor",
        "max_tokens",
    ]);
    let places = list.iter().flat_map(|target| [target.opened.account.id.as_str(), target.folder.as_str()]);
    cursor::mark(places.chain([asked.as_str()]))
}
