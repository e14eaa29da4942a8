//! Flags, and messages added.

use super::{Stage, append, find, newest};
use crate::crumbs::{broken, crumbs};
use imapmcp_core::{
    mail::{Criterion, Flag, FlagChange, Locator, MailError, Mailbox, Messages},
    time::Timestamp,
};
use std::collections::HashSet;

pub(super) async fn flags_change_as_reported(mailbox: &dyn Mailbox) {
    let a = append(mailbox, "Drafts", "Subject: a\r\n\r\nx\r\n", &[]).await;
    let b = append(mailbox, "Drafts", "Subject: b\r\n\r\nx\r\n", &[Flag::seen()]).await;
    let flagged = Flag::parse("\\Flagged").unwrap();
    let keyword = Flag::parse("$Forwarded").unwrap();
    let change = FlagChange { add: vec![flagged, keyword], remove: vec![Flag::seen()] };
    let absent = b.uid + 1_000;
    let uids = [b.uid, absent, a.uid, b.uid];
    let outcome =
        mailbox.change_flags(&Messages::new("Drafts", Some(a.uid_validity), &uids), &change).await.unwrap();
    assert_eq!((outcome.uid_validity, outcome.done), (a.uid_validity, vec![a.uid, b.uid]));
    assert_eq!((outcome.missing, outcome.failed, outcome.unknown), (vec![absent], vec![], vec![]));
    let again = mailbox.change_flags(&Messages::new("Drafts", None, &[a.uid]), &change).await.unwrap();
    assert_eq!(again.done, [a.uid], "what was so already is done");
    for message in newest(mailbox, "Drafts").await.messages {
        let flags: HashSet<_> = message.flags.iter().map(String::as_str).collect();
        assert!(
            flags.contains("\\Flagged") && flags.contains("$Forwarded") && !flags.contains("\\Seen"),
            "{flags:?}"
        );
    }
    let stale = mailbox
        .change_flags(&Messages::new("Drafts", Some(a.uid_validity + 1), &[a.uid]), &FlagChange::default())
        .await;
    assert_eq!(stale, Err(MailError::Stale));
    let undo = FlagChange { add: vec![], remove: vec![Flag::parse("\\Flagged").unwrap()] };
    let stale =
        mailbox.change_flags(&Messages::new("Drafts", Some(a.uid_validity + 1), &[a.uid]), &undo).await;
    assert_eq!(stale, Err(MailError::Stale));
    assert_eq!(
        find(mailbox, "Drafts", Criterion::Flagged).await.len(),
        2,
        "a stale reference changes nothing"
    );
    assert!(mailbox.change_flags(&Messages::new("Drafts", None, &vec![1; 501]), &undo).await.is_err());
}

pub(super) async fn a_message_is_appended_as_it_is_read(mailbox: &dyn Mailbox) {
    let (folder, body) = ("Has space", ".\r\n..\r\n{3}\r\na) x\r\n.last\r\n");
    let before = newest(mailbox, folder).await.total;
    for size in [1, 2, 3, 1000] {
        let subject = format!("crumbs of {size}");
        let message = format!("Subject: {subject}\r\n\r\n{body}");
        mailbox.append(&folder.into(), crumbs(message.as_bytes(), size), &[]).await.unwrap();
        let found = find(mailbox, folder, Criterion::Header("Subject", subject)).await;
        assert_eq!(found.len(), 1);
        let at = Locator { folder: folder.into(), uid_validity: None, uid: found[0] };
        assert_eq!(mailbox.section(&at, "TEXT", 1000).await.unwrap(), body);
    }
    // nothing is added of what cannot be read to its end, and the mailbox goes on
    for says_so in [true, false] {
        let failed = mailbox.append(&folder.into(), broken(b"Subject: half\r\n\r\nhalf", says_so), &[]).await;
        assert_eq!(failed, Err(MailError::Unreadable));
    }
    let after = newest(mailbox, folder).await;
    assert_eq!(after.total, before + 4);
    let uids: Vec<u32> = after.messages.iter().take(4).map(|message| message.uid).collect();
    let flags = FlagChange { add: vec![Flag::seen()], remove: vec![] };
    assert_eq!(
        mailbox.change_flags(&Messages::new(folder, None, &uids), &flags).await.unwrap().done.len(),
        4
    );
}

/// A message that the open folder was not told of yet is not missing.
pub(super) async fn what_arrived_a_moment_ago_can_be_changed(stage: Stage<'_>) {
    let Stage { mailbox, deliver, .. } = stage;
    mailbox.create_folder(&"Fresh".into()).await.unwrap();
    let seen = FlagChange { add: vec![Flag::seen()], remove: vec![] };
    for uid in 1..4 {
        deliver("Fresh", &format!("Subject: fresh {uid}\r\n\r\nx\r\n"), Timestamp(1_735_689_600_000));
        let outcome = mailbox.change_flags(&Messages::new("Fresh", None, &[uid]), &seen).await.unwrap();
        assert_eq!((outcome.done, outcome.missing), (vec![uid], vec![]));
    }
    mailbox.delete_folder(&"Fresh".into()).await.unwrap();
}
