//! Pages of a listing.

use super::{Stage, append, newest, page, uids};
use imapmcp_core::{
    mail::{Criterion, Listing, MailError, Mailbox, Messages, Page, PageCursor, TransferKind},
    time::Timestamp,
};

pub(super) async fn paging_loses_and_doubles_nothing(mailbox: &dyn Mailbox) {
    let mut expected = Vec::new();
    for number in 0..23 {
        expected
            .push(append(mailbox, "Archive", &format!("Subject: page {number}\r\n\r\nx\r\n"), &[]).await.uid);
    }
    expected.reverse();
    for limit in [1, 7, 23, 200] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let listing = mailbox.list(&"Archive".into(), &page(limit, after)).await.unwrap();
            assert_eq!(listing.total, 23);
            assert!(listing.messages.len() <= limit as usize);
            seen.extend(listing.messages.iter().map(|message| message.uid));
            after = listing.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "pages of {limit}");
    }
    // A message that arrives between two pages changes neither.
    let first = mailbox.list(&"Archive".into(), &page(10, None)).await.unwrap();
    let late = append(mailbox, "Archive", "Subject: late\r\n\r\nx\r\n", &[]).await.uid;
    let second = mailbox.list(&"Archive".into(), &page(10, first.next)).await.unwrap();
    assert_eq!([uids(&first), uids(&second)].concat(), expected[..20]);
    assert_eq!(newest(mailbox, "Archive").await.messages[0].uid, late);
    // Searches page too, and a list goes on where a search stopped.
    let criterion = Criterion::Subject("page".into());
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let found = mailbox.search(&"Archive".into(), &criterion, &page(9, after)).await.unwrap();
        assert_eq!(found.total, 23);
        seen.extend(uids(&found));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
    let found = mailbox.search(&"Archive".into(), &criterion, &page(9, None)).await.unwrap();
    assert_eq!(uids(&mailbox.list(&"Archive".into(), &page(3, found.next)).await.unwrap()), expected[9..12]);
    let stale = first.next.map(|cursor| PageCursor { uid_validity: cursor.uid_validity + 1, ..cursor });
    assert_eq!(mailbox.list(&"Archive".into(), &page(10, stale)).await, Err(MailError::Stale));
}

/// A folder is gone through from the highest UID downwards, whatever arrives and vanishes meanwhile.
pub(super) async fn envelopes_are_gone_through_page_by_page(mailbox: &dyn Mailbox) {
    let folder = mailbox.create_folder(&"Gone through".into()).await.unwrap();
    let empty = mailbox.envelopes(&folder, &page(5, None)).await.unwrap();
    assert!(empty.envelopes.is_empty() && empty.next.is_none());
    let mut expected = Vec::new();
    for number in 0..9 {
        let text = format!("From: p{number}@example.org\r\nSubject: gone through\r\n\r\nx\r\n");
        expected.push(append(mailbox, &folder, &text, &[]).await.uid);
    }
    expected.reverse();
    let first = mailbox.envelopes(&folder, &page(4, None)).await.unwrap();
    let uid_validity = Some(first.uid_validity);
    // the newest goes, and one that is still to come; another one arrives
    let gone = Messages { folder: folder.clone(), uid_validity, uids: vec![expected[0], expected[6]] };
    let moved = mailbox.transfer(&gone, &"Archive".into(), TransferKind::Move).await;
    if moved.is_ok() {
        expected.remove(6);
    }
    append(mailbox, &folder, "Subject: late\r\n\r\nx\r\n", &[]).await;
    let (mut seen, mut after) = (first.envelopes, first.next);
    while after.is_some() {
        let next = mailbox.envelopes(&folder, &page(4, after)).await.unwrap();
        seen.extend(next.envelopes);
        after = next.next;
    }
    assert_eq!(seen.iter().map(|(uid, _)| *uid).collect::<Vec<_>>(), expected);
    assert_eq!(seen[0].1.from[0].email, "p8@example.org");
    let stale = first.next.map(|cursor| PageCursor { uid_validity: cursor.uid_validity + 1, ..cursor });
    assert_eq!(mailbox.envelopes(&folder, &page(4, stale)).await, Err(MailError::Stale));
    let missing = mailbox.envelopes(&"Nowhere".into(), &page(4, None)).await;
    assert!(matches!(missing, Err(MailError::NoFolder)), "{missing:?}");
    mailbox.delete_folder(&folder).await.unwrap();
}

/// 2025-01-01: servers do not take dates of the future.
const THEN: Timestamp = Timestamp(1_735_689_600_000);

async fn pages(stage: Stage<'_>, folder: &str, limit: u32) -> Vec<u32> {
    paged(limit, async |page: Page| stage.mailbox.list(&folder.into(), &page).await.unwrap()).await
}

/// The same, of a search that all messages match.
async fn found(stage: Stage<'_>, folder: &str, limit: u32) -> Vec<u32> {
    let criterion = Criterion::Subject("day".into());
    paged(limit, async |page: Page| stage.mailbox.search(&folder.into(), &criterion, &page).await.unwrap())
        .await
}

async fn paged(limit: u32, ask: impl AsyncFn(Page) -> Listing) -> Vec<u32> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let listing = ask(page(limit, after)).await;
        assert!(listing.messages.len() <= limit as usize);
        let dates: Vec<_> = listing.messages.iter().map(|message| message.internal_date).collect();
        assert!(dates.is_sorted_by(|newer, older| newer >= older), "newest first");
        seen.extend(uids(&listing));
        after = listing.next.map(|next| next.to_string().parse().unwrap());
        if after.is_none() {
            return seen;
        }
    }
}

pub(super) async fn the_newest_come_first_whatever_their_uids(stage: Stage<'_>) {
    let Stage { mailbox, deliver, .. } = stage;
    // Days by UID: some are older than those before them.
    let tangled = [5, 6, 7, 1, 8, 9, 2, 2, 10, 0];
    let put = |folder: &str, day: i64| {
        deliver(folder, &format!("Subject: day {day}\r\n\r\nx\r\n"), THEN.plus_seconds(day * 86_400));
    };
    let by_date = |days: &[i64]| {
        let mut order: Vec<_> = (1u32..).zip(days).map(|(uid, day)| (*day, uid)).collect();
        order.sort_unstable_by(|one, two| two.cmp(one));
        order.into_iter().map(|(_, uid)| uid).collect::<Vec<_>>()
    };
    mailbox.create_folder(&"Tangled".into()).await.unwrap();
    for day in tangled {
        put("Tangled", day);
    }
    for limit in [3, 1, 10, 200] {
        assert_eq!(found(stage, "Tangled", limit).await, by_date(&tangled), "matches by {limit}");
    }
    for limit in [1, 3, 10, 200] {
        assert_eq!(pages(stage, "Tangled", limit).await, by_date(&tangled), "pages of {limit}");
    }
    // A straight folder becomes tangled, and stays right.
    mailbox.create_folder(&"Straight".into()).await.unwrap();
    let mut days: Vec<i64> = (0..12).collect();
    for day in &days {
        put("Straight", *day);
    }
    assert_eq!(pages(stage, "Straight", 5).await, by_date(&days));
    let first = mailbox.list(&"Straight".into(), &page(4, None)).await.unwrap();
    for day in [12, 3, 13] {
        put("Straight", day);
        days.push(day);
        assert_eq!(found(stage, "Straight", 5).await, by_date(&days), "found after day {day}");
        assert_eq!(pages(stage, "Straight", 5).await, by_date(&days), "after day {day}");
    }
    // A page begun before goes on where it stopped, and covers what was there then.
    let rest = mailbox.list(&"Straight".into(), &page(200, first.next)).await.unwrap();
    let rest: Vec<_> = uids(&rest).into_iter().filter(|uid| *uid <= 12).collect();
    assert_eq!(rest, (1..=8).rev().collect::<Vec<_>>());
    // Messages come and go between pages of a tangled folder.
    let first = mailbox.list(&"Tangled".into(), &page(4, None)).await.unwrap();
    assert_eq!(uids(&first), by_date(&tangled)[..4]);
    put("Tangled", 20);
    put("Tangled", -5);
    let gone = by_date(&tangled)[5];
    let moved = mailbox
        .transfer(&Messages::new("Tangled", None, &[gone]), &"Straight".into(), TransferKind::Move)
        .await;
    assert_eq!(moved.is_ok(), stage.abilities.uidplus);
    let rest = uids(&mailbox.list(&"Tangled".into(), &page(200, first.next)).await.unwrap());
    let mut expected = by_date(&tangled)[4..].to_vec();
    if stage.abilities.uidplus {
        expected.remove(1);
    }
    expected.push(12);
    assert_eq!(rest, expected);
    assert_eq!(uids(&mailbox.list(&"Tangled".into(), &page(1, None)).await.unwrap()), [11]);
    for folder in ["Tangled", "Straight"] {
        mailbox.delete_folder(&folder.into()).await.unwrap();
    }
}
