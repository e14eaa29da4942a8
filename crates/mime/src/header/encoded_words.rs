//! Encoded words undone (RFC 2047, with the language of RFC 2231 §5), and what senders make of them.

use crate::{charset, transfer};

/// Octets of the name of a charset.
const MAX_CHARSET: usize = 60;

/// A word at the start of a text, not undone yet.
struct Word<'a> {
    charset: &'a str,
    is_base64: bool,
    payload: &'a str,
    /// Octets that it takes.
    length: usize,
}

/// Undoes every encoded word, also one that stands within other text, is cut off at the end or is not quite encoded as it
/// should be; white space between two words goes (RFC 2047 §6.2). Octets of neighbours in one charset are joined before they
/// are read: senders split characters.
pub(super) fn undone(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run: Vec<Word<'_>> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some(word) = word(from) else {
            flush(&mut run, &mut out);
            out.push_str(before);
            out.push_str("=?");
            rest = &from[2..];
            continue;
        };
        let neighbour = run.last().is_some_and(|last| last.charset.eq_ignore_ascii_case(word.charset));
        let follows = !run.is_empty() && before.chars().all(char::is_whitespace);
        if !follows || !neighbour {
            flush(&mut run, &mut out);
            if !follows {
                out.push_str(before);
            }
        }
        rest = &from[word.length..];
        run.push(word);
    }
    flush(&mut run, &mut out);
    out.push_str(rest);
    out
}

/// Reads a word. Each look ahead ends at the next `=?`, so that a text is gone through twice at most.
fn word(text: &str) -> Option<Word<'_>> {
    let inside = text.strip_prefix("=?")?;
    let name = inside.bytes().take(MAX_CHARSET).position(|octet| octet == b'?')?;
    let (charset, coded) = inside.split_at(name);
    let charset = charset.split('*').next().unwrap_or_default().trim();
    if charset.contains(|c: char| c.is_whitespace() || c.is_control() || c == '=') {
        return None;
    }
    let is_base64 = match coded.as_bytes() {
        [b'?', b'b' | b'B', b'?', ..] => true,
        [b'?', b'q' | b'Q', b'?', ..] => false,
        _ => return None,
    };
    let coded = &coded[3..];
    let (payload, closed) = payload(coded, is_base64);
    let is_whole = closed || is_cut_word(payload, payload.len() == coded.len(), is_base64);
    let length = text.len() - coded.len() + payload.len() + if closed { 2 } else { 0 };
    is_whole.then_some(Word { charset, is_base64, payload, length })
}

/// What is encoded, and whether its end stands behind it.
fn payload(coded: &str, is_base64: bool) -> (&str, bool) {
    let octets = coded.as_bytes();
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'?', &octets[from..]).map(|at| from + at) {
        // the next word begins: this one has no end
        if at > 0 && octets[at - 1] == b'=' && octets.get(at + 1) != Some(&b'=') {
            return (&coded[..at - 1], false);
        }
        if octets.get(at + 1) == Some(&b'=') {
            // a question mark that should be encoded, before an octet that is
            let coded_octet =
                octets.get(at + 2..at + 4).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
            let rest = || coded[at + 2..].split(char::is_whitespace).next().unwrap_or_default();
            if is_base64 || !coded_octet || !rest().contains("?=") || rest().contains("=?") {
                return (&coded[..at], true);
            }
        }
        from = at + 1;
    }
    (coded, false)
}

/// Whether a word without an end was cut off at the end of its field: nothing in it can be anything else.
fn is_cut_word(payload: &str, is_last: bool, is_base64: bool) -> bool {
    let fits = |octet: u8| {
        octet.is_ascii_alphanumeric() || b"+/=".contains(&octet) || (!is_base64 && octet.is_ascii_graphic())
    };
    is_last && !payload.is_empty() && payload.bytes().all(fits)
}

/// Reads the words of a run, which share their charset.
fn flush(run: &mut Vec<Word<'_>>, out: &mut String) {
    let Some(charset) = run.first().map(|word| word.charset) else { return };
    let mut octets: Vec<u8> = run.iter().flat_map(|word| octets(word.payload, word.is_base64)).collect();
    if run.len() > 1 && run.iter().all(|word| word.is_base64) && std::str::from_utf8(&octets).is_err() {
        // one base64 that was cut into words where it has no end
        let joined: String = run.iter().map(|word| word.payload).collect();
        let joined = self::octets(&joined, true);
        if std::str::from_utf8(&joined).is_ok() {
            octets = joined;
        }
    }
    match run.as_slice() {
        // characters that nobody encoded are themselves
        [only] if !only.payload.is_ascii() => {
            for piece in only.payload.split_inclusive(|c: char| !c.is_ascii()) {
                let coded = piece.trim_end_matches(|c: char| !c.is_ascii());
                let octets = self::octets(coded, only.is_base64);
                out.push_str(&charset::text(&octets, Some(charset), false));
                out.push_str(&piece[coded.len()..]);
            }
        }
        _ => out.push_str(&charset::text(&octets, Some(charset), false)),
    }
    run.clear();
}

fn octets(payload: &str, is_base64: bool) -> Vec<u8> {
    if is_base64 {
        return transfer::undone(payload.as_bytes(), "base64").into_owned();
    }
    // a last `=` is no soft line break here
    transfer::decoded(payload.replace('_', "=20").as_bytes(), "quoted-printable")
}

#[cfg(test)]
mod tests {
    use super::undone;

    #[test]
    fn words_are_read_however_their_base64_is_padded() {
        for word in ["SGVsbG8=", "SGVsbG8", "SGVsbG8==", "SGVsbG8====", " SGVsbG8= ", "SGVs bG8="] {
            assert_eq!(undone(&format!("=?UTF-8?B?{word}?=")), "Hello", "{word}");
        }
        assert_eq!(undone("=?utf-8?b?SGVsbG8?= =?utf-8?b?IHlvdQ?="), "Hello you");
        assert_eq!(undone("=?utf-8?B?SGVs!bG8=?="), "Hello");
        // cut within an octet, and within a character
        assert_eq!(undone("=?utf-8?B?SGVsbG8h4?="), "Hello!");
        assert_eq!(undone("=?utf-8?B?5pel5p?="), "日\u{FFFD}");
    }

    #[test]
    fn words_are_read_without_white_space_around_them() {
        assert_eq!(undone("=?UTF-8?B?SGVsbG8=?=. Bye"), "Hello. Bye");
        assert_eq!(undone("Re:=?utf-8?Q?caf=C3=A9?="), "Re:café");
        assert_eq!(undone("=?utf-8?Q?caf=C3=A9?=.txt"), "café.txt");
        assert_eq!(undone("(=?utf-8?Q?caf=C3=A9?=)"), "(café)");
        assert_eq!(undone("=?utf-8?Q?one?==?utf-8?Q?two?="), "onetwo");
        assert_eq!(undone("=?utf-8?q?a?=\r\n =?utf-8?q?b?= \r\n\t c"), "ab \r\n\t c");
        assert_eq!(undone("=?utf-8?q?a?= =?iso-8859-1?q?=E9?= =?utf-8?q?c?="), "aéc");
    }

    #[test]
    fn a_character_that_was_split_is_joined() {
        assert_eq!(undone("=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?="), "café");
        assert_eq!(undone("=?UTF-8?B?5pc=?=\r\n =?utf-8?B?peacrA==?="), "日本");
        assert_eq!(undone("=?utf-8?B?5pel5p?= =?utf-8?B?ys?="), "日本");
        assert_eq!(undone("=?utf-8?Q?=E6=97?= =?utf-8?B?pQ==?="), "日");
        assert_eq!(undone("=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?="), "日本");
        assert_eq!(undone("=?gb2312?Q?=C4?= =?gb2312?Q?=E3?="), "你");
    }

    #[test]
    fn languages_and_unknown_charsets_do_not_stop_a_word() {
        assert_eq!(undone("=?utf-8*en?Q?caf=C3=A9?="), "café");
        assert_eq!(undone("=?ISO-8859-1*da-DK?q?=E6?="), "æ");
        assert_eq!(undone("=?cp932?B?k/qWew==?="), "日本");
        assert_eq!(undone("=?ISO-2022-JP-MS?B?GyRCLSEbKEI=?="), "①");
        assert_eq!(undone("=?x-unknown?Q?caf=C3=A9?= =?unknown-8bit?Q?caf=E9?="), "cafécafé");
        assert_eq!(undone("=?iso-8859-1?Q?caf\u{e9}_=80?="), "café €");
        assert_eq!(undone("=?no-such?B?SGk=?= =??Q?hi?="), "Hihi");
        assert_eq!(undone("=?us-ascii?Q?gr=FCn?= =?windows-1251?B?z/Do4uXy?="), "grünПривет");
    }

    #[test]
    fn what_is_not_quite_encoded_is_read() {
        assert_eq!(undone("=?utf-8?Q?100%=_sure=?="), "100%= sure=");
        assert_eq!(undone("=?utf-8?Q?a=ZZ b=C3=A9?="), "a=ZZ bé");
        assert_eq!(undone("=?utf-8?Q?what?=3F?="), "what??");
        assert_eq!(undone("=?utf-8?Q?what??="), "what?");
        assert_eq!(undone("=?utf-8?Q??= x"), " x");
        assert_eq!(undone("=?utf-8?B?SGVsbG8s"), "Hello,");
        assert_eq!(undone("=?utf-8?Q?caf=C3=A9"), "café");
        let long = "a".repeat(1_200);
        assert_eq!(undone(&format!("=?utf-8?Q?{long}?=")), long);
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in
            ["=?", "a =? b", "=?utf-8", "=?utf-8?x?y?=", "=?a b?q?c?=", "x=?=y", "=?utf-8?Q?a b", "a?=b"]
        {
            assert_eq!(undone(text), text);
        }
        assert_eq!(undone("=?utf-8?Q?a b =?utf-8?Q?c?="), "=?utf-8?Q?a b c");
    }
}
