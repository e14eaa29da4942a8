//! Small documents that strangers publish: what a client says of itself at the address that it is known by.

use crate::{mail::NetworkFault, time::Timestamp};
use async_trait::async_trait;

/// A document as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its octets; JSON, if the server tells the truth.
    pub body: Vec<u8>,
    /// For how many seconds its HTTP headers let it be kept (RFC 9111 §4.2); 0 if they forbid it or say nothing.
    pub fresh_seconds: i64,
}

/// Why a document did not come. For the log alone: who asked for it is told that it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchFault {
    /// The address is none that is fetched from.
    #[error("the address cannot be fetched from")]
    Address,
    /// The server was not reached.
    #[error("the server could not be reached: {}", .0.code())]
    Network(NetworkFault),
    /// It was not finished in time.
    #[error("the document did not arrive in time")]
    Late,
    /// The server does not speak HTTP as it should.
    #[error("the server does not speak HTTP/1.1")]
    Protocol,
    /// The answer has another status than 200; redirects are not followed.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The answer is not of a JSON type.
    #[error("the document is not served as JSON")]
    NotJson,
    /// The answer is compressed.
    #[error("the document is compressed")]
    Encoded,
    /// It has more octets than are read.
    #[error("the document is too large")]
    TooLarge,
}

impl From<NetworkFault> for FetchFault {
    fn from(fault: NetworkFault) -> Self {
        Self::Network(fault)
    }
}

/// Fetches documents from the open Internet.
#[async_trait]
pub trait DocumentSource: Send + Sync {
    /// The document at an https URL, in one request without cookies, that follows no redirect, reads a bounded number of
    /// octets, and ends within five seconds. `now` is the time that its age is counted from.
    async fn fetch(&self, url: &str, now: Timestamp) -> Result<Fetched, FetchFault>;
}
