//! Folders made, renamed and deleted.

use super::{Stage, append, newest};
use imapmcp_core::mail::{MailError, Mailbox};

async fn subscribed(mailbox: &dyn Mailbox, name: &str) -> Option<bool> {
    let folders = mailbox.folders(false).await.unwrap();
    folders.iter().find(|folder| folder.name == name && folder.selectable).map(|folder| folder.subscribed)
}

pub(super) async fn folders_are_made_renamed_and_deleted(stage: Stage<'_>) {
    let mailbox = stage.mailbox;
    let old = if stage.abilities.quotes { "Prüfung & \"Co\"" } else { "Prüfung & Co" };
    let new = "Prüfung 2";
    assert_eq!(subscribed(mailbox, old).await, None);
    assert_eq!(mailbox.create_folder(&old.into()).await.unwrap(), old);
    assert_eq!(subscribed(mailbox, old).await, Some(true));
    let again = mailbox.create_folder(&old.into()).await.unwrap_err();
    assert!(matches!(again, MailError::Refused { .. }), "{again:?}");
    mailbox.create_folder(&format!("{old}/child").into()).await.unwrap();
    let message = append(mailbox, old, "Subject: inside\r\n\r\nx\r\n", &[]).await;
    append(mailbox, &format!("{old}/child"), "Subject: in the child\r\n\r\nx\r\n", &[]).await;
    assert_eq!(newest(mailbox, old).await.total, 1);
    assert_eq!(mailbox.rename_folder(&old.into(), &new.into()).await.unwrap(), new);
    assert_eq!((subscribed(mailbox, old).await, subscribed(mailbox, new).await.is_some()), (None, true));
    assert_eq!(newest(mailbox, new).await.messages[0].uid, message.uid);
    assert_eq!(newest(mailbox, &format!("{new}/child")).await.total, 1);
    assert_eq!(mailbox.list(&old.into(), &super::page(5, None)).await.unwrap_err(), MailError::NoFolder);
    assert_eq!(
        mailbox.rename_folder(&"Nowhere".into(), &"Elsewhere".into()).await.unwrap_err(),
        MailError::NoFolder
    );
    let taken = mailbox.rename_folder(&new.into(), &"Sent".into()).await.unwrap_err();
    assert!(matches!(taken, MailError::Refused { .. }), "{taken:?}");
    mailbox.delete_folder(&format!("{new}/child").into()).await.unwrap();
    mailbox.delete_folder(&new.into()).await.unwrap();
    assert_eq!(subscribed(mailbox, new).await, None);
    assert_eq!(mailbox.list(&new.into(), &super::page(5, None)).await.unwrap_err(), MailError::NoFolder);
    for refused in [
        mailbox.delete_folder(&"inbox".into()).await,
        mailbox.rename_folder(&"INBOX".into(), &"x".into()).await.map(drop),
    ] {
        assert!(matches!(refused, Err(MailError::Invalid(_))));
    }
}
