//! Encoded words (RFC 2047), written.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Text in encoded words (RFC 2047 §2: at most 75 characters each), a blank between them.
pub fn encoded_words(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    encoded.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header;

    #[test]
    fn encoded_words_go_round() {
        for text in
            ["plain", "Grüße aus Köln", "日本語の件名はとても長いので二つ以上の単語に分かれます", "a =? b"]
        {
            let coded = encoded_words(text);
            assert!(coded.is_ascii() && coded.split(' ').all(|word| word.len() <= 75), "{coded}");
            assert_eq!(header::decoded(&coded), text);
        }
    }
}
