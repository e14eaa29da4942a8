//! What is sealed opens where it belongs and nowhere else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imapmcp_core::{
    secret::{Binding, ExposeSecret, Sealed, SealedColumn, Vault, VaultError},
    store::{KeyRecord, KeyState},
    time::Timestamp,
};
use imapmcp_testkit::{FakeClock, SeededEntropy};
use imapmcp_vault::{KeyRing, OpenError, RingVault, SystemEntropy, TokenError, kid_of};
use proptest::prelude::*;
use std::sync::Arc;

const HERE: Binding<'static> = Binding {
    column: SealedColumn::AccountCredential,
    row: "acc_1",
    user: "usr_1",
    context: "imap.example.com",
};

fn ring(seed: u64) -> KeyRing {
    KeyRing::generate(&SeededEntropy::new(seed))
}

fn open(ring: &KeyRing, records: &[KeyRecord]) -> Result<RingVault, OpenError> {
    RingVault::open(ring, records, Arc::new(SystemEntropy))
}

fn both(first: &KeyRing, second: &KeyRing) -> KeyRing {
    KeyRing::parse(&format!("{}{}", *first.to_text(), *second.to_text())).unwrap()
}

fn rest(record: KeyRecord, state: KeyState) -> KeyRecord {
    KeyRecord { state, ..record }
}

#[test]
fn a_value_opens_where_it_was_sealed_and_nowhere_else() {
    let vault = open(&ring(1), &[]).unwrap();
    let sealed = vault.seal(HERE, b"secret");
    assert_eq!(vault.open(HERE, &sealed).unwrap().expose_secret(), b"secret");
    for elsewhere in [
        Binding { column: SealedColumn::OutboxMessage, ..HERE },
        Binding { row: "acc_2", ..HERE },
        Binding { user: "usr_2", ..HERE },
        Binding { context: "imap.attacker.example", ..HERE },
        // The same characters, divided otherwise.
        Binding { row: "acc_1u", user: "sr_1", ..HERE },
    ] {
        assert_eq!(vault.open(elsewhere, &sealed).unwrap_err(), VaultError::Tampered, "{elsewhere:?}");
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let vault = open(&ring(1), &[]).unwrap();
    let sealed = vault.seal(HERE, b"secret");
    for place in 0..sealed.0.len() {
        for bit in 0..8 {
            let mut damaged = sealed.clone();
            damaged.0[place] ^= 1 << bit;
            assert!(vault.open(HERE, &damaged).is_err(), "octet {place}, bit {bit}");
        }
        assert!(vault.open(HERE, &Sealed(sealed.0[..place].to_vec())).is_err(), "cut at {place}");
    }
    let mut longer = sealed.clone();
    longer.0.push(0);
    assert!(vault.open(HERE, &longer).is_err());
}

#[test]
fn swapped_octets_are_noticed() {
    let vault = open(&ring(1), &[]).unwrap();
    let (one, two) = (vault.seal(HERE, b"one!"), vault.seal(HERE, b"two!"));
    assert_ne!(one.0, two.0);
    // The wrapped key of one value with the ciphertext of another.
    let half = one.0.len() - 12 - 4 - 16;
    let spliced = Sealed([&one.0[..half], &two.0[half..]].concat());
    assert_eq!(vault.open(HERE, &spliced).unwrap_err(), VaultError::Tampered);
}

#[test]
fn another_ring_does_not_open_it() {
    let (mine, other) = (ring(1), ring(2));
    let sealed = open(&mine, &[]).unwrap().seal(HERE, b"secret");
    let error = open(&other, &[]).unwrap().open(HERE, &sealed).unwrap_err();
    assert_eq!(error, VaultError::UnknownKey(mine.kids().next().unwrap().to_owned()));

    // The same identifier with another key.
    let impostor = other.to_text().replace(other.kids().next().unwrap(), mine.kids().next().unwrap());
    let impostor = KeyRing::parse(&impostor).unwrap();
    let error = open(&impostor, &[]).unwrap().open(HERE, &sealed).unwrap_err();
    assert_eq!(error, VaultError::Tampered);
}

#[test]
fn a_wrong_or_missing_key_is_refused_before_anything_is_sealed() {
    let (mine, other) = (ring(1), ring(2));
    let kid = mine.kids().next().unwrap();
    let known = [mine.first_record(Timestamp(0))];
    assert_eq!(open(&mine, &known).unwrap().active_kid(), kid);
    assert_eq!(open(&other, &known).unwrap_err(), OpenError::Missing(kid.to_owned()));
    let impostor = other.to_text().replace(other.kids().next().unwrap(), kid);
    let error = open(&KeyRing::parse(&impostor).unwrap(), &known).unwrap_err();
    assert_eq!(error, OpenError::Wrong(kid.to_owned()));
    let nothing_active = [rest(known[0].clone(), KeyState::DecryptOnly)];
    assert_eq!(open(&mine, &nothing_active).unwrap_err(), OpenError::NoActive);
}

#[test]
fn rotation_reseals_what_is_stale_and_retires_the_old_key() {
    let (old, new) = (ring(1), ring(2));
    let sealed = open(&old, &[]).unwrap().seal(HERE, b"secret");

    let ring = both(&old, &new);
    let new_kid = new.kids().next().unwrap();
    let mut records = [
        rest(old.first_record(Timestamp(0)), KeyState::DecryptOnly),
        rest(ring.further_record(new_kid, Timestamp(1)).unwrap(), KeyState::Active),
    ];
    let vault = open(&ring, &records).unwrap();
    assert!(vault.is_stale(&sealed));
    let resealed = vault.reseal(HERE, &sealed).unwrap().unwrap();
    assert_eq!(kid_of(&resealed), Some(new_kid));
    assert_eq!(vault.reseal(HERE, &resealed).unwrap(), None);
    assert_eq!(vault.open(HERE, &resealed).unwrap().expose_secret(), b"secret");

    records[0].state = KeyState::Retired;
    let vault = open(&new, &records).unwrap();
    assert!(matches!(vault.open(HERE, &sealed), Err(VaultError::UnknownKey(_))));
    assert!(vault.open(HERE, &resealed).is_ok());
}

#[test]
fn a_token_serves_one_purpose_until_it_lapses() {
    let clock = Arc::new(FakeClock::default());
    let vault = open(&ring(1), &[]).unwrap();
    let links = vault.tokens("attachment", clock.clone());
    let token = links.seal(b"usr_1 acc_1 2.1", 900);
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    assert_eq!(links.open(&token).unwrap(), b"usr_1 acc_1 2.1");
    assert_eq!(vault.tokens("cursor", clock.clone()).open(&token), Err(TokenError::Invalid));
    let stranger = open(&ring(2), &[]).unwrap().tokens("attachment", clock.clone());
    assert_eq!(stranger.open(&token), Err(TokenError::Invalid));
    for bad in ["", "A", "AAAA", "not base64!", &token[1..], &token[..token.len() - 4]] {
        assert_eq!(links.open(bad), Err(TokenError::Invalid), "{bad:?}");
    }
    clock.advance_seconds(899);
    assert!(links.open(&token).is_ok());
    clock.advance_seconds(1);
    assert_eq!(links.open(&token), Err(TokenError::Expired));
}

#[test]
fn debug_output_holds_no_key() {
    let ring = ring(1);
    let vault = open(&ring, &[]).unwrap();
    let text = ring.to_text();
    let key = text.trim_end().split_once(':').unwrap().1;
    let shown = format!("{ring:?} {vault:?} {:?}", vault.tokens("x", Arc::new(FakeClock::default())));
    assert!(!shown.contains(key) && shown.len() < 120, "{shown}");
}

proptest! {
    #[test]
    fn whatever_is_sealed_comes_back(plain: Vec<u8>, row in ".{0,40}", context in ".{0,80}") {
        let vault = open(&ring(3), &[]).unwrap();
        let binding = Binding { row: &row, context: &context, ..HERE };
        let sealed = vault.seal(binding, &plain);
        let opened = vault.open(binding, &sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), plain.as_slice());
    }

    #[test]
    fn no_octets_from_elsewhere_open_or_panic(octets: Vec<u8>) {
        let vault = open(&ring(3), &[]).unwrap();
        prop_assert!(vault.open(HERE, &Sealed(octets)).is_err());
    }
}
