//! Copies, moves and removals.

use super::{Stage, append, newest, page, uids};
use imapmcp_core::{
    mail::{Criterion, Flag, FlagChange, MailError, MessageRef, Messages, TransferKind},
    time::Timestamp,
};

async fn all(stage: Stage<'_>, folder: &str) -> Vec<u32> {
    let found =
        stage.mailbox.search(&folder.into(), &Criterion::And(vec![]), &page(200, None)).await.unwrap();
    let mut uids = uids(&found);
    uids.reverse();
    uids
}

pub(super) async fn copies_and_moves_happen_as_reported(stage: Stage<'_>) {
    let Stage { mailbox, deliver, abilities } = stage;
    for folder in ["From here", "To there"] {
        mailbox.create_folder(&folder.into()).await.unwrap();
    }
    let then = Timestamp(1_600_000_000_000);
    for number in 0..6 {
        deliver(
            "From here",
            &format!("Message-ID: <move{number}@x>\r\nSubject: {number}\r\n\r\nx\r\n"),
            then,
        );
    }
    let here = all(stage, "From here").await;
    let keyword = FlagChange { add: vec![Flag::parse("$Kept").unwrap()], remove: vec![] };
    mailbox.change_flags(&Messages::new("From here", None, &here), &keyword).await.unwrap();
    let validity = newest(mailbox, "From here").await.uid_validity;
    let absent = here[5] + 50;

    let copied = [here[1], absent, here[0]];
    let copy = mailbox
        .transfer(
            &Messages::new("From here", Some(validity), &copied),
            &"To there".into(),
            TransferKind::Copy,
        )
        .await
        .unwrap();
    assert_eq!((&copy.outcome.done[..], &copy.outcome.missing[..]), (&here[..2], &[absent][..]));
    assert_eq!((copy.outcome.failed.len(), copy.outcome.unknown.len(), copy.originals_left.len()), (0, 0, 0));
    assert_eq!(all(stage, "From here").await, here, "a copy leaves the originals");

    let moved = [here[5], here[3], absent, here[2]];
    let transfer = mailbox
        .transfer(&Messages::new("From here", Some(validity), &moved), &"To there".into(), TransferKind::Move)
        .await;
    let gone = [here[2], here[3], here[5]];
    if abilities.uidplus {
        let transfer = transfer.unwrap();
        assert_eq!((&transfer.outcome.missing[..], transfer.outcome.failed.len()), (&[absent][..], 0));
        assert_eq!((&transfer.outcome.done[..], transfer.originals_left.len()), (&gone[..], 0));
        assert_eq!(all(stage, "From here").await, [here[0], here[1], here[4]]);
        let placed: Vec<_> = copy.placed.iter().chain(&transfer.placed).collect();
        assert_eq!(placed.iter().map(|(old, _)| *old).collect::<Vec<_>>(), [&here[..2], &gone[..]].concat());
        for (old, new) in placed {
            let message = mailbox.message(&new.clone().into(), 0).await.unwrap();
            let number = here.iter().position(|uid| uid == old).unwrap();
            assert_eq!(message.summary.envelope.message_id, Some(format!("<move{number}@x>")));
            assert_eq!(message.summary.internal_date, Some(then), "the date stays");
            assert!(message.summary.flags.iter().any(|flag| flag == "$Kept"), "flags stay");
        }
        assert_eq!(all(stage, "To there").await.len(), 5);
        let none = mailbox
            .transfer(&Messages::new("From here", None, &[absent]), &"To there".into(), TransferKind::Move)
            .await
            .unwrap();
        assert_eq!((none.outcome.missing, none.outcome.done), (vec![absent], vec![]));
    } else {
        // They could not be removed without removing what others marked: then there is no copy either, however often it
        // is tried.
        let refused = MailError::Refused { condition: Some("UIDPLUS".into()) };
        assert_eq!(transfer.unwrap_err(), refused);
        for _ in 0..2 {
            let again = mailbox
                .transfer(&Messages::new("From here", None, &gone), &"To there".into(), TransferKind::Move)
                .await;
            assert_eq!(again.unwrap_err(), refused);
        }
        assert_eq!(all(stage, "From here").await, here);
        assert_eq!(all(stage, "To there").await.len(), 2, "the copies of before");
    }
    for folder in ["From here", "To there"] {
        mailbox.delete_folder(&folder.into()).await.unwrap();
    }
}

pub(super) async fn nothing_is_lost_when_a_move_is_refused(scene: Stage<'_>) {
    let mailbox = scene.mailbox;
    let at = append(mailbox, "Drafts", "Subject: stays\r\n\r\nx\r\n", &[]).await;
    let before = all(scene, "Drafts").await;
    let kinds = [TransferKind::Copy, TransferKind::Move];
    for kind in &kinds[..=usize::from(scene.abilities.uidplus)] {
        let kind = *kind;
        let nowhere = mailbox
            .transfer(&Messages::new("Drafts", Some(at.uid_validity), &[at.uid]), &"Nowhere".into(), kind)
            .await;
        assert_eq!(nowhere.unwrap_err(), MailError::NoFolder, "{kind:?}");
        let stale = mailbox
            .transfer(&Messages::new("Drafts", Some(at.uid_validity + 1), &[at.uid]), &"Trash".into(), kind)
            .await;
        assert_eq!(stale.unwrap_err(), MailError::Stale);
        let from_nowhere =
            mailbox.transfer(&Messages::new("Nowhere", None, &[at.uid]), &"Trash".into(), kind).await;
        assert_eq!(from_nowhere.unwrap_err(), MailError::NoFolder);
    }
    let stale = mailbox.expunge(&Messages::new("Drafts", Some(at.uid_validity + 1), &[at.uid])).await;
    assert_eq!(stale.unwrap_err(), MailError::Stale);
    let onto_itself = mailbox
        .transfer(&Messages::new("Drafts", None, &[at.uid]), &"Drafts".into(), TransferKind::Move)
        .await;
    assert!(matches!(onto_itself, Err(MailError::Invalid(_))));
    assert!(
        mailbox
            .transfer(&Messages::new("Drafts", None, &vec![1; 501]), &"Trash".into(), TransferKind::Copy)
            .await
            .is_err()
    );
    assert_eq!(all(scene, "Drafts").await, before);
}

pub(super) async fn only_what_was_named_is_removed(stage: Stage<'_>) {
    let Stage { mailbox, abilities, .. } = stage;
    mailbox.create_folder(&"Shared".into()).await.unwrap();
    let mut here = Vec::new();
    for number in 0..5 {
        here.push(append(mailbox, "Shared", &format!("Subject: {number}\r\n\r\nx\r\n"), &[]).await.uid);
    }
    // Another client's: it wants to purge it one day, and that is its own business.
    let deleted = FlagChange { add: vec![Flag::parse("\\Deleted").unwrap()], remove: vec![] };
    mailbox.change_flags(&Messages::new("Shared", None, &here[..1]), &deleted).await.unwrap();
    let moved = mailbox
        .transfer(&Messages::new("Shared", None, &here[1..2]), &"Trash".into(), TransferKind::Move)
        .await;
    assert_eq!(moved.is_ok(), abilities.uidplus);
    let removed = mailbox.expunge(&Messages::new("Shared", None, &[here[3], here[2], here[4] + 9])).await;
    if abilities.uidplus {
        let removed = removed.unwrap();
        assert_eq!((&removed.done[..], &removed.missing[..]), (&here[2..4], &[here[4] + 9][..]));
        assert_eq!(all(stage, "Shared").await, [here[0], here[4]]);
    } else {
        assert_eq!(removed.unwrap_err(), MailError::Refused { condition: Some("UIDPLUS".into()) });
        assert_eq!(all(stage, "Shared").await, here, "all are there");
    }
    let flags = mailbox.list(&"Shared".into(), &page(50, None)).await.unwrap().messages;
    let marked =
        flags.iter().filter(|one| one.flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted")));
    assert_eq!(marked.map(|one| one.uid).collect::<Vec<_>>(), here[..1]);
    mailbox.delete_folder(&"Shared".into()).await.unwrap();
}

pub(super) async fn a_message_that_was_moved_is_found_again(stage: Stage<'_>) {
    let Stage { mailbox, abilities, .. } = stage;
    if !abilities.uidplus {
        return;
    }
    mailbox.create_folder(&"Lost".into()).await.unwrap();
    let message = "Message-ID: <again@x.example>\r\nSubject: again\r\n\r\nx\r\n";
    let old: MessageRef = append(mailbox, "Lost", message, &[]).await;
    newest(mailbox, "Lost").await;
    let moved = mailbox
        .transfer(&Messages::new("Lost", None, &[old.uid]), &"Archive".into(), TransferKind::Move)
        .await
        .unwrap();
    let now = moved.placed[0].1.clone();
    assert_eq!(mailbox.find_again(&old).await, Ok(Some(now.clone())));
    let unknown = MessageRef { uid: old.uid + 77, ..old.clone() };
    assert_eq!(mailbox.find_again(&unknown).await, Ok(None));
    mailbox
        .transfer(&Messages::new("Archive", None, &[now.uid]), &"Trash".into(), TransferKind::Copy)
        .await
        .unwrap();
    assert_eq!(mailbox.find_again(&old).await, Ok(None), "which of two?");
    mailbox.delete_folder(&"Lost".into()).await.unwrap();
}
