//! Message identifiers: account, folder, UIDVALIDITY and UID in one short opaque string.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_core::{
    base36,
    id::AccountId,
    mail::{Locator, MessageRef},
};

/// Characters of an account's identifier that stand in every identifier of its messages: 30 random bits, which tell
/// the accounts of one person apart.
const TAG: usize = 5;

/// The beginning of an account's identifier, as it stands in identifiers of its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// Of an account.
    pub fn of(account: &AccountId) -> Self {
        Self(beginning(account).to_owned())
    }

    /// Whether it stands for this account.
    pub fn names(&self, account: &AccountId) -> bool {
        self.0 == beginning(account)
    }
}

fn beginning(account: &AccountId) -> &str {
    let body = account.as_str().strip_prefix(AccountId::PREFIX).unwrap_or(account.as_str());
    body.get(..TAG).unwrap_or(body)
}

/// A message as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The account that the identifier is of; `None` where the message was named by folder and UID.
    pub account: Option<Tag>,
    /// Where it lies in that account.
    pub at: Locator,
}

/// `tag.validity-uid` (base 36 and decimal) for INBOX, with the folder's name (base64url) behind a dot otherwise.
pub fn encode(account: &AccountId, folder: &str, uid_validity: u32, uid: u32) -> String {
    [beginning(account), ".", &place(folder, uid_validity, uid)].concat()
}

/// As [`encode`], of a message that was found.
pub fn of(account: &AccountId, at: &MessageRef) -> String {
    encode(account, &at.folder, at.uid_validity, at.uid)
}

/// The part of an identifier that says where in its account the message lies.
pub fn place(folder: &str, uid_validity: u32, uid: u32) -> String {
    let mut place = format!("{}-{uid}", base36::write(u64::from(uid_validity)));
    if folder != "INBOX" {
        place.push('.');
        URL_SAFE_NO_PAD.encode_string(folder, &mut place);
    }
    place
}

/// Reads an identifier; `None` if it is not one of ours.
pub fn decode(id: &str) -> Option<Named> {
    if id.len() > 2000 {
        return None;
    }
    let (tag, place) = id.split_once('.')?;
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !(1..=TAG).contains(&tag.len()) || !tag.bytes().all(letter) {
        return None;
    }
    let (place, folder) = match place.split_once('.') {
        None => (place, "INBOX".to_owned()),
        Some((place, name)) => (place, String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?),
    };
    let (validity, uid) = place.split_once('-')?;
    let uid = uid.bytes().all(|b| b.is_ascii_digit()).then(|| uid.parse::<u32>().ok()).flatten()?;
    if uid == 0 || folder.is_empty() || validity.len() > 7 {
        return None;
    }
    let at = Locator {
        folder: folder.into(),
        uid_validity: Some(u32::try_from(base36::read(validity)?).ok()?),
        uid,
    };
    Some(Named { account: Some(Tag(tag.to_owned())), at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_go_round_and_name_their_account() {
        let (one, other): (AccountId, AccountId) =
            ("acc_-_9zZ0123456789".parse().unwrap(), "acc_-_9zY0123456789".parse().unwrap());
        let short: AccountId = "acc_x".parse().unwrap();
        for (folder, validity, uid) in [("INBOX", 1, 1), ("Sent", u32::MAX, u32::MAX), ("Ünïcode/a.b", 0, 35)]
        {
            for account in [&one, &short] {
                let Named { account: tag, at } = decode(&encode(account, folder, validity, uid)).unwrap();
                let tag = tag.unwrap();
                assert!(tag.names(account) && !tag.names(&other), "{tag:?}");
                assert_eq!((at.folder.as_str(), at.uid_validity, at.uid), (folder, Some(validity), uid));
            }
        }
        assert_ne!(encode(&one, "INBOX", 1, 1), encode(&other, "INBOX", 1, 1));
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        for bad in [
            "",
            "1",
            "1-1",
            "1-1.SU5CT1g",
            "a.1-0",
            "a.1.2",
            "a.1-2.3.4",
            "a.A-1",
            "a.1-4294967296",
            "a.1-2.!!",
            "a.-1-2",
            "a.1-+2",
            "a.1-2.",
            "a.é-1",
            ".1-2",
            "abcdef.1-2",
            "a b.1-2",
            "é.1-2",
        ] {
            assert!(decode(bad).is_none(), "{bad}");
        }
    }
}
