//! One message that cannot be had does not take its folder along.

use crate::house::{House, NEWEST, house};
use imapmcp_core::mail::{Criterion, Listing, Locator, MailError, Omitted, Page, ThreadScope};
use imapmcp_testkit::servers::{Features, Lie, Refuses};

/// Codes a FETCH is refused with.
const CODES: [&str; 3] = ["[UNAVAILABLE]", "[SERVERBUG]", ""];
const WAYS: [Refuses; 2] = [Refuses::LeavesOut, Refuses::Stops];

fn refused(code: &str) -> MailError {
    let condition = (!code.is_empty()).then(|| code.trim_matches(['[', ']']).to_owned());
    MailError::Refused { condition }
}

fn uids(listing: &Listing) -> Vec<u32> {
    let mut uids: Vec<u32> = listing.messages.iter().map(|message| message.uid).collect();
    uids.sort_unstable();
    uids
}

fn but(all: &[u32], bad: &[u32]) -> Vec<u32> {
    all.iter().copied().filter(|uid| !bad.contains(uid)).collect()
}

fn named(omitted: &[Omitted]) -> Vec<u32> {
    let mut uids: Vec<u32> = omitted.iter().map(|one| one.uid.unwrap()).collect();
    uids.sort_unstable();
    uids
}

fn at(uid: u32) -> Locator {
    Locator { folder: "INBOX".into(), uid_validity: None, uid }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_are_listed_and_the_gap_is_named() {
    for (code, how) in CODES.into_iter().flat_map(|code| WAYS.map(|how| (code, how))) {
        let house = house(Features::modern()).await;
        let all = house.fill(8);
        for bad in [vec![all[3]], vec![all[0]], vec![all[7]], vec![all[2], all[5], all[6]]] {
            let told = format!("{code} {how:?} {bad:?}");
            house.server.lies(bad.iter().map(|uid| Lie::Unfetchable(*uid, how, code)));
            for round in 0..2 {
                let (listing, turns) = house.turns(house.mailbox.list(&"INBOX".into(), &NEWEST)).await;
                let listing = listing.unwrap();
                assert_eq!((uids(&listing), listing.total), (but(&all, &bad), 8), "{told} {round}");
                assert_eq!(named(&listing.omitted), bad, "{told} {round}");
                assert!(listing.omitted.iter().all(|one| one.reason == refused(code)), "{told}");
                assert!(turns <= 12, "{told}: {turns}");
            }
            let subject = Criterion::Subject("number".into());
            let found = house.mailbox.search(&"INBOX".into(), &subject, &NEWEST).await.unwrap();
            assert_eq!((uids(&found), named(&found.omitted)), (but(&all, &bad), bad.clone()), "{told}");
            let one = house.mailbox.message(&at(bad[0]), 0).await;
            assert_eq!(one.unwrap_err(), refused(code), "{told}");
            assert!(house.mailbox.message(&at(all[1]), 0).await.is_ok(), "{told}: the account goes on");
        }
    }
}

async fn pages(house: &House, limit: u32) -> (Vec<u32>, Vec<u32>) {
    let (mut came, mut omitted, mut after) = (Vec::new(), Vec::new(), None);
    for _ in 0..60 {
        let listing = house.mailbox.list(&"INBOX".into(), &Page { limit, after }).await.unwrap();
        came.extend(listing.messages.iter().map(|message| message.uid));
        omitted.extend(named(&listing.omitted));
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    came.sort_unstable();
    omitted.sort_unstable();
    omitted.dedup();
    (came, omitted)
}

#[tokio::test(flavor = "multi_thread")]
async fn paging_over_gaps_loses_and_doubles_nothing() {
    for tangled in [false, true] {
        for limit in [1, 3, 4, 50] {
            let house = house(Features::modern()).await;
            let mut all = Vec::new();
            for number in 0..12 {
                let second = if tangled { 100 - number * 7 % 13 } else { number };
                all.push(house.deliver("INBOX", &format!("Subject: {number}\r\n\r\nx\r\n"), second));
            }
            let bad = vec![all[0], all[4], all[5], all[11]];
            house.server.lies(bad.iter().map(|uid| Lie::Unfetchable(*uid, Refuses::Stops, "[UNAVAILABLE]")));
            let (came, omitted) = pages(&house, limit).await;
            assert_eq!((came, omitted), (but(&all, &bad), bad), "tangled {tangled}, {limit} at a time");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_had_that_is_the_answer() {
    let house = house(Features::modern()).await;
    let all = house.fill(40);
    house.server.lies(all.iter().map(|uid| Lie::Unfetchable(*uid, Refuses::Stops, "[UNAVAILABLE]")));
    let (nothing, turns) = house.turns(house.mailbox.list(&"INBOX".into(), &NEWEST)).await;
    assert_eq!(nothing.unwrap_err(), refused("[UNAVAILABLE]"));
    assert!(turns <= 8, "{turns}");
    house.server.lies([]);
    assert_eq!(
        house.mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap().messages.len(),
        40,
        "and nobody waits"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_stops_early_goes_on() {
    for announced in [false, true] {
        let features =
            if announced { Features::modern().with("MESSAGELIMIT=10") } else { Features::modern() };
        let house = house(features).await;
        let all = house.fill(30);
        house.server.lies([Lie::Limits(10)]);
        for _ in 0..2 {
            let listing = house.mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap();
            assert_eq!((uids(&listing), listing.omitted.len()), (all.clone(), 0), "{announced}");
        }
        assert_eq!(pages(&house, 7).await, (all, vec![]), "{announced}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_without_the_message_that_cannot_be_had() {
    let house = house(Features::modern()).await;
    let message = |number: u32| match number {
        0 => "Message-ID: <t0@x>\r\nSubject: talk\r\n\r\nx\r\n".to_owned(),
        number => {
            format!("Message-ID: <t{number}@x>\r\nReferences: <t0@x>\r\nSubject: Re: talk\r\n\r\nx\r\n")
        }
    };
    let all: Vec<u32> =
        (0..5).map(|number| house.deliver("INBOX", &message(number), number.into())).collect();
    for how in WAYS {
        house.server.lies([Lie::Unfetchable(all[2], how, "[UNAVAILABLE]")]);
        let scope = ThreadScope { cross_folder: true, limit: 50, beginning: 0 };
        let thread = house.mailbox.thread(&at(all[0]), &scope).await.unwrap();
        let came: Vec<u32> = thread.messages.iter().map(|one| one.at.uid).collect();
        assert_eq!((came, thread.omitted > 0), (but(&all, &[all[2]]), true), "{how:?}");
        assert_eq!(thread.skipped, [""; 0]);
    }
}
