//! What a command has to say: the same for programs and for people.

use serde_json::Value;

/// The outcome of a command that did its work.
pub(crate) struct Report {
    pub(crate) json: Value,
    /// Ends with a line break.
    pub(crate) text: String,
    /// 0, unless the work was to find something wrong.
    pub(crate) exit: u8,
}

impl Report {
    pub(crate) fn new(json: Value, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Self { json, text, exit: 0 }
    }

    pub(crate) fn with_exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }
}

/// Columns side by side, two spaces between them; a note if there is no row.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], none: &str) -> String {
    if rows.is_empty() {
        return format!("{none}\n");
    }
    let header: Vec<String> = header.iter().map(|&title| title.to_owned()).collect();
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows =
            [vec!["jürgen@example.com".to_owned(), "yes".to_owned()], vec!["a@b".to_owned(), String::new()]];
        let text = table(&["E-MAIL", "ADMIN"], &rows, "none");
        assert_eq!(text, "E-MAIL              ADMIN\njürgen@example.com  yes\na@b\n");
        assert_eq!(table(&["E-MAIL"], &[], "No user yet."), "No user yet.\n");
    }
}
