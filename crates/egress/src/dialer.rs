//! Resolve, judge, connect to the judged address.

use crate::policy::{Policy, is_host_name};
use imapmcp_core::mail::NetworkFault;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};

/// Addresses tried before giving up.
const MAX_ADDRESSES: usize = 8;

/// A connection and where it leads.
#[derive(Debug)]
pub struct Dialed {
    /// The connection, without Nagle's delay.
    pub stream: TcpStream,
    /// The very address that was judged.
    pub address: SocketAddr,
}

/// Opens TCP connections to mail servers; the only code that does.
#[derive(Debug)]
pub struct Dialer {
    policy: Policy,
    deadline: Duration,
}

impl Dialer {
    /// A dialer that gives name resolution and connecting five seconds in all.
    pub fn new(policy: Policy) -> Self {
        Self { policy, deadline: Duration::from_secs(5) }
    }

    /// Another deadline for resolving and connecting together.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Connects to `host` (a name, or an address with or without brackets), trying its addresses in order.
    pub async fn dial(&self, host: &str, port: u16) -> Result<Dialed, NetworkFault> {
        self.connect(host, port, Policy::permits).await
    }

    /// As [`Dialer::dial`], for connections without TLS: every address must be on the operator's list.
    pub async fn dial_listed(&self, host: &str, port: u16) -> Result<Dialed, NetworkFault> {
        self.connect(host, port, Policy::lists).await
    }

    async fn connect(
        &self,
        host: &str,
        port: u16,
        open: fn(&Policy, &str, IpAddr, u16) -> bool,
    ) -> Result<Dialed, NetworkFault> {
        let end = Instant::now() + self.deadline;
        let host = bare(host);
        let addresses = timeout_at(end, resolve(host, port)).await.map_err(|_| NetworkFault::Dns)??;
        // One bad address condemns the name: which of them a second look-up would give is the attacker's choice.
        if !addresses.iter().all(|at| open(&self.policy, host, at.ip(), port)) {
            tracing::debug!(port, "refused to dial a place outside the egress policy");
            return Err(NetworkFault::Blocked);
        }
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            match timeout_at(end, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(|_| NetworkFault::Connect)?;
                    return Ok(Dialed { stream, address });
                }
                Ok(Err(_)) => {}
                Err(_) => break,
            }
        }
        Err(NetworkFault::Connect)
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, NetworkFault> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if host.is_empty() || !host.is_ascii() {
        return Err(NetworkFault::Dns);
    }
    if !is_host_name(host) {
        return Err(NetworkFault::Blocked);
    }
    let found: Vec<_> = lookup_host((host, port)).await.map_err(|_| NetworkFault::Dns)?.collect();
    if found.is_empty() { Err(NetworkFault::Dns) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn disguised_and_inner_addresses_are_refused_without_a_look_up() {
        let dialer = Dialer::new(Policy::default());
        for host in [
            "127.0.0.1",
            "[::1]",
            "::1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.1",
            "0",
            "1.2.3",
            "0x7f.0.0.1",
            "::ffff:127.0.0.1",
            "[64:ff9b::7f00:1]",
            "169.254.169.254",
            "10.0.0.1",
            "localhost",
            "a/b",
            "a b",
            "fe80::1%lo",
            "host\r\nx",
        ] {
            assert_eq!(dialer.dial(host, 993).await.unwrap_err(), NetworkFault::Blocked, "{host:?}");
        }
        assert_eq!(dialer.dial("", 993).await.unwrap_err(), NetworkFault::Dns);
        assert_eq!(dialer.dial("bücher.example", 993).await.unwrap_err(), NetworkFault::Dns);
        assert_eq!(dialer.dial("1.1.1.1", 22).await.unwrap_err(), NetworkFault::Blocked);
    }

    #[tokio::test]
    async fn a_listed_place_is_reached_and_a_closed_port_is_said_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dialer = Dialer::new(format!("127.0.0.1:{port}, 127.0.0.1:1").parse().unwrap());
        let reached = dialer.dial("127.0.0.1", port).await.unwrap();
        assert_eq!(reached.address.port(), port);
        assert!(reached.stream.nodelay().unwrap());
        assert!(dialer.dial_listed("127.0.0.1", port).await.is_ok());
        assert_eq!(dialer.dial("127.0.0.1", 1).await.unwrap_err(), NetworkFault::Connect);
        assert_eq!(dialer.dial_listed("1.1.1.1", 993).await.unwrap_err(), NetworkFault::Blocked);
    }
}
