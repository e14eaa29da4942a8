//! Whose folders these are (RFC 2342): only the account's own have roles, and only there are folders made.

use crate::imap::wire::{response::Data, utf7};
use imapmcp_core::mail::MailError;

/// Where a name would be somebody else's.
const FOREIGN: MailError = MailError::Invalid(
    "a folder of that name would be another person's or a shared one: choose another name",
);

/// Prefixes, decoded, and delimiters.
type Places = Vec<(String, Option<char>)>;

/// The namespaces of an account. Without any, every folder is its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Namespaces {
    personal: Places,
    /// Other users' and shared ones.
    foreign: Places,
}

impl Namespaces {
    /// Of NAMESPACE responses.
    pub(crate) fn of(items: &[Data]) -> Option<Self> {
        items.iter().find_map(|item| match item {
            Data::Namespace(all) => {
                let decode = |list: &[(String, Option<char>)]| {
                    list.iter().map(|(prefix, delimiter)| (utf7::decode(prefix), *delimiter)).collect()
                };
                Some(Self { personal: decode(&all.personal), foreign: decode(&all.foreign) })
            }
            _ => None,
        })
    }

    /// Whether a folder is the account's own: the longest prefix decides, and of two the personal one.
    pub(crate) fn is_own(&self, folder: &str) -> bool {
        if folder.eq_ignore_ascii_case("INBOX") {
            return true;
        }
        match (longest(&self.personal, folder), longest(&self.foreign, folder)) {
            // RFC 3501 §5.1.2: `#` marks a namespace of its own
            (Some(0) | None, None) if folder.starts_with('#') => false,
            (Some(own), other) => other.is_none_or(|other| own >= other),
            (None, Some(_)) => false,
            (None, None) => self.personal.is_empty(),
        }
    }

    /// The name of a new folder, with the personal prefix if it lacks it, and without a delimiter at its end (RFC 9051
    /// §6.3.4).
    pub(crate) fn name(&self, wanted: &str) -> Result<String, MailError> {
        let delimiter = self.personal.iter().find_map(|(_, delimiter)| *delimiter);
        let wanted = match delimiter {
            Some(delimiter) => wanted.trim_end_matches(delimiter),
            None => wanted,
        };
        if self.is_own(wanted) {
            return Ok(wanted.to_owned());
        }
        // An empty foreign prefix claims whatever has no prefix: that is where a person's own lacks one.
        if wanted.starts_with('#') || longest(&self.foreign, wanted).is_some_and(|length| length > 0) {
            return Err(FOREIGN);
        }
        let prefix = self.personal.first().map_or("", |(prefix, _)| prefix);
        Ok(format!("{prefix}{wanted}"))
    }
}

/// Octets of the longest prefix that a folder has.
fn longest(places: &Places, folder: &str) -> Option<usize> {
    let has = |(prefix, delimiter): &&(String, Option<char>)| {
        let root = delimiter.map_or(prefix.as_str(), |delimiter| prefix.trim_end_matches(delimiter));
        begins(folder, prefix) || (!root.is_empty() && folder.len() == root.len() && begins(folder, root))
    };
    places.iter().filter(has).map(|(prefix, _)| prefix.len()).max()
}

/// Whether a name begins so; INBOX in any case (RFC 9051 §5.1).
fn begins(folder: &str, prefix: &str) -> bool {
    const INBOX: usize = "INBOX".len();
    let inbox = |text: &str| text.get(..INBOX).is_some_and(|start| start.eq_ignore_ascii_case("INBOX"));
    if inbox(folder) && inbox(prefix) {
        return folder[INBOX..].starts_with(&prefix[INBOX..]);
    }
    folder.starts_with(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(list: &[(&str, char)]) -> Places {
        list.iter().map(|(prefix, delimiter)| ((*prefix).to_owned(), Some(*delimiter))).collect()
    }

    #[test]
    fn only_what_lies_in_a_personal_namespace_is_the_accounts_own() {
        let plain = Namespaces {
            personal: places(&[("", '/')]),
            foreign: places(&[("Other Users/", '/'), ("Shared Folders/", '/')]),
        };
        let prefixed = Namespaces {
            personal: places(&[("INBOX.", '.')]),
            foreign: places(&[("user.", '.'), ("", '.')]),
        };
        let lone = Namespaces { personal: places(&[("INBOX.", '.')]), foreign: vec![] };
        for (namespaces, own, foreign) in [
            (
                &plain,
                &["Trash", "Other", "Shared", "inbox"][..],
                &["Other Users/bob/Trash", "Other Users", "#news.x"][..],
            ),
            (&prefixed, &["INBOX", "inbox.Trash", "INBOX.a.b"], &["Trash", "user.bob.Trash", "INBOXes"]),
            (&lone, &["INBOX.Trash"], &["Trash", "#mh/x"]),
            (&Namespaces::default(), &["Trash", "a/b"], &["#shared/Trash"]),
        ] {
            for name in own {
                assert!(namespaces.is_own(name), "{name}");
            }
            for name in foreign {
                assert!(!namespaces.is_own(name), "{name}");
            }
        }
    }

    #[test]
    fn a_new_folder_is_made_where_the_account_has_its_own() {
        let prefixed = Namespaces {
            personal: places(&[("INBOX.", '.')]),
            foreign: places(&[("user.", '.'), ("", '.')]),
        };
        let name = |wanted: &str| prefixed.name(wanted);
        assert_eq!(name("Nope"), Ok("INBOX.Nope".to_owned()));
        assert_eq!(name("INBOX.Nope."), Ok("INBOX.Nope".to_owned()));
        assert_eq!(name("a.b"), Ok("INBOX.a.b".to_owned()));
        assert_eq!(name("user.bob.x"), Err(FOREIGN));
        let plain = Namespaces { personal: places(&[("", '/')]), foreign: places(&[("Shared/", '/')]) };
        assert_eq!(plain.name("Trail/"), Ok("Trail".to_owned()));
        assert_eq!((plain.name("Shared/x"), plain.name("Shared")), (Err(FOREIGN), Err(FOREIGN)));
    }
}
