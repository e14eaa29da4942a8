//! Mail goes only into the account's own folders.

use crate::house::house;
use imapmcp_core::mail::{MailError, MailStore, Role};
use imapmcp_testkit::servers::Features;

const THEIRS: &str = "((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared Folders/\" \"/\"))";
const NAMES: [(&str, Role); 4] =
    [("Trash", Role::Trash), ("Archive", Role::Archive), ("Sent", Role::Sent), ("Drafts", Role::Drafts)];

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_folders_have_no_role_whatever_they_are_called() {
    for features in [Features::modern(), Features::bare()] {
        let house = house(features.with_namespaces(THEIRS)).await;
        let behind = house.memory.mailbox(&house.demo);
        for (name, _) in NAMES {
            behind.delete_folder(&name.into()).await.unwrap();
            for theirs in ["Other Users/bob", "Shared Folders"] {
                house.memory.add_folder(&house.demo, &format!("{theirs}/{name}"));
            }
        }
        let (folders, turns) = house.turns(house.mailbox.folders(false)).await;
        let folders = folders.unwrap();
        assert!(folders.iter().any(|folder| folder.name == "Other Users/bob/Trash"));
        let roles: Vec<_> = folders.iter().filter_map(|folder| Some((folder.role?, &folder.name))).collect();
        assert!(roles.iter().all(|(_, name)| !name.contains('/')), "{roles:?}");
        for (_, role) in NAMES {
            assert!(!roles.iter().any(|(own, _)| *own == role), "{roles:?}");
        }
        let login = 2;
        assert!(turns <= 1 + login, "no round trip of its own: {turns}");
        let (_, turns) = house.turns(house.mailbox.folders(false)).await;
        assert_eq!(turns, 1);
        // of their own they are found as ever
        house.mailbox.create_folder(&"Work/Trash".into()).await.unwrap();
        let folders = house.mailbox.folders(false).await.unwrap();
        let trash = folders.iter().find(|folder| folder.role == Some(Role::Trash)).unwrap();
        assert_eq!(trash.name, "Work/Trash");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_folders_are_made_among_the_accounts_own() {
    let house =
        house(Features::modern().with_namespaces("((\"INBOX/\" \"/\")) ((\"user/\" \"/\")) NIL")).await;
    let behind = house.memory.mailbox(&house.demo);
    assert_eq!(house.mailbox.create_folder(&"Nope".into()).await.unwrap(), "INBOX/Nope");
    assert_eq!(house.mailbox.create_folder(&"INBOX/Trail/".into()).await.unwrap(), "INBOX/Trail");
    assert_eq!(
        house.mailbox.rename_folder(&"INBOX/Trail".into(), &"Path".into()).await.unwrap(),
        "INBOX/Path"
    );
    for name in ["user/bob/x", "user"] {
        assert!(
            matches!(house.mailbox.create_folder(&name.into()).await, Err(MailError::Invalid(_))),
            "{name}"
        );
        assert!(matches!(
            house.mailbox.rename_folder(&"INBOX/Path".into(), &name.into()).await,
            Err(MailError::Invalid(_))
        ));
    }
    let names: Vec<String> =
        behind.folders(false).await.unwrap().into_iter().map(|folder| folder.name.into()).collect();
    assert!(
        names.contains(&"INBOX/Nope".to_owned()) && names.contains(&"INBOX/Path".to_owned()),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.starts_with("user")), "{names:?}");
}
