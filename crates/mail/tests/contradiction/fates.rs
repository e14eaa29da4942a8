//! What becomes of each message of a change.

use crate::house::{House, house, settled, settled_transfer};
use imapmcp_core::mail::{Flag, FlagChange, MailError, Messages, TransferKind};
use imapmcp_testkit::servers::{Features, Lie};

fn seen() -> FlagChange {
    FlagChange { add: vec![Flag::seen()], remove: vec![] }
}

fn all_lies() -> Vec<Lie> {
    let mut lies = vec![Lie::SearchesAll, Lie::SearchesNothing, Lie::Limits(10), Lie::Limits(1)];
    lies.extend(Lie::OF_CHANGES);
    for verb in ["NOOP", "FETCH", "STORE", "MOVE", "COPY", "EXPUNGE"] {
        lies.extend([
            Lie::Rebuilds(verb),
            Lie::Refuses(verb, ""),
            Lie::Refuses(verb, "[UNAVAILABLE]"),
            Lie::Refuses(verb, "[LIMIT]"),
            Lie::Refuses(verb, "[EXPUNGEISSUED]"),
            Lie::Nests(verb),
        ]);
    }
    lies.extend(["STORE", "MOVE", "COPY", "EXPUNGE"].map(Lie::Dies));
    lies
}

/// The slow ones: each costs a time-out, or a flood.
fn slow_lies() -> Vec<Lie> {
    let verbs = ["FETCH", "STORE", "MOVE", "COPY", "EXPUNGE"];
    verbs.into_iter().flat_map(|verb| [Lie::Silent(verb), Lie::Floods(verb)]).collect()
}

/// Everything but what is told as done, or as half done, is where it was; and what is told as done is.
async fn tried(features: &Features, lies: &[Lie]) {
    let told = format!("{lies:?}");
    let house = house(features.clone()).await;
    let uids = house.fill(30);
    house.mailbox.list(&"INBOX".into(), &crate::house::NEWEST).await.unwrap();
    let mut asked = uids.clone();
    asked.extend([9_999, 10_001]);

    house.server.lies(lies.iter().cloned());
    let outcome = house.mailbox.change_flags(&Messages::new("INBOX", None, &asked), &seen()).await;
    if let Ok(outcome) = &outcome {
        settled(&asked, outcome, &[], &told);
        assert!(!outcome.done.iter().any(|uid| *uid > 9_000), "{told}");
        let really = flagged(&house).await;
        assert!(outcome.done.iter().all(|uid| really.contains(uid)), "{told}: {outcome:?} {really:?}");
        assert!(!outcome.failed.iter().any(|uid| really.contains(uid)), "{told}: {outcome:?} {really:?}");
    }

    for kind in [TransferKind::Copy, TransferKind::Move] {
        house.server.lies([]);
        let before = house.really("INBOX").await;
        // another connection would know nothing of them
        house.mailbox.list(&"INBOX".into(), &crate::house::NEWEST).await.unwrap();
        let here: Vec<u32> = before.iter().copied().take(25).collect();
        let mut asked = here.clone();
        asked.extend([9_999, 10_001]);
        house.server.lies(lies.iter().cloned());
        let transfer =
            house.mailbox.transfer(&Messages::new("INBOX", None, &asked), &"Archive".into(), kind).await;
        house.server.lies([]);
        let now = house.really("INBOX").await;
        let Ok(transfer) = transfer else {
            assert_eq!(
                now.iter().filter(|uid| here.contains(uid)).count(),
                here.len(),
                "{told}: an error, and done"
            );
            continue;
        };
        settled_transfer(&asked, &transfer, &told);
        let gone: Vec<u32> = here.iter().copied().filter(|uid| !now.contains(uid)).collect();
        if kind == TransferKind::Move {
            let done = &transfer.outcome.done;
            assert!(
                done.iter().all(|uid| gone.contains(uid)),
                "{told}: told as moved and still there {transfer:?}"
            );
            let elsewhere: Vec<_> = transfer.outcome.failed.iter().chain(&transfer.originals_left).collect();
            assert!(
                elsewhere.iter().all(|uid| now.contains(uid)),
                "{told}: told as left and gone {transfer:?}"
            );
        } else {
            assert_eq!(gone, [0_u32; 0], "{told}");
            let there = house.really("Archive").await.len();
            assert!(transfer.outcome.done.len() <= there, "{told}: {transfer:?} {there}");
        }
    }

    let before = house.really("INBOX").await;
    house.mailbox.list(&"INBOX".into(), &crate::house::NEWEST).await.unwrap();
    let here: Vec<u32> = before.iter().copied().take(12).collect();
    let mut asked = here.clone();
    asked.push(9_999);
    house.server.lies(lies.iter().cloned());
    let outcome = house.mailbox.expunge(&Messages::new("INBOX", None, &asked)).await;
    house.server.lies([]);
    let now = house.really("INBOX").await;
    let Ok(outcome) = outcome else {
        assert!(here.iter().all(|uid| now.contains(uid)), "{told}: an error, and removed");
        return;
    };
    settled(&asked, &outcome, &[], &told);
    assert!(
        !outcome.done.iter().any(|uid| now.contains(uid)),
        "{told}: told as removed and there {outcome:?}"
    );
    assert!(outcome.failed.iter().all(|uid| now.contains(uid)), "{told}: told as left and gone {outcome:?}");
}

async fn flagged(house: &House) -> Vec<u32> {
    use imapmcp_core::mail::{Criterion, MailStore, Page};
    let behind = house.memory.mailbox(&house.demo);
    let page = Page { limit: 200, after: None };
    let found = behind.search(&"INBOX".into(), &Criterion::Seen, &page).await.unwrap();
    found.messages.iter().map(|message| message.uid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_says_each_message_is_in_one_list_and_done_is_done() {
    for features in [Features::modern(), Features::modern().without("MOVE"), Features::bare()] {
        tried(&features, &[]).await;
        for lie in all_lies() {
            tried(&features, &[lie]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_floods_leave_no_message_out() {
    for features in [Features::modern(), Features::modern().without("MOVE")] {
        let tries = slow_lies().into_iter().map(|lie| tried_alone(features.clone(), lie));
        for done in futures_util::future::join_all(tries).await {
            done.unwrap();
        }
    }
}

fn tried_alone(features: Features, lie: Lie) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { tried(&features, &[lie]).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lies_at_once_leave_no_message_out() {
    let pairs = [
        [Lie::Arrives, Lie::MovesNothing],
        [Lie::Limits(10), Lie::Arrives],
        [Lie::CopyUidOfOne, Lie::MovesWithoutWord],
        [Lie::Limits(7), Lie::CopyUidOfOne],
        [Lie::Jumps, Lie::Refuses("MOVE", "[OVERQUOTA]")],
        [Lie::TellsOfOthers, Lie::StoresOnPaper],
    ];
    for pair in pairs {
        tried(&Features::modern(), &pair).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_there_is_missing_while_others_arrive() {
    let house = house(Features::modern()).await;
    let uids = house.fill(3);
    house.mailbox.list(&"INBOX".into(), &crate::house::NEWEST).await.unwrap();
    house.server.lies([Lie::Arrives]);
    for kind in [TransferKind::Move, TransferKind::Copy] {
        let transfer = house
            .mailbox
            .transfer(&Messages::new("INBOX", None, &[uids[0], 999]), &"Archive".into(), kind)
            .await
            .unwrap();
        assert_eq!(transfer.outcome.missing.last(), Some(&999), "{kind:?}");
        settled_transfer(&[uids[0], 999], &transfer, "arrives");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_limit_is_asked_until_all_is_done() {
    for (announced, limit) in [(false, 10), (true, 10), (false, 1), (false, 29)] {
        let features =
            if announced { Features::modern().with("MESSAGELIMIT=10") } else { Features::modern() };
        let house = house(features).await;
        let uids = house.fill(30);
        house.server.lies([Lie::Limits(limit)]);
        let outcome =
            house.mailbox.change_flags(&Messages::new("INBOX", None, &uids), &seen()).await.unwrap();
        assert_eq!((&outcome.done, &outcome.changed), (&uids, &uids), "{announced} {limit}");
        let moved = house
            .mailbox
            .transfer(&Messages::new("INBOX", None, &uids[..20]), &"Archive".into(), TransferKind::Move)
            .await
            .unwrap();
        assert_eq!(
            (moved.outcome.done.as_slice(), moved.placed.len()),
            (&uids[..20], 20),
            "{announced} {limit}"
        );
        if announced {
            let gone = house.mailbox.expunge(&Messages::new("INBOX", None, &uids[20..])).await.unwrap();
            assert_eq!(gone.done, &uids[20..]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_copied_where_the_original_could_not_be_removed() {
    for features in [Features::bare(), Features::modern().without("MOVE").without("UIDPLUS")] {
        let house = house(features).await;
        let uids = house.fill(3);
        for _ in 0..3 {
            let moved = house
                .mailbox
                .transfer(&Messages::new("INBOX", None, &uids), &"Archive".into(), TransferKind::Move)
                .await;
            assert_eq!(moved.unwrap_err(), MailError::Refused { condition: Some("UIDPLUS".into()) });
        }
        assert_eq!((house.really("INBOX").await.len(), house.really("Archive").await.len()), (3, 0));
        let copied = house
            .mailbox
            .transfer(&Messages::new("INBOX", None, &uids), &"Archive".into(), TransferKind::Copy)
            .await
            .unwrap();
        assert_eq!(copied.outcome.done, uids);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_folder_opened_read_only_nothing_is_told_as_changed() {
    let house = house(Features::modern()).await;
    let uids = house.fill(2);
    house.server.lies([Lie::ReadOnly]);
    for _ in 0..2 {
        let outcome =
            house.mailbox.change_flags(&Messages::new("INBOX", None, &uids), &seen()).await.unwrap();
        assert_eq!((&outcome.failed, outcome.done.len()), (&uids, 0));
        let refused = MailError::Refused { condition: Some("READ-ONLY".into()) };
        let moved = house
            .mailbox
            .transfer(&Messages::new("INBOX", None, &uids), &"Archive".into(), TransferKind::Move)
            .await;
        assert_eq!(moved.unwrap_err(), refused);
        assert_eq!(house.mailbox.expunge(&Messages::new("INBOX", None, &uids)).await.unwrap_err(), refused);
    }
    let unread = FlagChange { add: vec![], remove: vec![Flag::seen()] };
    let outcome = house.mailbox.change_flags(&Messages::new("INBOX", None, &uids), &unread).await.unwrap();
    assert_eq!((outcome.done, outcome.changed), (uids, vec![]), "they are unread already");
}

/// A COPY that is refused must leave the other folder as it was (RFC 9051 §6.4.7); of a server that does not heed this the
/// folder tells, and nothing is told as refused that may be there.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_command_has_copied_all_the_same_is_in_doubt() {
    let (modern, plain) = (Features::modern, || Features::modern().without("MOVE"));
    for (features, kind, verb) in [
        (modern(), TransferKind::Copy, "COPY"),
        (plain(), TransferKind::Copy, "COPY"),
        (Features::bare(), TransferKind::Copy, "COPY"),
        (Features::bare().with("MOVE"), TransferKind::Move, "MOVE"),
        (modern(), TransferKind::Move, "MOVE"),
        (plain(), TransferKind::Move, "COPY"),
    ] {
        let half = if verb == "MOVE" { Lie::MovesHalfWay } else { Lie::Halves("COPY") };
        let house = house(features.clone()).await;
        let uids = house.fill(6);
        house.server.lies([half]);
        let transfer =
            house.mailbox.transfer(&Messages::new("INBOX", None, &uids), &"Archive".into(), kind).await;
        let told = format!("{kind:?} {features:?}: {transfer:?}");
        let transfer = transfer.unwrap();
        assert_eq!(transfer.outcome.unknown, uids, "{told}");
        assert!(transfer.placed.is_empty() && transfer.originals_left.is_empty(), "{told}");
        assert_eq!(house.really("INBOX").await, uids, "{told}");
        // refused is what left nothing behind
        for code in ["", "[OVERQUOTA]"] {
            house.server.lies([Lie::Refuses(verb, code)]);
            let refused =
                house.mailbox.transfer(&Messages::new("INBOX", None, &uids), &"Archive".into(), kind).await;
            match refused {
                Err(error) => assert!(matches!(error, MailError::Refused { .. }), "{verb} {code}: {error:?}"),
                Ok(transfer) => assert_eq!(transfer.outcome.failed, uids, "{verb} {code}: {transfer:?}"),
            }
        }
        house.server.lies([]);
        let done = house
            .mailbox
            .transfer(&Messages::new("INBOX", None, &uids), &"Archive".into(), kind)
            .await
            .unwrap();
        assert_eq!(done.outcome.done, uids, "{told}");
    }
}

/// The half that a MOVE proves to have moved is moved, and the rest is where it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_move_proves_is_told() {
    let house = house(Features::modern()).await;
    let uids = house.fill(6);
    house.mailbox.list(&"INBOX".into(), &crate::house::NEWEST).await.unwrap();
    house.server.lies([Lie::Halves("MOVE")]);
    let transfer = house
        .mailbox
        .transfer(&Messages::new("INBOX", None, &uids), &"Archive".into(), TransferKind::Move)
        .await
        .unwrap();
    assert_eq!((transfer.outcome.done, transfer.outcome.failed), (uids[..3].to_vec(), uids[3..].to_vec()));
}
