//! A header section and its fields (RFC 5322 §2.2).

use super::text;
use crate::charset;

/// Octets of header sections looked at; the rest is ignored.
pub(crate) const MAX_SECTION: usize = 256 * 1024;

/// Fields of one section.
const MAX_FIELDS: usize = 1000;

/// A header section, parsed leniently: a line that is no field is passed over.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses `BODY[HEADER]`; what stands behind its first 256 KB is ignored.
    pub fn parse(section: &[u8]) -> Self {
        Self::whole(&section[..section.len().min(MAX_SECTION)])
    }

    /// Parses a header section to its end, however long, as a mail server does.
    pub fn whole(section: &[u8]) -> Self {
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        for line in section.split(|octet| *octet == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                if let Some((_, value)) = found.last_mut() {
                    value.extend_from_slice(b"\r\n");
                    value.extend_from_slice(line);
                }
            } else if let Some(colon) = memchr::memchr(b':', line).filter(|_| found.len() < MAX_FIELDS) {
                let (name, value) = (line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii_start());
                if !name.is_empty() && name.iter().all(|octet| (0x21..0x7F).contains(octet)) {
                    found.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
                }
            }
        }
        Self(readable(found))
    }

    /// The first field of this name, decoded.
    pub fn first(&self, name: &str) -> Option<String> {
        self.raw(name).map(text)
    }

    /// The first field of this name as it came, folded lines and all.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first field of this name with its lines joined (RFC 5322 §2.2.3), encoded words and all.
    pub fn unfolded(&self, name: &str) -> Option<String> {
        self.raw(name).map(|raw| raw.replace("\r\n", "").trim().to_owned())
    }

    /// Every field of this name as it came, topmost first.
    pub fn every<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Names and values of all fields as they came, topmost first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Message identifiers (`<…>`) of a field such as References, without brackets, at most `limit`, the last ones.
    pub fn identifiers(&self, name: &str, limit: usize) -> Vec<String> {
        identifiers(self.raw(name).unwrap_or_default(), limit)
    }
}

/// Octets beyond ASCII are UTF-8 (RFC 6532) or somebody's old habit: then they are most likely in the charset of the body.
fn readable(found: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let mut charset = None;
    if found.iter().any(|(_, value)| std::str::from_utf8(value).is_err()) {
        charset = found
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .and_then(|(_, value)| charset::named(value));
    }
    let read = |value: Vec<u8>| match String::from_utf8(value) {
        Ok(text) if !text.contains('\u{1B}') => text,
        Ok(text) => charset::text(text.as_bytes(), None, false),
        Err(error) => charset::text(error.as_bytes(), charset.as_deref(), false),
    };
    found.into_iter().map(|(name, value)| (name, read(value))).collect()
}

/// A value of a field or of an IMAP string as a server passes it on, octets beyond ASCII and all.
pub fn raw_text(octets: &[u8]) -> String {
    std::str::from_utf8(octets).map_or_else(|_| charset::text(octets, None, false), ToOwned::to_owned)
}

/// Message identifiers (`<…>`) in a text, without brackets, at most `limit`, the last ones.
pub fn identifiers(text: &str, limit: usize) -> Vec<String> {
    let mut found: Vec<String> = text
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(id, _)| id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>())
        .filter(|id| !id.is_empty() && id.len() <= 998)
        .collect();
    let surplus = found.len().saturating_sub(limit);
    found.drain(..surplus);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(value: &[u8], rest: &[u8]) -> String {
        Fields::parse(&[b"Subject: ", value, b"\r\n", rest].concat()).first("subject").unwrap()
    }

    #[test]
    fn octets_beyond_ascii_are_read_as_what_they_are() {
        assert_eq!(subject(b"\x93Price\x94 5 \x80", b""), "“Price” 5 €");
        assert_eq!(subject(b"caf\xE9", b""), "café");
        assert_eq!(subject(b"Gr\xFC\xDFe aus K\xF6ln", b""), "Grüße aus Köln");
        assert_eq!(
            subject(b"R\xE9union d'\xE9quipe \x96 ordre du jour", b""),
            "Réunion d'équipe – ordre du jour"
        );
        let russian = "Счёт за март";
        let octets = encoding_rs::WINDOWS_1251.encode(russian).0;
        assert_eq!(subject(&octets, b""), russian);
        let type_ = b"Content-Type: text/plain;\r\n charset=\"koi8-r\"\r\n";
        assert_eq!(subject(&encoding_rs::KOI8_R.encode(russian).0, type_), russian);
        let japanese = "会議のお知らせ";
        assert_eq!(subject(&encoding_rs::SHIFT_JIS.encode(japanese).0, b""), japanese);
        assert_eq!(subject(b"\x1B$BF|K\\\x1B(B", b""), "日本");
    }

    #[test]
    fn one_broken_octet_costs_one_character() {
        assert_eq!(subject("Grüße aus Köln".as_bytes(), b""), "Grüße aus Köln");
        assert_eq!(subject(b"Gr\xC3\xBC\xC3\x9Fe \xC3 aus K\xC3\xB6ln", b""), "Grüße \u{FFFD} aus Köln");
        assert_eq!(subject(b"\xE6\x97\xA5\xE6\x9C\xAC\xE6\x97", b""), "日本\u{FFFD}");
        assert_eq!(raw_text(b"\xE6\x97\xA5\xE6\x9C\xAC.txt"), "日本.txt");
        assert_eq!(raw_text(b"R\xE9sum\xE9.pdf"), "Résumé.pdf");
    }

    #[test]
    fn the_first_of_two_fields_stands() {
        let fields = Fields::parse(b"Subject: one\r\nSubject: two\r\n");
        assert_eq!(fields.first("subject").as_deref(), Some("one"));
        assert_eq!(fields.every("subject").count(), 2);
    }
}
