//! Message identifiers: folder, UIDVALIDITY and UID in one short opaque string, and listing cursors.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::mail::Locator;

/// `validity-uid` (base 36 and decimal) for INBOX, with the folder's name (base64url) behind a dot otherwise.
pub fn encode(folder: &str, uid_validity: u32, uid: u32) -> String {
    let mut id = format!("{}-{uid}", base36(uid_validity));
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
    let (place, folder) = match id.split_once('.') {
        None => (id, "INBOX".to_owned()),
        Some((place, name)) => (place, String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?),
    };
    let (validity, uid) = place.split_once('-')?;
    let uid = uid.bytes().all(|b| b.is_ascii_digit()).then(|| uid.parse::<u32>().ok()).flatten()?;
    (uid > 0 && !folder.is_empty()).then_some(Locator {
        folder,
        uid_validity: Some(from_base36(validity)?),
        uid,
    })
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
        for bad in
            ["", "1", "1-0", "1.2", "1-2.3.4", "A-1", "1-4294967296", "1-2.!!", "-1-2", "1-+2", "1-2.", "é-1"]
        {
            assert!(decode(bad).is_none(), "{bad}");
        }
    }
}
