//! Encoded words (RFC 2047) for the demonstration messages.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A header value as it travels: ASCII stays, anything else becomes encoded words of at most 75 characters.
pub(super) fn encode_words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let (mut words, mut piece) = (Vec::new(), String::new());
    for c in text.chars() {
        if piece.len() + c.len_utf8() > 42 {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(c);
    }
    words.push(piece);
    let words: Vec<_> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::decode_words;

    #[test]
    fn encoded_words_go_round() {
        for text in
            ["plain", "Grüße aus Köln", "日本語の件名はとても長いので二つ以上の単語に分かれます", "a =? b"]
        {
            let coded = encode_words(text);
            assert!(coded.is_ascii() && coded.lines().all(|line| line.len() <= 76), "{coded}");
            assert_eq!(decode_words(&coded.replace("\r\n", "")), text);
        }
    }
}
