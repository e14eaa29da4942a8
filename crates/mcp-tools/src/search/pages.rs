//! How a search over several places goes on, as a text.

use super::{ACCOUNTS, FOLDERS};
use crate::{
    arguments::Arguments,
    cursor,
    error::ToolError,
    shared::{ACCOUNT, CURSOR, FOLDER, LIMIT, MAX_TOKENS},
    snippets::SNIPPETS,
};
use imapmcp_organizing::search::{Place, Start};

/// `mark~cursor~cursor…`: `-` for a place that is done, `*` for one to begin with.
pub(super) fn write(mark: &str, starts: &[Start]) -> String {
    let piece = |start: &Start| match start {
        Start::Done => "-".to_owned(),
        Start::Here(None) => "*".to_owned(),
        Start::Here(Some(cursor)) => cursor.to_string(),
    };
    let pieces: Vec<String> = starts.iter().map(piece).collect();
    format!("{mark}~{}", pieces.join("~"))
}

/// Reads what [`write()`] wrote for the same places and question.
pub(super) fn read(text: &str, mark: &str, places: usize) -> Result<Vec<Start>, ToolError> {
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
    if starts.len() == places { Ok(starts) } else { Err(cursor::not_of_this_list()) }
}

/// Tells apart searches of other places, and for other things.
pub(super) fn fingerprint(list: &[Place], arguments: &Arguments) -> String {
    let asked = arguments.apart_from(&[
        &ACCOUNT,
        &ACCOUNTS,
        &FOLDER,
        &FOLDERS,
        &LIMIT,
        &SNIPPETS,
        &CURSOR,
        &MAX_TOKENS,
    ]);
    let places = list.iter().flat_map(|place| [place.opened.account.id.as_str(), place.folder.as_str()]);
    cursor::mark(places.chain([asked.as_str()]))
}
