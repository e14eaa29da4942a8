//! Size is a contract: what does not fit is told, and a cursor goes on exactly there.

/// Octets that count as one token.
pub const OCTETS_PER_TOKEN: usize = 4;

/// A piece of a longer text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What fits.
    pub text: &'a str,
    /// Where the rest begins (octet offset); `None` if nothing is left.
    pub next: Option<usize>,
    /// Tokens left out after it.
    pub omitted_tokens: usize,
}

/// The piece of `text` from octet `from` that fits into `octets`, cut at a paragraph, line or blank where one is
/// near the end. `from` is moved to the next character boundary if it is not one.
pub fn piece(text: &str, from: usize, octets: usize) -> Piece<'_> {
    let start = text.ceil_char_boundary(from.min(text.len()));
    let rest = &text[start..];
    if rest.len() <= octets {
        return Piece { text: rest, next: None, omitted_tokens: 0 };
    }
    let end = rest.floor_char_boundary(octets);
    let late = end - end / 5;
    let cut = [("\n\n", 2), ("\n", 1), (" ", 1)]
        .into_iter()
        .find_map(|(mark, length)| rest[..end].rfind(mark).filter(|at| *at >= late).map(|at| at + length))
        .unwrap_or(end)
        .max(rest.chars().next().map_or(0, char::len_utf8).min(end));
    let left = rest.len() - cut;
    Piece { text: &rest[..cut], next: Some(start + cut), omitted_tokens: left.div_ceil(OCTETS_PER_TOKEN) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_put_together_are_the_text(text in "(\\PC|\n){0,400}", octets in 8_usize..200) {
            let (mut whole, mut from) = (String::new(), Some(0));
            while let Some(start) = from {
                let piece = piece(&text, start, octets);
                prop_assert!(piece.text.len() <= octets);
                whole.push_str(piece.text);
                from = piece.next;
            }
            prop_assert_eq!(whole, text);
        }
    }
}
