//! The name of a file that a message carries.

use crate::{charset, header};
use imapmcp_core::mail::Part;

/// Pieces of one name.
const MAX_PIECES: usize = 100;

/// The file name of a part: RFC 2231 (`filename*=`, `filename*0*=`) first, then plain or encoded words.
pub fn filename(part: &Part) -> Option<String> {
    let raw = extended(&part.disposition_parameters, "filename")
        .or_else(|| part.disposition_parameter("filename").map(header::text))
        .or_else(|| extended(&part.parameters, "name"))
        .or_else(|| part.parameter("name").map(header::text))?;
    clean_name(&raw)
}

/// A file name freed of paths and of what is not seen (RFC 2183 §2.3); `None` if nothing is left.
pub(crate) fn clean_name(raw: &str) -> Option<String> {
    let base = header::one_line(raw);
    let base = base.rsplit(['/', '\\']).next().unwrap_or_default().trim_matches([' ', '.']);
    let name: String = base.chars().take(200).collect();
    (!name.is_empty()).then_some(name)
}

/// A parameter as RFC 2231 writes it: one extended value, or numbered pieces of which some are extended.
pub(crate) fn extended(parameters: &[(String, String)], name: &str) -> Option<String> {
    let find = |key: &str| {
        parameters.iter().find(|(found, _)| found.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    };
    if let Some(value) = find(&format!("{name}*")) {
        let (charset, encoded) = charset_of(value);
        return Some(in_charset(&percent_decode(encoded), charset));
    }
    let (mut octets, mut charset, mut is_extended) = (Vec::new(), "", false);
    for index in 0..MAX_PIECES {
        if let Some(value) = find(&format!("{name}*{index}*")) {
            let mut encoded = value;
            if index == 0 {
                (charset, encoded) = charset_of(value);
            }
            is_extended = true;
            octets.extend(percent_decode(encoded));
        } else if let Some(value) = find(&format!("{name}*{index}")) {
            octets.extend_from_slice(value.as_bytes());
        } else {
            break;
        }
    }
    if octets.is_empty() {
        return None;
    }
    let text = in_charset(&octets, charset);
    // some cut encoded words into pieces, which RFC 2231 has no place for
    Some(if is_extended { text } else { header::text(&text) })
}

fn charset_of(value: &str) -> (&str, &str) {
    let mut pieces = value.splitn(3, '\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_language), Some(encoded)) => (charset, encoded),
        _ => ("", value),
    }
}

fn percent_decode(text: &str) -> Vec<u8> {
    let octets = text.as_bytes();
    let mut decoded = Vec::with_capacity(octets.len());
    let mut at = 0;
    while at < octets.len() {
        let hex = octets.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match (octets[at], hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(octet)) => {
                decoded.push(octet);
                at += 3;
            }
            (octet, _) => {
                decoded.push(octet);
                at += 1;
            }
        }
    }
    decoded
}

fn in_charset(octets: &[u8], charset: &str) -> String {
    charset::text(octets, Some(charset), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(parameters: &[(&str, &str)]) -> Option<String> {
        let disposition_parameters =
            parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        filename(&Part { disposition_parameters, ..Part::default() })
    }

    #[test]
    fn names_come_out_of_every_encoding() {
        assert_eq!(named(&[("filename*", "utf-8''%E6%97%A5%E6%9C%AC.pdf")]).unwrap(), "日本.pdf");
        assert_eq!(
            named(&[("filename*0*", "utf-8'en'%E6%97"), ("filename*1*", "%A5.pdf")]).unwrap(),
            "日.pdf"
        );
        assert_eq!(named(&[("filename*0", "long "), ("filename*1", "name.txt")]).unwrap(), "long name.txt");
        assert_eq!(named(&[("FILENAME", "=?utf-8?q?=E6=97=A5.pdf?=")]).unwrap(), "日.pdf");
    }

    #[test]
    fn names_are_read_as_senders_write_them() {
        // encoded words cut into pieces, each of its own or one over both
        assert_eq!(
            named(&[("filename*0", "=?utf-8?Q?a_?="), ("filename*1", "=?utf-8?Q?b.txt?=")]).unwrap(),
            "a b.txt"
        );
        assert_eq!(
            named(&[("filename*0", "=?utf-8?B?5pel"), ("filename*1", "5pysLnBkZg==?=")]).unwrap(),
            "日本.pdf"
        );
        assert_eq!(named(&[("filename", "=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=.txt")]).unwrap(), "café.txt");
        assert_eq!(named(&[("filename", "=?UTF-8?B?5pel5pys?=.pdf")]).unwrap(), "日本.pdf");
        assert_eq!(named(&[("filename*", "cp932''%93%FA%96%7B.txt")]).unwrap(), "日本.txt");
        assert_eq!(named(&[("filename*", "'en'R%E9sum%E9.pdf")]).unwrap(), "Résumé.pdf");
        assert_eq!(named(&[("filename*", "na%C3%AFve.txt")]).unwrap(), "naïve.txt");
        assert_eq!(
            named(&[("filename*0*", "iso-8859-1''caf%E9"), ("filename*1", " 100%41.txt")]).unwrap(),
            "café 100%41.txt"
        );
        assert_eq!(named(&[("filename*0*", "utf-8''%E6%97"), ("filename*1*", "%A5%zz")]).unwrap(), "日%zz");
        assert_eq!(named(&[("filename", "=?iso-2022-kr?B?GyQpQw4+SDNnDw==?=")]).unwrap(), "안녕");
    }

    #[test]
    fn a_name_is_one_line_without_what_reorders_it() {
        assert_eq!(named(&[("filename", "photo\u{202e}gpj.exe")]).unwrap(), "photogpj.exe");
        assert_eq!(named(&[("filename*", "utf-8''a%E2%80%AEfdp.exe%0D%0AX: y")]).unwrap(), "afdp.exe X: y");
        assert_eq!(named(&[("filename", "=?utf-8?Q?=E2=80=AEtxt?=.exe")]).unwrap(), "txt.exe");
    }

    #[test]
    fn a_name_is_never_a_path() {
        assert_eq!(named(&[("filename", "../../etc/passwd")]).unwrap(), "passwd");
        assert_eq!(named(&[("filename", "C:\\x\\y.exe")]).unwrap(), "y.exe");
        assert_eq!(named(&[("filename", "..")]), None);
    }
}
