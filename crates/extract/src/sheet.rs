//! Spreadsheets: a line for each row, cells parted by tabs.

use crate::{
    error::ExtractError,
    pages::{MAX_TEXT, Text},
};
use calamine::{Data, Reader, open_workbook_auto_from_rs};
use std::io::Cursor;

const MAX_SHEETS: usize = 100;
const MAX_ROWS: usize = 20_000;
const MAX_COLUMNS: usize = 200;

pub(crate) fn read(octets: &[u8]) -> Result<Text, ExtractError> {
    let mut workbook = open_workbook_auto_from_rs(Cursor::new(octets)).map_err(|_| ExtractError::Damaged)?;
    let names = workbook.sheet_names();
    let mut cut = names.len() > MAX_SHEETS;
    let mut pages = Vec::new();
    let mut octets = 0;
    for name in names.into_iter().take(MAX_SHEETS) {
        let Ok(range) = workbook.worksheet_range(&name) else { continue };
        let mut text = String::new();
        for row in range.rows().take(MAX_ROWS) {
            let mut cells: Vec<String> = row.iter().take(MAX_COLUMNS).map(cell).collect();
            while cells.last().is_some_and(String::is_empty) {
                cells.pop();
            }
            text.push_str(&cells.join("\t"));
            text.push('\n');
            if text.len() + octets > MAX_TEXT {
                break;
            }
        }
        let (height, width) = range.get_size();
        cut |= height > MAX_ROWS || width > MAX_COLUMNS || text.len() + octets > MAX_TEXT;
        octets += text.len();
        pages.push((Some(imapmcp_mime::header::one_line(&name)), text));
    }
    Ok(Text { kind: "xlsx", pages, unit: Some("Sheet"), cut })
}

fn cell(value: &Data) -> String {
    match value {
        Data::Empty => String::new(),
        Data::DateTime(at) => date(*at),
        other => other.to_string().replace(['\t', '\n', '\r'], " "),
    }
}

fn date(at: calamine::ExcelDateTime) -> String {
    if at.is_duration() {
        return format!("{} days", at.as_f64());
    }
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}
