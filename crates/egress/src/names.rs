//! Where names lead.

use async_trait::async_trait;
use std::{fmt, io, net::SocketAddr};
use tokio::net::lookup_host;

/// Looks names up. The dialer asks once for each connection, and connects to nothing but what it was told then.
#[async_trait]
pub(crate) trait Names: fmt::Debug + Send + Sync {
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
#[derive(Debug)]
pub(crate) struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((host, port)).await?.collect())
    }
}
