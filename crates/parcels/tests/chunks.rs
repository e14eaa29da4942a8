//! What was put in comes out, and nothing that was tampered with does: on both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::TryStreamExt;
use imapmcp_core::{
    id::UserId,
    octets::{Parcel, ReadError},
    secret::Sealed,
    store::{ParcelRepository, UserRepository},
};
use imapmcp_parcels::{CHUNK, LIFETIME_SECONDS, Parcels, ParcelsDeps};
use imapmcp_storage::Database;
use imapmcp_testkit::{
    FakeClock,
    builders::{self, NOON},
    postgres::Postgres,
};
use imapmcp_vault::{KeyRing, RingVault, SystemEntropy};
use std::sync::Arc;

struct House {
    database: Arc<Database>,
    parcels: Parcels,
    clock: Arc<FakeClock>,
    owner: UserId,
    other: UserId,
}

impl House {
    async fn new(url: &str) -> Self {
        let database = Arc::new(Database::open(&url.parse().unwrap()).await.unwrap());
        database.migrate().await.unwrap();
        let (owner, other) = (builders::user("owner"), builders::user("other"));
        database.add_user(&owner).await.unwrap();
        database.add_user(&other).await.unwrap();
        let entropy = Arc::new(SystemEntropy);
        let ring = KeyRing::generate(&*entropy);
        let vault = RingVault::open(&ring, &[ring.first_record(NOON)], entropy.clone()).unwrap();
        let clock = Arc::new(FakeClock::default());
        let parcels = Parcels::new(ParcelsDeps {
            repository: database.clone(),
            vault: Arc::new(vault),
            clock: clock.clone(),
            entropy,
        });
        Self { database, parcels, clock, owner: owner.id, other: other.id }
    }

    async fn put(&self, octets: &[u8], size: usize) -> Parcel {
        let mut writer = self.parcels.write(&self.owner).await.unwrap();
        for piece in octets.chunks(size) {
            writer.push(piece).await.unwrap();
        }
        writer.finish().await.unwrap()
    }

    async fn get(&self, parcel: &Parcel) -> Result<Vec<u8>, ReadError> {
        let pieces: Vec<_> = self.parcels.read(&self.owner, parcel).try_collect().await?;
        assert!(pieces.iter().all(|piece| piece.len() <= CHUNK));
        Ok(pieces.concat())
    }

    async fn chunk(&self, parcel: &Parcel, position: u32) -> Sealed {
        self.database.find_chunk(&self.owner, &parcel.id, position).await.unwrap().unwrap()
    }

    /// A parcel of the same identifier with other chunks in its places.
    async fn refill(&self, parcel: &Parcel, chunks: &[&Sealed]) {
        assert!(self.database.remove_parcel(&self.owner, &parcel.id).await.unwrap());
        let later = NOON.plus_seconds(100);
        self.database.add_parcel(&self.owner, &parcel.id, later).await.unwrap();
        for (position, chunk) in (0..).zip(chunks) {
            assert!(self.database.add_chunk(&self.owner, &parcel.id, position, chunk, later).await.unwrap());
        }
    }
}

fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251).to_le_bytes()[0]).collect()
}

async fn everything(url: &str) {
    let house = House::new(url).await;
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
        let whole = octets(length);
        for size in [length.max(1), 100_003] {
            let parcel = house.put(&whole, size).await;
            assert_eq!((parcel.octets, parcel.chunks as usize), (length as u64, length.div_ceil(CHUNK)));
            assert_eq!(house.get(&parcel).await.unwrap(), whole);
            assert_eq!(house.get(&parcel).await.unwrap(), whole, "and again");
        }
    }

    let whole = octets(2 * CHUNK + 5);
    let parcel = house.put(&whole, CHUNK).await;
    let theirs: Result<Vec<_>, _> = house.parcels.read(&house.other, &parcel).try_collect().await;
    assert_eq!(theirs, Err(ReadError::Broken), "another user's");
    let (one, two, three) =
        (house.chunk(&parcel, 0).await, house.chunk(&parcel, 1).await, house.chunk(&parcel, 2).await);
    let mut flipped = two.clone();
    let last = flipped.0.len() - 40;
    flipped.0[last] ^= 1;
    let alike = house.put(&whole, CHUNK).await;
    let foreign = house.chunk(&alike, 1).await;
    for (what, chunks) in [
        ("swapped", [&two, &one, &three].as_slice()),
        ("repeated", &[&one, &one, &three]),
        ("flipped", &[&one, &flipped, &three]),
        ("of another parcel", &[&one, &foreign, &three]),
        ("cut off", &[&one, &two]),
        ("left out", &[&one, &three]),
        ("gone", &[]),
    ] {
        house.refill(&parcel, chunks).await;
        assert_eq!(house.get(&parcel).await, Err(ReadError::Broken), "{what}");
    }
    house.refill(&parcel, &[&one, &two, &three]).await;
    assert_eq!(house.get(&parcel).await.unwrap(), whole);
    // the one who refers to it is believed, and nobody else
    let shorter = Parcel { chunks: 2, ..parcel.clone() };
    assert_eq!(house.get(&shorter).await, Err(ReadError::Broken));

    house.clock.advance_seconds(LIFETIME_SECONDS);
    assert!(house.parcels.sweep().await.unwrap() >= 2, "what nobody refers to lapses");
    assert_eq!(house.get(&alike).await, Err(ReadError::Broken));
}

#[tokio::test]
async fn on_sqlite() {
    everything("sqlite::memory:").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    let Some(mut server) = Postgres::start() else { return };
    everything(&server.database("parcels")).await;
}
