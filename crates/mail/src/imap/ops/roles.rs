//! Roles of folders: SPECIAL-USE attributes first (RFC 6154), well-known names second.

use crate::imap::connection::namespaces::Namespaces;
use imapmcp_core::mail::{Folder, Role};

/// The role the server gives by attribute.
pub(crate) fn of_attributes(attributes: &[String]) -> Option<Role> {
    let role = |attribute: &String| match attribute.to_ascii_lowercase().as_str() {
        "\\inbox" => Some(Role::Inbox),
        "\\sent" => Some(Role::Sent),
        "\\drafts" => Some(Role::Drafts),
        "\\trash" => Some(Role::Trash),
        "\\junk" | "\\spam" => Some(Role::Junk),
        "\\archive" => Some(Role::Archive),
        "\\all" | "\\allmail" => Some(Role::All),
        "\\flagged" | "\\starred" => Some(Role::Flagged),
        _ => None,
    };
    attributes.iter().find_map(role)
}

/// Names of folders in the wild, lower case, most usual first.
const NAMES: [(Role, &[&str]); 5] = [
    (
        Role::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "enviados",
            "elementos enviados",
            "itens enviados",
            "inviata",
            "posta inviata",
            "elementi inviati",
            "verzonden",
            "verzonden items",
            "wysłane",
            "skickat",
            "sendt",
            "отправленные",
            "已发送",
            "已发送邮件",
            "送信済み",
            "送信済みアイテム",
            "보낸편지함",
        ],
    ),
    (
        Role::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "brouillons",
            "borradores",
            "rascunhos",
            "bozze",
            "concepten",
            "kopie robocze",
            "szkice",
            "utkast",
            "kladder",
            "черновики",
            "草稿",
            "草稿箱",
            "下書き",
            "임시보관함",
        ],
    ),
    (
        Role::Trash,
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "deleted",
            "bin",
            "papierkorb",
            "gelöschte elemente",
            "gelöschte objekte",
            "corbeille",
            "éléments supprimés",
            "papelera",
            "elementos eliminados",
            "lixeira",
            "itens excluídos",
            "cestino",
            "posta eliminata",
            "prullenbak",
            "verwijderde items",
            "kosz",
            "papperskorgen",
            "корзина",
            "удаленные",
            "已删除",
            "已删除邮件",
            "ゴミ箱",
            "削除済みアイテム",
            "휴지통",
        ],
    ),
    (
        Role::Junk,
        &[
            "junk",
            "spam",
            "junk e-mail",
            "junk email",
            "junk mail",
            "bulk mail",
            "spamverdacht",
            "unerwünscht",
            "courrier indésirable",
            "indésirables",
            "pourriel",
            "correo no deseado",
            "lixo eletrônico",
            "posta indesiderata",
            "ongewenste e-mail",
            "ongewenst",
            "skräppost",
            "спам",
            "垃圾邮件",
            "迷惑メール",
            "스팸함",
        ],
    ),
    (
        Role::Archive,
        &[
            "archive",
            "archives",
            "archiv",
            "archivo",
            "arquivo",
            "archivio",
            "archief",
            "archiwum",
            "arkiv",
            "архив",
            "存档",
            "アーカイブ",
            "보관함",
        ],
    ),
];

/// Gives INBOX its role, each role to one folder at most, and roles that no attribute gave to folders by name. Only the
/// account's own folders have roles: another person's trash is no place for this one's mail.
pub(crate) fn complete(folders: &mut [Folder], namespaces: &Namespaces) {
    for folder in folders.iter_mut().filter(|folder| !namespaces.is_own(&folder.name)) {
        folder.role = None;
    }
    let mut given: Vec<Role> = Vec::new();
    for folder in folders.iter_mut() {
        if folder.name.is_inbox() {
            folder.role = Some(Role::Inbox);
        }
        match folder.role {
            Some(role) if given.contains(&role) => folder.role = None,
            Some(role) => given.push(role),
            None => {}
        }
    }
    for (role, names) in NAMES {
        if given.contains(&role) {
            continue;
        }
        let rank = |folder: &Folder| {
            let last = folder.delimiter.and_then(|delimiter| folder.name.rsplit(delimiter).next());
            let last = last.unwrap_or(&folder.name).to_lowercase();
            let depth = folder.delimiter.map_or(0, |delimiter| folder.name.matches(delimiter).count());
            names.iter().position(|name| *name == last).map(|place| (depth, place))
        };
        let best = folders
            .iter_mut()
            .filter(|folder| folder.role.is_none() && folder.selectable && namespaces.is_own(&folder.name))
            .filter_map(|folder| rank(folder).map(|rank| (rank, folder)))
            .min_by_key(|(rank, _)| *rank);
        if let Some((_, folder)) = best {
            folder.role = Some(role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::wire::{
        framing::Raw,
        response::{self, Line},
    };

    fn folder(name: &str, role: Option<Role>) -> Folder {
        let name = name.to_owned();
        Folder {
            name: name.into(),
            delimiter: Some('/'),
            role,
            selectable: true,
            subscribed: false,
            counts: None,
        }
    }

    #[test]
    fn another_persons_trash_is_nobodys_place() {
        let all = "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared/\" \"/\"))\r\n";
        let raw = Raw { octets: all.into(), ..Raw::default() };
        let Ok(Line::Untagged(data)) = response::line(&raw) else { panic!() };
        let namespaces = Namespaces::of(&[data]).unwrap();
        let mut folders = vec![
            folder("Other Users/bob/Bin", Some(Role::Trash)),
            folder("Shared/Sent", Some(Role::Sent)),
            folder("Other Users/bob/Drafts", None),
            folder("Old/Sent", None),
            folder("INBOX", None),
        ];
        complete(&mut folders, &namespaces);
        let roles: Vec<_> = folders.iter().map(|folder| folder.role).collect();
        assert_eq!(roles, [None, None, None, Some(Role::Sent), Some(Role::Inbox)]);
    }

    #[test]
    fn attributes_come_first_and_localised_names_second() {
        let mut folders = vec![
            folder("inbox", None),
            folder("Sent", None),
            folder("Work/Gesendete Elemente", Some(Role::Sent)),
            folder("Entwürfe", None),
            folder("Old/Papierkorb", None),
            folder("Papierkorb", None),
            folder("Spam", None),
            folder("Other", Some(Role::Sent)),
        ];
        complete(&mut folders, &Namespaces::default());
        let roles: Vec<_> = folders.iter().map(|folder| folder.role).collect();
        assert_eq!(
            roles,
            [
                Some(Role::Inbox),
                None,
                Some(Role::Sent),
                Some(Role::Drafts),
                None,
                Some(Role::Trash),
                Some(Role::Junk),
                None
            ]
        );
        assert_eq!(of_attributes(&["\\HasNoChildren".into(), "\\SENT".into()]), Some(Role::Sent));
    }
}
