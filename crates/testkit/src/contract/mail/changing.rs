//! Flags.

use super::{append, find, newest};
use imapmcp_core::mail::{Criterion, Flag, FlagChange, MailError, Mailbox};
use std::collections::HashSet;

pub(super) async fn flags_change_as_reported(mailbox: &dyn Mailbox) {
    let a = append(mailbox, "Drafts", "Subject: a\r\n\r\nx\r\n", &[]).await;
    let b = append(mailbox, "Drafts", "Subject: b\r\n\r\nx\r\n", &[Flag::seen()]).await;
    let flagged = Flag::parse("\\Flagged").unwrap();
    let keyword = Flag::parse("$Forwarded").unwrap();
    let change = FlagChange { add: vec![flagged, keyword], remove: vec![Flag::seen()] };
    let absent = b.uid + 1_000;
    let uids = [b.uid, absent, a.uid, b.uid];
    let outcome = mailbox.change_flags("Drafts", Some(a.uid_validity), &uids, &change).await.unwrap();
    assert_eq!((outcome.uid_validity, outcome.done), (a.uid_validity, vec![a.uid, b.uid]));
    assert_eq!((outcome.missing, outcome.failed, outcome.unknown), (vec![absent], vec![], vec![]));
    let again = mailbox.change_flags("Drafts", None, &[a.uid], &change).await.unwrap();
    assert_eq!(again.done, [a.uid], "what was so already is done");
    for message in newest(mailbox, "Drafts").await.messages {
        let flags: HashSet<_> = message.flags.iter().map(String::as_str).collect();
        assert!(
            flags.contains("\\Flagged") && flags.contains("$Forwarded") && !flags.contains("\\Seen"),
            "{flags:?}"
        );
    }
    let stale =
        mailbox.change_flags("Drafts", Some(a.uid_validity + 1), &[a.uid], &FlagChange::default()).await;
    assert_eq!(stale, Err(MailError::Stale));
    let undo = FlagChange { add: vec![], remove: vec![Flag::parse("\\Flagged").unwrap()] };
    let stale = mailbox.change_flags("Drafts", Some(a.uid_validity + 1), &[a.uid], &undo).await;
    assert_eq!(stale, Err(MailError::Stale));
    assert_eq!(
        find(mailbox, "Drafts", Criterion::Flagged).await.len(),
        2,
        "a stale reference changes nothing"
    );
    assert!(mailbox.change_flags("Drafts", None, &vec![1; 501], &undo).await.is_err());
}
