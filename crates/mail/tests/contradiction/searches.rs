//! Hits of a search are held against the messages they name.

use crate::house::{House, NEWEST, house};
use imapmcp_core::{
    mail::{
        Criterion, Flag, FlagChange, Listing, Locator, MailError, MessageRef, Messages, Page, ThreadScope,
        TransferKind,
    },
    time::Timestamp,
};
use imapmcp_testkit::servers::{Features, Lie};

fn features() -> [Features; 2] {
    [Features::modern(), Features::modern().without("ESEARCH")]
}

async fn found(house: &House, criterion: Criterion) -> Listing {
    house.mailbox.search(&"INBOX".into(), &criterion, &NEWEST).await.unwrap()
}

fn uids(listing: &Listing) -> Vec<u32> {
    listing.messages.iter().map(|message| message.uid).collect()
}

fn id(text: &str) -> Criterion {
    Criterion::Header("Message-ID", text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_finds_everything_finds_only_what_is_there() {
    for features in features() {
        let house = house(features).await;
        let all = house.fill(120);
        let flagged = FlagChange { add: vec![Flag::flagged()], remove: vec![] };
        house.mailbox.change_flags(&Messages::new("INBOX", None, &all[3..4]), &flagged).await.unwrap();
        house.server.lies([Lie::SearchesAll]);
        let nobody = Criterion::From("nobody@nowhere.example".into());
        let later = Criterion::Since(Timestamp::from_rfc3339("2030-01-01T00:00:00Z").unwrap());
        for criterion in [nobody.clone(), later, Criterion::Draft, id("<m1@y>"), Criterion::Larger(1 << 20)] {
            let none = found(&house, criterion.clone()).await;
            assert_eq!((uids(&none), none.total, none.next), (vec![], 0, None), "{criterion:?}");
        }
        // one is enough for whoever asks whether there is any
        let page = Page { limit: 1, after: None };
        let (one, turns) = house.turns(house.mailbox.search(&"INBOX".into(), &id("<m118@x>"), &page)).await;
        let one = one.unwrap();
        assert_eq!((uids(&one), one.total), (vec![all[118]], 1));
        assert!(turns <= 4, "{turns}");
        let none = house.mailbox.search(&"INBOX".into(), &id("<m118@z>"), &page).await.unwrap();
        assert_eq!((none.messages.len(), none.total), (0, 0));
        let starred = found(&house, Criterion::Flagged).await;
        assert_eq!((uids(&starred), starred.total), (vec![all[3]], 1));
        let seventh = found(&house, Criterion::Subject("number 7".into())).await;
        assert!(uids(&seventh).contains(&all[7]) && !uids(&seventh).contains(&all[8]), "{seventh:?}");
        let both = Criterion::And(vec![Criterion::Body("text".into()), nobody]);
        assert_eq!(found(&house, both).await.total, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_is_not_claimed() {
    let house = house(Features::modern()).await;
    house.fill(5);
    let body = Criterion::Body("text".into());
    assert_eq!(found(&house, body.clone()).await.total, 5, "an honest server may find all of them");
    house.server.lies([Lie::SearchesAll]);
    let refused = house.mailbox.search(&"INBOX".into(), &Criterion::Body("nowhere".into()), &NEWEST).await;
    assert!(matches!(refused, Err(MailError::Invalid(_))), "{refused:?}");
    let some = Criterion::And(vec![Criterion::Subject("number 3".into()), body]);
    let refused = house.mailbox.search(&"INBOX".into(), &some, &NEWEST).await;
    assert!(matches!(refused, Err(MailError::Invalid(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_that_do_not_exist_are_not_counted() {
    for features in features() {
        let house = house(features).await;
        let all = house.fill(5);
        let subject = Criterion::Subject("number".into());
        house.server.lies([Lie::SearchesFor((1..=40).chain(9_000..9_900).collect())]);
        let listing = found(&house, subject.clone()).await;
        assert_eq!((uids(&listing).len(), listing.total), (5, 5), "{listing:?}");
        house.server.lies([Lie::SearchesFor(vec![all[0], all[0], all[1], all[0]])]);
        assert_eq!(uids(&found(&house, subject.clone()).await), [all[1], all[0]], "each once");
        house.server.lies([Lie::SearchesNothing]);
        assert_eq!(found(&house, subject).await.total, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_behind_thousands_of_false_hits_is_found_in_one_call() {
    for features in features() {
        let house = house(features).await;
        let wanted = house.deliver("INBOX", "From: ada@example.org\r\nSubject: wanted\r\n\r\ntext\r\n", -1);
        house.fill(2_500);
        house.server.lies([Lie::SearchesAll]);
        let wish = Criterion::Subject("wanted".into());
        let (found, turns) = house.turns(found(&house, wish)).await;
        assert_eq!((uids(&found), found.next), (vec![wanted], None));
        // more and more at a time
        assert!(turns <= 14, "{turns}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_what_a_liar_finds_is_checked() {
    let house = house(Features::modern()).await;
    let all = house.fill(90);
    house.server.lies([Lie::SearchesAll]);
    // those with a 7 in their number
    let right: Vec<u32> =
        (0..90).rev().filter(|n: &usize| n.to_string().contains('7')).map(|n| all[n]).collect();
    let (mut page, mut came) = (Page { limit: 4, after: None }, Vec::new());
    for _ in 0..90 {
        let listing =
            house.mailbox.search(&"INBOX".into(), &Criterion::Subject("7".into()), &page).await.unwrap();
        came.extend(uids(&listing));
        page.after = listing.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(came, right);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_is_never_passed_off_as_another() {
    let house = house(Features::modern()).await;
    let all = house.fill(4);
    let listing = house.mailbox.list(&"INBOX".into(), &NEWEST).await.unwrap();
    let old = MessageRef { folder: "INBOX".into(), uid_validity: listing.uid_validity, uid: all[2] };
    let moved = house
        .mailbox
        .transfer(&Messages::new("INBOX", None, &[all[2]]), &"Archive".into(), TransferKind::Move)
        .await
        .unwrap();
    house.server.lies([Lie::SearchesAll]);
    assert_eq!(house.mailbox.find_again(&old).await, Ok(Some(moved.placed[0].1.clone())));
    house.server.lies([]);
    house.mailbox.expunge(&Messages::new("Archive", None, &[moved.placed[0].1.uid])).await.unwrap();
    house.deliver("Archive", "Message-ID: <other@x>\r\nSubject: other\r\n\r\nx\r\n", 9);
    house.server.lies([Lie::SearchesAll]);
    assert_eq!(house.mailbox.find_again(&old).await, Ok(None), "the only one there is another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_has_only_what_belongs_to_it() {
    let house = house(Features::modern()).await;
    house.fill(10);
    let first = house.deliver("INBOX", "Message-ID: <t0@x>\r\nSubject: talk\r\n\r\nx\r\n", 100);
    let reply = "Message-ID: <t1@x>\r\nReferences: <t0@x>\r\nSubject: Re: talk\r\n\r\nx\r\n";
    let second = house.deliver("INBOX", reply, 101);
    house.server.lies([Lie::SearchesAll]);
    let at = Locator { folder: "INBOX".into(), uid_validity: None, uid: first };
    let scope = ThreadScope { cross_folder: true, limit: 50, beginning: 0 };
    let thread = house.mailbox.thread(&at, &scope).await.unwrap();
    assert_eq!(thread.messages.iter().map(|one| one.at.uid).collect::<Vec<_>>(), [first, second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_stops_early_goes_on() {
    for features in features() {
        let house = house(features).await;
        let all = house.fill(28);
        for limit in [10, 3, 27] {
            house.server.lies([Lie::Limits(limit)]);
            let listing = found(&house, Criterion::Subject("number".into())).await;
            assert_eq!((listing.total, uids(&listing).len(), listing.exact), (28, 28, true), "{limit}");
            assert!(uids(&listing).is_sorted_by(|a, b| a > b));
        }
        house.server.lies([Lie::Limits(1)]);
        let listing = found(&house, Criterion::Subject("number".into())).await;
        assert!(!listing.exact, "that it was cut short is said");
        assert!(listing.total < 28 && uids(&listing)[0] == all[27]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_answer_does_not_cost_the_account_its_alphabet() {
    let house = house(Features::modern()).await;
    house.deliver("INBOX", "Subject: =?utf-8?Q?=C3=9Cbersicht?=\r\n\r\nМосква\r\n", 1);
    house.server.lies([Lie::Misunderstands("SEARCH")]);
    assert!(
        house
            .mailbox
            .search(&"INBOX".into(), &Criterion::Subject("Übersicht".into()), &NEWEST)
            .await
            .is_err()
    );
    let at = Locator { folder: "INBOX".into(), uid_validity: None, uid: 1 };
    let scope = ThreadScope { cross_folder: true, limit: 50, beginning: 0 };
    house.mailbox.thread(&at, &scope).await.unwrap();
    house.server.lies([]);
    assert_eq!(found(&house, Criterion::Body("Москва".into())).await.total, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_searches_proves_it_once_and_not_for_every_page() {
    let house = house(Features::modern()).await;
    house.fill(260);
    for (criterion, canary) in [
        (Criterion::Unseen, "SEEN UNSEEN"),
        (Criterion::Smaller(1_000_000), "SEEN UNSEEN"),
        (Criterion::Subject("number".into()), "nobody-has-this"),
    ] {
        house.server.take_commands();
        let mut page = Page { limit: 50, after: None };
        loop {
            let listing = house.mailbox.search(&"INBOX".into(), &criterion, &page).await.unwrap();
            assert_eq!((listing.total, listing.exact), (260, true));
            page.after = listing.next;
            if page.after.is_none() {
                break;
            }
        }
        let commands = house.server.take_commands();
        let asked = commands.iter().filter(|command| command.contains(canary)).count();
        assert!(asked <= 1, "{criterion:?}: {commands:?}");
        assert!(commands.iter().filter(|command| command.contains("nobody-has-this")).count() <= asked);
    }
}
