//! Octets to text, leniently: the charset that a sender names is believed as long as the octets bear it out.

mod label;
mod seven_bit;
mod wide;

use self::label::Charset;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// Octets of a text that are looked at to guess its charset.
const SAMPLE: usize = 64 * 1024;

/// Octets to text. Octets that contradict the charset they are labelled with are judged by themselves: as UTF-8 where they
/// can be, else as what chardetng takes them for. Never fails: what nothing reads shows as U+FFFD.
pub(crate) fn text(octets: &[u8], charset: Option<&str>, is_html: bool) -> String {
    let named = charset.map(str::trim).filter(|name| !name.is_empty());
    let declared = || is_html.then(|| declared(octets)).flatten().and_then(|name| label::read(&name));
    let labelled = named.and_then(label::read).or_else(declared);
    if wide::is_marked(octets) || labelled.is_none() && wide::is_likely(octets) {
        return wide::text(octets, None);
    }
    match labelled {
        Some(Charset::Web(encoding)) if encoding != UTF_8 => web(octets, encoding),
        Some(Charset::Dos(table)) if !is_certainly_utf_8(octets) => table.decode_string_lossy(octets),
        Some(Charset::Utf7) if octets.is_ascii() => seven_bit::utf_7(octets),
        Some(Charset::Hz) if octets.is_ascii() => seven_bit::hz(octets),
        Some(Charset::Shifted(second)) if octets.is_ascii() => seven_bit::iso_2022(octets, second),
        Some(Charset::Wide(order)) if wide::is_possible(octets) => wide::text(octets, order),
        Some(Charset::Shifted(second)) => judged(octets, second.country()),
        Some(Charset::Hz) => judged(octets, Some("cn")),
        _ => judged(octets, None),
    }
}

/// In the charset of its label, unless that cannot be.
fn web(octets: &[u8], encoding: &'static Encoding) -> String {
    if octets.is_ascii() && !seven_bit::shifts(octets) {
        // no charset of the web differs here but UTF-16, which is none of these
        return encoding.decode(octets).0.into_owned();
    }
    if is_certainly_utf_8(octets) {
        return utf_8(octets);
    }
    let (text, _, broken) = encoding.decode(octets);
    if broken && !is_mostly_read(&text) {
        return judged(octets, label::country(encoding));
    }
    text.into_owned()
}

/// By the octets alone.
fn judged(octets: &[u8], country: Option<&str>) -> String {
    if seven_bit::shifts(octets) && octets.is_ascii() {
        return seven_bit::iso_2022(octets, seven_bit::Set::Katakana);
    }
    let (text, broken) = UTF_8.decode_with_bom_removal(octets);
    // one wrong octet does not make a text of UTF-8 something else, nor does an end within a character
    if !broken || is_mostly_read(&text) || is_cut_utf_8(octets) {
        return text.into_owned();
    }
    guess(octets, country).decode_without_bom_handling(octets).0.into_owned()
}

/// What octets that are no UTF-8 most likely are.
fn guess(octets: &[u8], country: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&octets[..octets.len().min(SAMPLE)], true);
    detector.guess(country.map(str::as_bytes), Utf8Detection::Deny)
}

/// Whether most of what is beyond ASCII in a decoded text was read.
fn is_mostly_read(text: &str) -> bool {
    let (mut read, mut lost) = (0_usize, 0_usize);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        *(if c == char::REPLACEMENT_CHARACTER { &mut lost } else { &mut read }) += 1;
    }
    read > lost
}

/// Whether octets are UTF-8 whose last character is not all here.
fn is_cut_utf_8(octets: &[u8]) -> bool {
    std::str::from_utf8(octets)
        .is_err_and(|error| error.error_len().is_none() && !octets[..error.valid_up_to()].is_ascii())
}

fn utf_8(octets: &[u8]) -> String {
    UTF_8.decode_with_bom_removal(octets).0.into_owned()
}

/// Whether octets under the label of another charset are UTF-8 beyond doubt: valid throughout, with more sequences beyond
/// ASCII than chance makes.
fn is_certainly_utf_8(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else { return false };
    // a sequence of three octets is worth two of two
    let weight = text.chars().map(|c| c.len_utf8().saturating_sub(1)).take(SAMPLE).sum::<usize>();
    weight >= 4 && !text.contains(|c: char| matches!(c, '\u{80}'..='\u{9F}'))
}

/// `charset=` in a Content-Type.
pub(crate) fn named(field: &[u8]) -> Option<String> {
    declared(field)
}

/// `charset=` in the first octets of a page.
fn declared(octets: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(&octets[..octets.len().min(1024)]).to_ascii_lowercase();
    let after = start.split("charset=").nth(1)?;
    let name: String = after
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
