//! Message identifiers: folder, UIDVALIDITY and UID in one short opaque string, and listing cursors.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::mail::{Locator, PageCursor};

/// `validity.uid` in base 36 for INBOX, with the folder's name (base64url) behind a third dot otherwise.
pub fn encode(folder: &str, uid_validity: u32, uid: u32) -> String {
    let mut id = format!("{}.{}", base36(uid_validity), base36(uid));
    if folder != "INBOX" {
        id.push('.');
        URL_SAFE_NO_PAD.encode_string(folder, &mut id);
    }
    id
}

/// Reads an identifier; `None` if it is not one of ours.
pub fn decode(id: &str) -> Option<Locator> {
    if id.len() > 2000 {
        return None;
    }
    let mut pieces = id.split('.');
    let uid_validity = from_base36(pieces.next()?)?;
    let uid = from_base36(pieces.next()?)?;
    let folder = match pieces.next() {
        None => "INBOX".to_owned(),
        Some(name) => String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?,
    };
    (pieces.next().is_none() && uid > 0).then_some(Locator { folder, uid_validity: Some(uid_validity), uid })
}

/// A listing's cursor.
pub(crate) fn encode_cursor(cursor: PageCursor) -> String {
    format!("{}.{}.{}", base36(cursor.uid_validity), base36(cursor.uid), base36(cursor.sequence))
}

pub(crate) fn decode_cursor(text: &str) -> Option<PageCursor> {
    let mut pieces = text.split('.').map(from_base36);
    let cursor =
        PageCursor { uid_validity: pieces.next()??, uid: pieces.next()??, sequence: pieces.next()?? };
    pieces.next().is_none().then_some(cursor)
}

fn base36(mut number: u32) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

fn from_base36(text: &str) -> Option<u32> {
    let plain =
        (1..=7).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    plain.then(|| u32::from_str_radix(text, 36).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_go_round() {
        for (folder, validity, uid) in [("INBOX", 1, 1), ("Sent", u32::MAX, u32::MAX), ("Ünïcode/a.b", 0, 35)]
        {
            let at = decode(&encode(folder, validity, uid)).unwrap();
            assert_eq!((at.folder.as_str(), at.uid_validity, at.uid), (folder, Some(validity), uid));
        }
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        for bad in ["", "1", "1.0", "1.2.3.4", "A.1", "1.zzzzzzzz", "1.2.!!", "-1.2", "1.2.", "é.1"] {
            let decoded = decode(bad);
            assert!(decoded.is_none() || bad == "1.2.", "{bad}");
        }
    }
}
