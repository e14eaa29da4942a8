//! Files too large to be held: sealed in chunks before they leave, read again for every step.

use crate::world::{Answer, House, World, large, large_file};
use futures_util::TryStreamExt;
use imapmcp_core::{
    mail::SubmitError,
    oauth::{Principal, SendPolicy},
    octets::{Content, Octets, Parcel, Pieces, ReadError},
    outbox::{OutboxState, Trouble},
};
use imapmcp_delivery::{DeliveryError, ReleaseOutcome, Request};
use imapmcp_mime::compose::{self, ComposeError, Draft, MAX_ATTACHMENTS};
use std::sync::{Arc, atomic::Ordering};

/// Octets somewhere else, in small pieces.
struct Somewhere {
    octets: Vec<u8>,
    breaks: bool,
}

impl Octets for Somewhere {
    fn pieces(&self) -> Pieces {
        let pieces: Vec<_> = self.octets.chunks(10_007).map(|piece| Ok(piece.to_vec().into())).collect();
        let end = self.breaks.then_some(Err(ReadError::Unavailable));
        Box::pin(futures_util::stream::iter(pieces.into_iter().chain(end)))
    }
}

fn elsewhere(octets: Vec<u8>, identity: u8) -> Content {
    let octets = Arc::new(Somewhere { octets, breaks: false });
    Content::Elsewhere { octets, identity: [identity; 32] }
}

fn request(house: &House, subject: &str, content: Content) -> Request {
    let mut request = house.request(subject);
    request.letter.files.push(large_file(content));
    request
}

async fn sealed(house: &House, octets: &[u8]) -> Parcel {
    let mut writer = house.parcels.write(&house.principal.user).await.unwrap();
    writer.push(octets).await.unwrap();
    writer.finish().await.unwrap()
}

fn attached(message: &[u8]) -> Vec<u8> {
    match compose::parse(message).letter.files.remove(0).content {
        Content::Memory(octets) => octets.to_vec(),
        other => panic!("{other:?}"),
    }
}

async fn parcels(house: &House) -> usize {
    // everything that nobody holds is gone
    let later = imapmcp_core::time::Timestamp(i64::MAX);
    house.outbox.database.sweep_parcels(imapmcp_core::time::Timestamp(0), later).await.unwrap()
}

use imapmcp_core::store::ParcelRepository as _;

#[tokio::test]
async fn a_large_file_arrives_and_is_filed_wherever_it_came_from() {
    let world = World::new();
    let house = world.house().await;
    let octets = large();
    let parcel = sealed(&house, &octets).await;
    for (subject, content) in [
        ("memory", Content::Memory(octets.clone().into())),
        ("elsewhere", elsewhere(octets.clone(), 1)),
        ("sealed", Content::Sealed(parcel.clone())),
        ("small and sealed", Content::Sealed(sealed(&house, b"little").await)),
        ("small and elsewhere", elsewhere(b"little".to_vec(), 2)),
    ] {
        let mut request = request(&house, subject, content);
        request.letter.bcc = vec![compose::NamedAddress::parse("hidden@example.org").unwrap()];
        let receipt = house.delivery.send(&house.principal, request).await.unwrap();
        assert_eq!(receipt.state, OutboxState::Done, "{subject}");
        let (sent, copy) = (world.server.last(), world.sent.last());
        let expected: &[u8] = if subject.starts_with("small") { b"little" } else { &octets };
        assert_eq!(attached(&sent), expected, "{subject}");
        assert_eq!([b"Bcc: hidden@example.org\r\n", &sent[..]].concat(), copy, "{subject}");
        assert!(sent.split(|octet| *octet == b'\n').all(|line| line.len() < 80 || line.starts_with(b" ")));
    }
    // what was uploaded is still the uploader's; what was made for a message went into its record
    let pieces: Vec<_> = house.parcels.read(&house.principal.user, &parcel).try_collect().await.unwrap();
    assert_eq!(pieces.concat(), octets);
    assert_eq!(parcels(&house).await, 0, "all are held by their messages");
    world.clock.advance_seconds(3601);
    assert_eq!(house.parcels.sweep().await.unwrap(), 4, "an hour after the end nobody needs them");
}

#[tokio::test]
async fn the_same_file_again_is_the_same_send() {
    let world = World::new();
    let house = world.house().await;
    let octets = large();
    let (one, other) = (sealed(&house, &octets).await, sealed(&house, &octets).await);
    let send = async |content| house.delivery.send(&house.principal, request(&house, "Twice", content)).await;
    let first = send(Content::Sealed(one)).await.unwrap();
    let again = send(Content::Sealed(other)).await.unwrap();
    assert_eq!((again.id, again.repeated), (first.id, true));
    let first = send(elsewhere(octets.clone(), 1)).await.unwrap();
    let again = send(elsewhere(octets.clone(), 1)).await.unwrap();
    assert_eq!((&again.id, again.repeated), (&first.id, true));
    assert_ne!(send(elsewhere(octets, 2)).await.unwrap().id, first.id);
    assert_eq!(world.server.taken().len(), 3);
    assert_eq!(parcels(&house).await, 1, "that of the second upload; what was made for a repetition is gone");
}

#[tokio::test]
async fn what_cannot_be_read_is_not_sent() {
    let world = World::new();
    let house = world.house().await;
    let send = async |content| house.delivery.send(&house.principal, request(&house, "No", content)).await;
    let broken = Arc::new(Somewhere { octets: large(), breaks: true });
    let error = send(Content::Elsewhere { octets: broken, identity: [0; 32] }).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Store(_)), "{error:?}");
    let lapsed = sealed(&house, &large()).await;
    house.parcels.discard(&house.principal.user, &lapsed.id).await;
    let error = send(Content::Sealed(lapsed)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Lapsed), "{error:?}");
    let error = send(elsewhere(vec![7; MAX_ATTACHMENTS + 1], 3)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Compose(ComposeError::TooLarge)), "{error:?}");
    assert!(world.server.taken().is_empty());
    assert_eq!(parcels(&house).await, 0, "nothing is left behind");
}

#[tokio::test]
async fn a_held_message_is_previewed_and_leaves_later() {
    let world = World::new();
    let house = world.house().await;
    let approval = Principal { send_policy: SendPolicy::Approval, ..house.principal.clone() };
    let request = request(&house, "Approve me", elsewhere(large(), 1));
    let receipt = house.delivery.send(&approval, request).await.unwrap();
    world.clock.advance_seconds(7200);
    house.parcels.sweep().await.unwrap();
    let user = &house.principal.user;
    let preview = house.delivery.preview(user, &receipt.id).await.unwrap().unwrap();
    let file = &preview.shown.files[0];
    assert_eq!((preview.shown.text.as_deref(), file.name.as_str()), (Some("Hi"), "large.bin"));
    assert_eq!(file.octets, large().len() as u64, "a file that lies elsewhere is told with its size");
    let whole = house.delivery.message(user, &receipt.id).await.unwrap().unwrap().collect().await.unwrap();
    assert_eq!(attached(&whole), large());
    let released = house.delivery.release(user, &receipt.id).await.unwrap();
    assert_eq!(released, Some(ReleaseOutcome::Released));
    // the database is away while it is read, and comes back
    house.outbox.hides.store(true, Ordering::SeqCst);
    house.delivery.sweep().await.unwrap();
    let entry = house.entry(&receipt.id).await;
    assert_eq!(
        (entry.state, entry.last_error.as_ref().map(Trouble::code).as_deref()),
        (OutboxState::Queued, Some("unreadable"))
    );
    house.outbox.hides.store(false, Ordering::SeqCst);
    world.server.will(Answer::Fails(SubmitError::Deferred { code: 451, enhanced: None }));
    for _ in 0..2 {
        world.clock.advance_seconds(600);
        house.delivery.sweep().await.unwrap();
    }
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
    assert_eq!(world.server.last(), whole, "the octets were fixed before the first try");
}

#[tokio::test]
async fn a_draft_is_written_and_leaves_nothing_behind() {
    let world = World::new();
    let house = world.house().await;
    let mut letter = house.request("Draft").letter;
    letter.files.push(large_file(elsewhere(large(), 1)));
    let now = imapmcp_testkit::builders::NOON;
    let draft = Draft::new(&house.account, letter, now, &imapmcp_vault::SystemEntropy).unwrap();
    let written = house.delivery.write_draft(&house.principal.user, &draft).await.unwrap();
    let message = written.message.collect().await.unwrap();
    assert_eq!((message.len() as u64, attached(&message)), (written.message.length(), large()));
    house.delivery.discard(written).await;
    assert_eq!(parcels(&house).await, 0);
}
