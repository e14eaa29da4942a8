//! Encoded words (RFC 2047) undone, for conditions that are judged on our side. What people read is decoded by crate
//! `mime`, which knows every character set.

use crate::decode::decode;

/// Encoded words undone; those in other character sets than UTF-8 and ASCII are read as Latin-1.
pub(crate) fn decode_words(text: &str) -> String {
    let (mut out, mut rest, mut glue) = (String::new(), text, false);
    while let Some(at) = rest.find("=?") {
        let between = &rest[..at];
        let word = rest[at + 2..].split_once("?=").and_then(|(word, tail)| {
            // `=?utf-8?Q?=41?=`: the first `?=` may be the start of the Q text.
            let (word, tail) = match word.split('?').count() {
                2 => tail.split_once("?=").map(|(more, tail)| (format!("{word}?={more}"), tail))?,
                _ => (word.to_owned(), tail),
            };
            decode_word(&word).map(|word| (word, tail))
        });
        let Some((word, tail)) = word else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            glue = false;
            continue;
        };
        if !(glue && between.trim().is_empty()) {
            out.push_str(between);
        }
        out.push_str(&word);
        (rest, glue) = (tail, true);
    }
    out.push_str(rest);
    out
}

fn decode_word(word: &str) -> Option<String> {
    let mut parts = word.splitn(3, '?');
    let (charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
    let octets = match encoding {
        "B" | "b" => decode("base64", text.as_bytes()),
        "Q" | "q" => decode("quoted-printable", text.replace('_', "=20").as_bytes()),
        _ => return None,
    };
    let unicode = charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii");
    Some(if unicode {
        String::from_utf8_lossy(&octets).into_owned()
    } else {
        octets.into_iter().map(char::from).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_read() {
        assert_eq!(decode_words("=?utf-8?Q?=C3=BC_x?= y"), "ü x y");
        assert_eq!(decode_words("=?iso-8859-1?Q?caf=E9?="), "café");
        assert_eq!(decode_words("a =? b"), "a =? b");
    }
}
