//! Bodies on their way in: each within its time and its size, all of them within one bound.

use actix_web::{
    dev::Payload,
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, HeaderMap},
    },
    rt::time::timeout,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt as _;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Time for a body to arrive (RFC 9110 §15.5.9).
const DEADLINE: Duration = Duration::from_secs(30);
/// Octets of a body: a form with the longest signature, written with escapes, is half of it.
const MAX_BODY: usize = 128 * 1024;
/// Bodies of one network that may arrive at once.
const PER_NETWORK: u32 = 128;
/// Octets of all bodies that arrive at once.
const MAX_ARRIVING: usize = 32 * 1024 * 1024;

/// Bodies that are arriving.
#[derive(Default)]
pub(crate) struct Arriving {
    networks: Mutex<HashMap<IpAddr, u32>>,
    octets: AtomicUsize,
}

/// One body that is arriving.
struct Arrival<'a> {
    arriving: &'a Arriving,
    network: Option<IpAddr>,
    octets: usize,
}

impl Arriving {
    fn begin(&self, network: Option<IpAddr>) -> Option<Arrival<'_>> {
        if let Some(network) = network {
            let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
            let count = networks.entry(network).or_default();
            if *count >= PER_NETWORK {
                return None;
            }
            *count += 1;
        }
        Some(Arrival { arriving: self, network, octets: 0 })
    }
}

impl Arrival<'_> {
    /// Makes room for so many octets more; `false` if there is none.
    fn take(&mut self, octets: usize) -> bool {
        self.octets += octets;
        self.arriving.octets.fetch_add(octets, Ordering::Relaxed) + octets <= MAX_ARRIVING
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.arriving.octets.fetch_sub(self.octets, Ordering::Relaxed);
        let Some(network) = self.network else { return };
        let mut networks = self.arriving.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                networks.remove(&network);
            }
        }
    }
}

/// The whole body, or the status it is refused with.
pub(crate) async fn arrive(
    arriving: &Arriving,
    network: Option<IpAddr>,
    headers: &HeaderMap,
    payload: Payload,
) -> Result<Bytes, StatusCode> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|announced: usize| announced > MAX_BODY) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut arrival = arriving.begin(network).ok_or(StatusCode::TOO_MANY_REQUESTS)?;
    timeout(DEADLINE, collect(&mut arrival, payload)).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

async fn collect(arrival: &mut Arrival<'_>, mut payload: Payload) -> Result<Bytes, StatusCode> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| StatusCode::BAD_REQUEST)?;
        if body.len() + piece.len() > MAX_BODY {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if !arrival.take(piece.len()) {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use futures_util::stream;

    fn arriving_of(network: &str) -> Option<IpAddr> {
        network.parse().ok()
    }

    fn silent(begin: &'static [u8]) -> Payload {
        let begin = stream::once(async move { Ok(Bytes::from_static(begin)) });
        Payload::Stream { payload: Box::pin(begin.chain(stream::pending())) }
    }

    #[actix_web::test]
    async fn a_body_that_stays_away_is_given_up() {
        tokio::time::pause();
        let arriving = Arriving::default();
        let headers = HeaderMap::new();
        let answer = arrive(&arriving, arriving_of("192.0.2.1"), &headers, silent(b"a")).await;
        assert_eq!(answer, Err(StatusCode::REQUEST_TIMEOUT));
        assert!(arriving.networks.lock().unwrap().is_empty());
        assert_eq!(arriving.octets.load(Ordering::Relaxed), 0);
    }

    #[actix_web::test]
    async fn a_drip_is_given_up_as_well() {
        tokio::time::pause();
        let arriving = Arriving::default();
        let drip = stream::repeat_with(|| Bytes::from_static(b"a")).then(async |octet| {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(octet)
        });
        let began = tokio::time::Instant::now();
        let answer =
            arrive(&arriving, None, &HeaderMap::new(), Payload::Stream { payload: Box::pin(drip) }).await;
        assert_eq!(
            (answer, began.elapsed().as_secs()),
            (Err(StatusCode::REQUEST_TIMEOUT), DEADLINE.as_secs())
        );
    }

    #[actix_web::test]
    async fn bodies_are_bounded_whatever_they_announce() {
        let arriving = Arriving::default();
        let long = stream::repeat_with(|| Ok(Bytes::from_static(&[b'a'; 1000])));
        let long: Payload = Payload::Stream { payload: Box::pin(long) };
        let answer = arrive(&arriving, None, &HeaderMap::new(), long).await;
        assert_eq!(answer, Err(StatusCode::PAYLOAD_TOO_LARGE));
        let announced = TestRequest::post().insert_header((CONTENT_LENGTH, "131073")).to_http_request();
        let answer = arrive(&arriving, None, announced.headers(), silent(b"")).await;
        assert_eq!(answer, Err(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[test]
    fn one_network_has_its_share_and_all_have_theirs() {
        let arriving = Arriving::default();
        let mine = arriving_of("192.0.2.1");
        let mut held: Vec<_> = (0..PER_NETWORK).map(|_| arriving.begin(mine).unwrap()).collect();
        assert!(arriving.begin(mine).is_none());
        let mut other = arriving.begin(arriving_of("192.0.2.2")).unwrap();
        assert!(held[0].take(MAX_ARRIVING) && !other.take(1));
        held.clear();
        assert!(arriving.begin(mine).is_some() && other.take(1));
    }
}
