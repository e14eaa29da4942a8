//! Whatever octets come as a token: nothing opens that was not sealed here for this purpose. Half a second each, and as
//! long as `BOLERO_RANDOM_TEST_TIME_MS` says; the corpus lies beside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use imapmcp_testkit::{FakeClock, SeededEntropy};
use imapmcp_vault::{KeyRing, RingVault, SignedTokens, TokenError};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

const TIME: Duration = Duration::from_millis(500);
const PAYLOAD: &[u8] = br#"{"u":"usr_1","g":"gra_1","a":"acc_1","f":"INBOX","v":1,"i":7}"#;

struct House {
    clock: Arc<FakeClock>,
    vault: RingVault,
}

impl House {
    fn new(seed: u64) -> Self {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let vault = RingVault::open(&KeyRing::generate(&*entropy), &[], entropy).unwrap();
        Self { clock: Arc::default(), vault }
    }

    fn tokens(&self, purpose: &'static str) -> SignedTokens {
        self.vault.tokens(purpose, self.clock.clone())
    }
}

#[test]
fn fuzz_no_octets_open_that_were_not_sealed_here() {
    let house = House::new(1);
    let (tokens, others) = (house.tokens("attachments"), house.tokens("cursors"));
    let stranger = House::new(2).tokens("attachments");
    let sealed = tokens.seal(PAYLOAD, 900);
    let octets = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
    // none of them is left half-changed by a panic
    let all = AssertUnwindSafe((tokens, others, stranger));
    bolero::check!().with_test_time(TIME).with_max_len(2_000).for_each(|input: &[u8]| {
        let (tokens, others, stranger) = &*all;
        let text = String::from_utf8_lossy(input);
        for token in [text.to_string(), URL_SAFE_NO_PAD.encode(input), format!("{sealed}{text}")] {
            assert!(token == sealed || tokens.open(&token) == Err(TokenError::Invalid), "{token}");
        }
        // laid over a good one, from a place of its own choosing
        let mut altered = octets.clone();
        let (place, mask) =
            input.split_first().map_or((0, &[][..]), |(place, mask)| (usize::from(*place), mask));
        for (octet, mask) in altered.iter_mut().skip(place).zip(mask) {
            *octet ^= mask;
        }
        let opened = tokens.open(&URL_SAFE_NO_PAD.encode(&altered));
        assert_eq!(opened.is_ok(), altered == octets, "{altered:?}");
        // and whatever is sealed comes back, here and nowhere else
        let own = tokens.seal(input, 1);
        assert_eq!(tokens.open(&own).as_deref(), Ok(input));
        assert_eq!(
            (others.open(&own), stranger.open(&own)),
            (Err(TokenError::Invalid), Err(TokenError::Invalid))
        );
    });
}

#[test]
fn every_flipped_bit_every_changed_letter_and_every_cut_is_closed() {
    let house = House::new(1);
    let tokens = house.tokens("attachments");
    let sealed = tokens.seal(PAYLOAD, 900);
    let octets = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
    assert_eq!(tokens.open(&sealed).as_deref(), Ok(PAYLOAD));
    for place in 0..octets.len() {
        for bit in 0..8 {
            let mut altered = octets.clone();
            altered[place] ^= 1 << bit;
            let opened = tokens.open(&URL_SAFE_NO_PAD.encode(altered));
            assert_eq!(opened, Err(TokenError::Invalid), "octet {place}, bit {bit}");
        }
        assert_eq!(tokens.open(&URL_SAFE_NO_PAD.encode(&octets[..place])), Err(TokenError::Invalid));
    }
    for place in 0..sealed.len() {
        for letter in (0..=255_u8).map(char::from).filter(|letter| !sealed[place..].starts_with(*letter)) {
            let altered = format!("{}{letter}{}", &sealed[..place], &sealed[place + 1..]);
            assert_eq!(tokens.open(&altered), Err(TokenError::Invalid), "{letter:?} at {place}");
        }
    }
    house.clock.advance_seconds(900);
    assert_eq!(tokens.open(&sealed), Err(TokenError::Expired));
}
