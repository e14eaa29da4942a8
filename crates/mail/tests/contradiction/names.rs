//! Folder names: spelled as the server spells them, and why one is refused.

use crate::house::{House, NEWEST, house};
use imapmcp_core::mail::{
    Criterion, Flag, FlagChange, Locator, MailError, MailStore, Messages, TransferKind,
};
use imapmcp_testkit::servers::{Features, Lie};

const NAME: &str = "\u{41c}\u{43e}\u{44f} &c";
/// As the RFC has it, and as somebody else writes it: plain letters within the base64.
const USUAL: &str = "&BBwEPgRP- &-c";
const OWN: &str = "&BBwEPgRPACAAJgBj-";

async fn spelling() -> House {
    let house = house(Features::modern()).await;
    house.memory.add_folder(&house.demo, NAME);
    house.deliver(NAME, "Subject: a\r\n\r\nx\r\n", 1);
    house.deliver("INBOX", "Subject: b\r\n\r\nx\r\n", 1);
    house.server.lies([Lie::Spells(USUAL, OWN)]);
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_found_however_it_is_spelled_before_the_folders_were_ever_listed() {
    let folder = || NAME.into();
    let at = || Locator { folder: folder(), uid_validity: None, uid: 1 };
    let seen = FlagChange { add: vec![Flag::seen()], remove: vec![] };
    let house = spelling().await;
    assert_eq!(house.mailbox.list(&folder(), &NEWEST).await.unwrap().total, 1);
    let house = spelling().await;
    assert_eq!(house.mailbox.search(&folder(), &Criterion::Unseen, &NEWEST).await.unwrap().total, 1);
    let house = spelling().await;
    assert!(house.mailbox.message(&at(), 10).await.is_ok());
    let house = spelling().await;
    assert!(house.mailbox.append(&folder(), "Subject: x\r\n\r\nx\r\n".into(), &[]).await.is_ok());
    let house = spelling().await;
    assert_eq!(
        house.mailbox.change_flags(&Messages::new(NAME, Some(1), &[1]), &seen).await.map(|_| ()),
        Err(MailError::Stale)
    );
    let (_, turns) = house.turns(house.mailbox.list(&folder(), &NEWEST)).await;
    assert_eq!(turns, 1, "the folders are listed once");
    let house = spelling().await;
    let moved =
        house.mailbox.transfer(&Messages::new("INBOX", None, &[1]), &folder(), TransferKind::Move).await;
    assert_eq!(moved.unwrap().outcome.done, [1]);
    let house = spelling().await;
    assert!(house.mailbox.rename_folder(&folder(), &"Plain".into()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_name_says_why() {
    for features in
        [Features::modern(), Features::bare(), Features::modern().with_namespaces("((\"\" \"/\")) NIL NIL")]
    {
        let house = house(features).await;
        house.memory.add_folder(&house.demo, "Here");
        house.memory.add_folder(&house.demo, "D\u{e4}cher");
        let exists = MailError::Refused { condition: Some("ALREADYEXISTS".to_owned()) };
        house.server.lies([Lie::RefusesNames]);
        for name in ["Here", "D\u{e4}cher", "Here/"] {
            assert_eq!(house.mailbox.create_folder(&name.into()).await, Err(exists.clone()), "{name}");
        }
        assert_eq!(
            house.mailbox.rename_folder(&"Here".into(), &"D\u{e4}cher".into()).await,
            Err(exists.clone())
        );
        let dots = house.mailbox.create_folder(&"a.b".into()).await;
        assert!(matches!(dots, Err(MailError::Invalid(why)) if why.contains("by slashes")), "{dots:?}");
        assert_eq!(
            house.mailbox.create_folder(&"new".into()).await,
            Err(MailError::Refused { condition: None })
        );
        house.server.lies([]);
        for (wanted, made) in [("Trail/", "Trail"), ("a/b//", "a/b"), ("dot.", "dot."), ("(x)", "(x)")] {
            assert_eq!(house.mailbox.create_folder(&wanted.into()).await.unwrap(), made);
            let folders = house.memory.mailbox(&house.demo).folders(false).await.unwrap();
            assert!(folders.iter().any(|folder| folder.name == made), "{made}");
        }
    }
}
