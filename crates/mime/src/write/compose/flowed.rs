//! format=flowed (RFC 3676): lines short enough for every transport, which readers put together again.

/// Characters of a line; RFC 3676 §4.2 asks for at most 78.
const WIDTH: usize = 76;

/// Wraps long lines at blanks, stuffs lines that begin with a blank, `>` or `From `, and leaves quoted lines and the
/// signature mark alone. Line ends are LF before and CRLF behind.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 40);
    for line in text.split('\n') {
        if line == "-- " {
            out.push_str("-- \r\n");
            continue;
        }
        // a trailing blank would mean that the line goes on
        let line = line.trim_end_matches(' ');
        if line.starts_with('>') {
            out.push_str(line);
            out.push_str("\r\n");
            continue;
        }
        let mut rest = line;
        while let Some(at) = cut(rest) {
            let (head, tail) = rest.split_at(at);
            push(&mut out, head);
            rest = tail;
        }
        push(&mut out, rest);
    }
    // the last line end belongs to the text itself
    out.truncate(out.len() - 2);
    out
}

/// Puts flowed lines together again (RFC 3676 §4), without the blanks that broke them where DelSp says so.
pub(crate) fn decode(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let text = text.replace("\r\n", "\n");
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let flows = line.ends_with(' ') && line != "-- ";
        out.push_str(if flows && delete_space { &line[..line.len() - 1] } else { line });
        if !flows && lines.peek().is_some() {
            out.push('\n');
        }
    }
    out
}

fn push(out: &mut String, line: &str) {
    if line.starts_with([' ', '>']) || line.starts_with("From ") {
        out.push(' ');
    }
    out.push_str(line);
    out.push_str("\r\n");
}

/// Where to break a line that is too long: behind a blank, which stays at the end.
fn cut(line: &str) -> Option<usize> {
    let mut last = None;
    for (count, (at, c)) in line.char_indices().enumerate() {
        if count >= WIDTH && last.is_some() {
            return last;
        }
        // the signature mark alone would end the text
        if c == ' ' && at + 1 < line.len() && &line[..=at] != "-- " {
            last = Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_lines_flow_and_short_ones_stay() {
        let long = "word ".repeat(40).trim_end().to_owned();
        let encoded = encode(&format!("{long}\nFrom here\n> quoted\n-- \nme"));
        assert!(encoded.split("\r\n").all(|line| line.chars().count() <= 78), "{encoded}");
        assert!(encoded.contains("\r\n From here\r\n> quoted\r\n-- \r\nme"));
        assert_eq!(decode(&encode(&long), false), long);
        let dashes = format!("-- {}", "x".repeat(90));
        assert_eq!(encode(&dashes), dashes, "no signature begins here");
    }

    proptest! {
        #[test]
        fn a_reader_gets_the_text_back(text in "([a-zé ]{0,120}\n){0,4}[a-z ]{0,90}") {
            let trimmed: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches(' ')).collect();
            prop_assert_eq!(decode(&encode(&text), false), trimmed.join("\n"));
        }
    }
}
