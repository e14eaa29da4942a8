//! Documents of strangers: one request of HTTP/1.1 under TLS, over a connection that the dialer opened.

use crate::{Dialer, authorities::Authorities};
use async_trait::async_trait;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use http_cache_semantics::{CacheOptions, CachePolicy};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Body, Bytes, Incoming},
    client::conn::http1,
    header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT},
    http::uri::Authority,
};
use hyper_util::rt::TokioIo;
use imapmcp_core::{
    document::{DocumentSource, FetchFault, Fetched},
    mail::NetworkFault,
    time::Timestamp,
};
use rustls::pki_types::ServerName;
use std::{
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The most octets of a document (draft-ietf-oauth-client-id-metadata-document: 5 kilobytes).
const MAX_OCTETS: usize = 5 * 1024;
/// The most octets of header fields.
const MAX_HEADER: usize = 16 * 1024;
/// For everything from the look-up of the name to the last octet.
const DEADLINE: Duration = Duration::from_secs(5);

/// Fetches documents through a dialer.
#[derive(Debug)]
pub struct Documents {
    dialer: Dialer,
    authorities: Authorities,
}

impl Documents {
    /// With a dialer of its own: strangers choose the places, and those that fail must not crowd out what is known of mail
    /// servers. `ca_file` is a PEM file of authorities that are trusted besides the system's. No I/O.
    pub fn new(dialer: Dialer, ca_file: Option<PathBuf>) -> Self {
        Self { dialer, authorities: Authorities::new(ca_file) }
    }

    async fn get(&self, uri: &Uri, now: Timestamp) -> Result<Fetched, FetchFault> {
        let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or(FetchFault::Address)?;
        let stream = self.dialer.dial_web(host, uri.port_u16().unwrap_or(443)).await?.stream;
        let stream = self.secure(host, stream).await?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEADER);
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|_| FetchFault::Protocol)?;
        // ends with this future, also when nobody waits for it any more
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let (asked, request) = requests(uri)?;
        let response = sender.send_request(request).await.map_err(|_| FetchFault::Protocol)?;
        examine(&response)?;
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or_default());
        let policy = CachePolicy::new_options(&asked, &response, at, CacheOptions::default());
        let fresh = if policy.is_storable() { policy.time_to_live(at) } else { Duration::ZERO };
        let body = Limited::new(response.into_body(), MAX_OCTETS).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { FetchFault::TooLarge } else { FetchFault::Protocol }
        })?;
        let fresh_seconds = i64::try_from(fresh.as_secs()).unwrap_or(i64::MAX);
        Ok(Fetched { body: body.to_bytes().into(), fresh_seconds })
    }

    /// TLS, with a certificate for this very name.
    async fn secure(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, NetworkFault> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| NetworkFault::Tls)?;
        let connector = TlsConnector::from(self.authorities.config());
        connector.connect(name, stream).await.map_err(|_| NetworkFault::Tls)
    }
}

#[async_trait]
impl DocumentSource for Documents {
    async fn fetch(&self, url: &str, now: Timestamp) -> Result<Fetched, FetchFault> {
        let uri: Uri = url.parse().map_err(|_| FetchFault::Address)?;
        timeout(DEADLINE, self.get(&uri, now)).await.map_err(|_| FetchFault::Late)?
    }
}

/// The request, with the whole address as a cache knows it, and as it is sent.
fn requests(uri: &Uri) -> Result<(Request<()>, Request<Empty<Bytes>>), FetchFault> {
    let asked = Request::get(uri.clone()).body(()).map_err(|_| FetchFault::Address)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", Authority::as_str);
    let sent = Request::get(path)
        .header(HOST, host)
        .header(ACCEPT, "application/json")
        .header(ACCEPT_ENCODING, "identity")
        .header(USER_AGENT, "imapmcp")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| FetchFault::Address)?;
    Ok((asked, sent))
}

/// Whether an answer is a document, as far as its head tells.
fn examine(response: &Response<Incoming>) -> Result<(), FetchFault> {
    if response.status() != StatusCode::OK {
        return Err(FetchFault::Status(response.status().as_u16()));
    }
    let value = |name| response.headers().get(name).map(|value| value.to_str().unwrap_or("?").trim());
    if value(CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(FetchFault::Encoded);
    }
    if !value(CONTENT_TYPE).is_some_and(is_json) {
        return Err(FetchFault::NotJson);
    }
    // what it says of its length is believed only where that saves reading it
    if response.body().size_hint().lower() > MAX_OCTETS as u64 {
        return Err(FetchFault::TooLarge);
    }
    Ok(())
}

/// `application/json`, or a type that ends on `+json` (RFC 6839 §3.1).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

#[cfg(test)]
mod tests;
