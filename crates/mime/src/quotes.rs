//! What the sender wrote, and what was quoted below it.

/// Plain text without the quoted message at its end. Quotes between lines of new text stay: they are being
/// answered. `None` if there is no quote to leave out.
pub fn without_trailing_quote(text: &str) -> Option<&str> {
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line.trim()))
        })
        .collect();
    let is_quote = |line: &str| line.starts_with('>');
    let mut first = lines.len();
    let mut quoted = 0;
    for (index, (_, line)) in lines.iter().enumerate().rev() {
        if is_quote(line) {
            quoted += 1;
            first = index;
        } else if !line.is_empty() {
            break;
        }
    }
    if quoted == 0 {
        return None;
    }
    // the attribution: up to two lines that end in a colon ("On … Marie wrote:")
    let mut above = first;
    while above > 0 && lines[above - 1].1.is_empty() {
        above -= 1;
    }
    if above > 0 && lines[above - 1].1.ends_with(':') {
        above -= 1;
        let wrapped = above > 0 && {
            let line = lines[above - 1].1;
            !line.is_empty() && line.contains(['@', ',']) && line.len() > 40
        };
        first = if wrapped { above - 1 } else { above };
    }
    let kept = text[..lines[first].0].trim_end();
    // a message that is nothing but a quote is shown whole
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quoted_message_below_is_left_out_with_its_attribution() {
        let text = "Yes.\n\nOn Monday, Marie wrote:\n> Really?\n> M.\n";
        assert_eq!(without_trailing_quote(text), Some("Yes."));
    }

    #[test]
    fn quotes_that_are_being_answered_stay() {
        assert_eq!(without_trailing_quote("> Really?\nYes.\n"), None);
        assert_eq!(without_trailing_quote("> only a quote\n"), None);
    }
}
