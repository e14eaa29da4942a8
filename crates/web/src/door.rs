//! What every request passes before its route: its body arrives in time and within bounds, and nothing of it is NUL.

use crate::{
    address,
    error::{ErrorPage, error_page},
    state::WebState,
};
use actix_web::{
    Error, HttpMessage as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::{
        StatusCode,
        header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, RETRY_AFTER},
    },
    middleware::Next,
    rt::time::timeout,
    web::{Bytes, BytesMut, Data},
};
use futures_util::{StreamExt as _, stream};
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

/// Middleware around everything. `/mcp` and `/uploads` read large bodies themselves, piece by piece, once they know
/// who sends them.
pub async fn read_body(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<WebState>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    if has_nul(request.uri().path().as_bytes()) || has_nul(request.query_string().as_bytes()) {
        return Ok(refused(request, &state, StatusCode::BAD_REQUEST));
    }
    if !reads_by_itself(request.path()) {
        let payload = request.take_payload();
        if !matches!(payload, Payload::None) {
            let network = address::of(request.request(), &state.trusted_proxies).map(address::network);
            match arrive(&state.arriving, network, request.headers(), payload).await {
                Ok(body) if crate::session::is_form(request.request()) && has_nul(&body) => {
                    return Ok(refused(request, &state, StatusCode::BAD_REQUEST));
                }
                Ok(body) => request.set_payload(whole(body)),
                Err(status) => return Ok(refused(request, &state, status)),
            }
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn reads_by_itself(path: &str) -> bool {
    matches!(path, "/mcp" | "/api/mcp") || path.starts_with("/uploads/")
}

/// PostgreSQL keeps no NUL in a text, and nothing here means one.
fn has_nul(encoded: &[u8]) -> bool {
    encoded.contains(&0) || encoded.windows(3).any(|three| three == b"%00")
}

async fn arrive(
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

/// A body that is here already.
fn whole(body: Bytes) -> Payload {
    Payload::Stream { payload: Box::pin(stream::once(async { Ok::<_, PayloadError>(body) })) }
}

/// The rest of the body is not worth reading: the connection ends with the answer.
fn refused(request: ServiceRequest, state: &WebState, status: StatusCode) -> ServiceResponse<BoxBody> {
    let path = request.path();
    let for_programs = path.starts_with("/mcp")
        || path.starts_with("/api/")
        || matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/register");
    let mut response = if for_programs {
        let told = status.canonical_reason().unwrap_or_default();
        HttpResponse::build(status)
            .json(serde_json::json!({ "error": "invalid_request", "error_description": told }))
    } else {
        error_page(state, status, &ErrorPage::for_status(status))
    };
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    request.into_response(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

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

    #[test]
    fn nul_is_seen_plain_and_escaped() {
        for bad in [&b"a=\0"[..], b"email=a%00b", b"%00"] {
            assert!(has_nul(bad), "{bad:?}");
        }
        for good in [&b""[..], b"a=%2500", b"a=%0a0", b"%0"] {
            assert!(!has_nul(good), "{good:?}");
        }
    }
}
