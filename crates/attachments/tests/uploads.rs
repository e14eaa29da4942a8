//! Upload links: to whom they belong, how often they work, how long, and what is left behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use imapmcp_attachments::{LIFETIME_SECONDS, MAX_UPLOAD, UPLOAD_SECONDS, UploadError, Uploaded, Uploads};
use imapmcp_core::{
    id::ClientId,
    oauth::{Grant, Principal},
    store::{GrantRepository, ParcelRepository, PersonalTokenRepository, UserRepository},
    time::{Clock, Timestamp},
    user::User,
};
use imapmcp_parcels::Parcels;
use imapmcp_storage::Database;
use imapmcp_testhouse::{add_owner, bearer, ground, no_servers};
use imapmcp_testkit::{FakeClock, builders};
use std::{convert::Infallible, sync::Arc};
use tokio::sync::Notify;

struct House {
    uploads: Uploads,
    parcels: Parcels,
    database: Arc<Database>,
    clock: Arc<FakeClock>,
    owner: Principal,
}

async fn house() -> House {
    let clock = Arc::new(FakeClock::default());
    let ground = ground(&no_servers(), clock.clone()).await;
    let owner = add_owner(&ground).await;
    let parcels = ground.parcels();
    House { uploads: ground.uploads(&parcels), parcels, database: ground.database, clock, owner }
}

fn body(octets: &[u8]) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    stream::iter(octets.chunks(100_000).map(|piece| Ok(piece.to_vec().into())).collect::<Vec<_>>())
}

impl House {
    async fn token(&self, size: Option<u64>) -> (imapmcp_core::id::UploadId, String) {
        let made = self.uploads.create(&self.owner, "日本.bin", "image/png", size).await.unwrap();
        (made.id, made.link.url.strip_prefix("https://mail.example/uploads/").unwrap().to_owned())
    }

    async fn send(&self, token: &str, octets: &[u8]) -> Result<Uploaded, UploadError> {
        self.uploads.receive(token, None, body(octets)).await
    }

    /// Parcels that nobody needs, and that are swept away now.
    async fn left_behind(&self) -> usize {
        self.database.sweep_parcels(Timestamp(0), Timestamp(i64::MAX)).await.unwrap()
    }
}

#[tokio::test]
async fn a_file_is_taken_once_and_found_by_its_own_grant_for_an_hour() {
    let house = house().await;
    let octets: Vec<u8> = (0..700_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let (id, token) = house.token(None).await;
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{token}");
    assert_eq!(house.uploads.find(&house.owner, &id).await.unwrap(), None, "not here yet");
    let file = house.send(&token, &octets).await.unwrap();
    assert_eq!((file.filename.as_str(), file.content_type.as_str()), ("日本.bin", "image/png"));
    assert!(matches!(house.send(&token, &octets).await, Err(UploadError::Complete)));
    assert_eq!(house.uploads.find(&house.owner, &id).await.unwrap().as_ref(), Some(&file));
    let read: Vec<_> = house.uploads.octets(&house.owner, &file).pieces().try_collect().await.unwrap();
    assert!(read.concat() == octets);

    let user = house.owner.user.clone();
    let other = builders::grant("other", &user, &ClientId::personal());
    assert_eq!(house.uploads.find(&bearer(&other), &id).await.unwrap(), None, "another grant");
    let stranger = builders::grant("g", &builders::user_id("stranger"), &ClientId::personal());
    assert_eq!(house.uploads.find(&bearer(&stranger), &id).await.unwrap(), None, "another user");

    house.clock.advance_seconds(UPLOAD_SECONDS - 1);
    assert_eq!(house.parcels.sweep().await.unwrap(), 0);
    assert!(house.uploads.find(&house.owner, &id).await.unwrap().is_some());
    house.clock.advance_seconds(1);
    assert_eq!(house.uploads.find(&house.owner, &id).await.unwrap(), None);
    assert_eq!((house.uploads.sweep().await.unwrap(), house.parcels.sweep().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn a_link_dies_after_fifteen_minutes_with_its_grant_and_with_any_change() {
    let house = house().await;
    let (_, token) = house.token(None).await;
    for place in [0, token.len() / 2, token.len() - 1] {
        let mut altered = token.clone().into_bytes();
        altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(matches!(house.send(&altered, b"x").await, Err(UploadError::Expired)), "{place}");
    }
    house.clock.advance_seconds(LIFETIME_SECONDS);
    assert!(matches!(house.send(&token, b"x").await, Err(UploadError::Expired)));
    let (_, token) = house.token(None).await;
    house.database.revoke_grant(&house.owner.user, &house.owner.grant, house.clock.now()).await.unwrap();
    assert!(matches!(house.send(&token, b"x").await, Err(UploadError::Expired)));
    assert_eq!(house.left_behind().await, 0);
}

#[tokio::test]
async fn what_does_not_arrive_whole_is_not_kept_and_may_be_sent_again() {
    let house = house().await;
    let (id, token) = house.token(Some(300_000)).await;
    let octets = vec![7; 300_001];
    let broken = stream::iter([Ok(Bytes::from(octets.clone()).slice(..290_000)), Err("reset")]);
    assert!(matches!(house.uploads.receive(&token, None, broken).await, Err(UploadError::Broken)));
    assert!(matches!(house.send(&token, &octets).await, Err(UploadError::TooLarge { max_octets: 300_000 })));
    let announced = house.uploads.receive(&token, Some(300_001), body(&octets)).await;
    assert!(matches!(announced, Err(UploadError::TooLarge { .. })));
    let short = house.uploads.receive(&token, Some(5), body(b"four")).await;
    assert!(matches!(short, Err(UploadError::Broken)));
    let silent = body(b"x").chain(stream::pending());
    assert!(matches!(house.uploads.receive(&token, None, silent).await, Err(UploadError::TooSlow)));
    let clock = house.clock.clone();
    let crawling = body(&octets[1..]).inspect(move |_| clock.advance_seconds(400));
    assert!(matches!(house.uploads.receive(&token, None, crawling).await, Err(UploadError::TooSlow)));
    assert_eq!(house.left_behind().await, 0);
    assert_eq!(house.uploads.find(&house.owner, &id).await.unwrap(), None);

    // a sender that was taken for gone comes too late
    let (id, token) = house.token(Some(300_000)).await;
    let (began, done) = (Notify::new(), Notify::new());
    let slow = stream::once(async {
        began.notify_one();
        Ok::<_, Infallible>(Bytes::from_static(b"first"))
    })
    .chain(stream::once(async {
        done.notified().await;
        Ok(Bytes::new())
    }));
    let (first, second) = tokio::join!(house.uploads.receive(&token, None, slow), async {
        began.notified().await;
        let second = house.send(&token, &octets[1..]).await;
        done.notify_one();
        second
    });
    assert!(matches!(first, Err(UploadError::Complete)), "{first:?}");
    assert_eq!(house.uploads.find(&house.owner, &id).await.unwrap(), Some(second.unwrap()));
    assert_eq!(house.left_behind().await, 1, "the file alone");
}

#[tokio::test]
async fn nobody_opens_more_uploads_than_the_house_can_hold() {
    let house = house().await;
    for _ in 0..8 {
        house.token(None).await;
    }
    let ninth = house.uploads.create(&house.owner, "a", "image/png", None).await;
    assert!(matches!(ninth, Err(UploadError::TooMany)), "{ninth:?}");
    let large = house.uploads.create(&house.owner, "a", "image/png", Some(MAX_UPLOAD + 1)).await;
    assert!(matches!(large, Err(UploadError::TooLarge { .. })), "{large:?}");
    house.clock.advance_seconds(LIFETIME_SECONDS);
    for _ in 0..20 {
        house.token(Some(1)).await;
    }
    let more = house.uploads.create(&house.owner, "a", "image/png", Some(1)).await;
    assert!(matches!(more, Err(UploadError::TooMany)), "{more:?}");
}

#[tokio::test]
async fn a_file_within_a_call_counts_while_it_is_there_and_is_forgotten_with_its_octets() {
    let house = house().await;
    let (uploads, owner) = (&house.uploads, &house.owner);
    let octets = vec![7; 700_000];
    let id = uploads.name();
    let mut arriving = uploads.begin(owner, &id, 700_000).await.unwrap();
    assert_eq!(uploads.find(owner, &id).await.unwrap(), None, "not here yet");
    for piece in octets.chunks(100_000) {
        arriving.push(piece).await.unwrap();
    }
    let more = arriving.push(b"x").await;
    assert!(matches!(more, Err(UploadError::TooLarge { max_octets: 700_000 })), "{more:?}");
    assert_eq!(arriving.octets(), 700_000);
    uploads.complete(arriving).await.unwrap();
    let file = uploads.find(owner, &id).await.unwrap().unwrap();
    let read: Vec<_> = uploads.octets(owner, &file).pieces().try_collect().await.unwrap();
    assert!(read.concat() == octets);
    let stranger = builders::user_id("stranger");
    uploads.forget(&stranger, &id).await.unwrap();
    assert!(uploads.find(owner, &id).await.unwrap().is_some(), "not a stranger's to forget");
    uploads.forget(&owner.user, &id).await.unwrap();
    assert_eq!(uploads.find(owner, &id).await.unwrap(), None);
    assert_eq!(house.left_behind().await, 0);

    // unfinished ones count too, until they are forgotten or have lapsed
    let mut open = Vec::new();
    for _ in 0..8 {
        let id = uploads.name();
        uploads.begin(owner, &id, MAX_UPLOAD).await.unwrap().push(&octets).await.unwrap();
        open.push(id);
    }
    let begin = async || uploads.begin(owner, &uploads.name(), 1).await.map(|_| ());
    assert!(matches!(begin().await, Err(UploadError::TooMany)));
    assert_eq!(house.left_behind().await, 8, "the ninth left nothing");
    uploads.forget(&owner.user, &open[0]).await.unwrap();
    begin().await.unwrap();
    let late = uploads.name();
    let arriving = {
        uploads.forget(&owner.user, &open[1]).await.unwrap();
        uploads.begin(owner, &late, 1).await.unwrap()
    };
    house.clock.advance_seconds(LIFETIME_SECONDS);
    assert!(matches!(uploads.complete(arriving).await, Err(UploadError::Expired)));
    begin().await.unwrap();
}

#[tokio::test]
async fn an_upload_link_is_dead_while_its_user_is_disabled_or_its_grant_has_lapsed() {
    let mut house = house().await;
    let now = house.clock.now();
    for (name, disabled_at, expires_at) in
        [("fine", None, None), ("disabled", Some(now), None), ("lapsed", None, Some(now))]
    {
        let user = User { disabled_at, ..builders::user(name) };
        house.database.add_user(&user).await.unwrap();
        let grant = Grant { expires_at, ..builders::grant(name, &user.id, &ClientId::personal()) };
        house.database.add_personal_token(&grant, &builders::personal_token(name, &grant)).await.unwrap();
        house.owner = bearer(&grant);
        let (_, token) = house.token(None).await;
        let sent = house.send(&token, b"octets").await;
        assert_eq!(matches!(sent, Err(UploadError::Expired)), name != "fine", "{name}: {sent:?}");
    }
}
