//! Text that may be wrapped anew (RFC 3676).

/// Lines that were broken softly are joined again (RFC 3676 §4): a line that ends in a blank goes on in the next one
/// of the same quote depth; `-- ` is a line of its own.
pub(crate) fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // quote depth of a line that goes on
    let mut flowing: Option<usize> = None;
    for (index, line) in text.split('\n').enumerate() {
        let line = line.trim_end_matches('\r');
        let rest = line.trim_start_matches('>');
        let depth = line.len() - rest.len();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let is_signature = rest == "-- ";
        if flowing != Some(depth) || is_signature {
            if index > 0 {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        let soft = rest.ends_with(' ') && !is_signature;
        out.push_str(if soft && delete_space { &rest[..rest.len() - 1] } else { rest });
        flowing = soft.then_some(depth);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_text_is_joined_within_its_quote() {
        let text = "One \r\ntwo\r\n> q \r\n> r\r\n> \r\nthree\r\n-- \r\nM.";
        assert_eq!(unflow(text, false), "One two\n> q r\n> \nthree\n-- \nM.");
        assert_eq!(unflow("a \nb", true), "ab");
        assert_eq!(unflow(" >not a quote", false), ">not a quote");
        assert_eq!(unflow("\nx", false), "\nx");
    }
}
