//! Resolve, judge, connect to the judged address.

use crate::{
    breaker::{Breaker, Verdict},
    names::{Names, SystemNames},
    policy::{Open, Policy, is_host_name},
};
use imapmcp_core::mail::NetworkFault;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpStream,
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

/// Opens TCP connections to mail servers and to web servers; the only code that does.
///
/// A place that could not be reached is left alone for 1, 2, 4 up to 30 seconds: whoever asks meanwhile gets the same answer at
/// once, then one caller tries again while the others wait for what it finds.
#[derive(Debug)]
pub struct Dialer {
    policy: Policy,
    deadline: Duration,
    breaker: Arc<Breaker>,
    names: Arc<dyn Names>,
}

impl Dialer {
    /// A dialer that gives name resolution and connecting three and a half seconds in all: two repetitions of a lost SYN
    /// (RFC 6298 §2), and less than the five seconds in which a caller is to have an answer.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            deadline: Duration::from_millis(3_500),
            breaker: Arc::default(),
            names: Arc::new(SystemNames),
        }
    }

    /// One that asks somebody else than the system where names lead.
    #[cfg(test)]
    pub(crate) fn asking(policy: Policy, names: Arc<dyn Names>) -> Self {
        Self { names, ..Self::new(policy) }
    }

    /// Another deadline for resolving and connecting together.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Connects to `host` (a name, or an address with or without brackets), trying its addresses in order.
    pub async fn dial(&self, host: &str, port: u16) -> Result<Dialed, NetworkFault> {
        self.connect(host, port, Open::Permitted).await
    }

    /// As [`Dialer::dial`], for connections without TLS: every address must be on the operator's list.
    pub async fn dial_listed(&self, host: &str, port: u16) -> Result<Dialed, NetworkFault> {
        self.connect(host, port, Open::Listed).await
    }

    /// As [`Dialer::dial`], for documents: port 443, or a place that the operator listed with its port.
    pub async fn dial_web(&self, host: &str, port: u16) -> Result<Dialed, NetworkFault> {
        self.connect(host, port, Open::Web).await
    }

    async fn connect(&self, host: &str, port: u16, open: Open) -> Result<Dialed, NetworkFault> {
        let started = Instant::now();
        let place = (host.to_ascii_lowercase(), port, open);
        let attempt = loop {
            match self.breaker.ask(&place, started) {
                Verdict::Dial(attempt) => break attempt,
                Verdict::Failed(fault) => return Err(fault),
                // ends when the other's attempt does, which has a deadline
                Verdict::Wait(mut trial) => while trial.changed().await.is_ok() {},
            }
        };
        let dialed = self.reach(bare(host), port, open).await;
        match &dialed {
            // what the policy forbids says nothing of the place
            Ok(_) | Err(NetworkFault::Blocked) => attempt.succeeded(),
            Err(fault) => attempt.failed(*fault),
        }
        dialed
    }

    async fn reach(&self, host: &str, port: u16, open: Open) -> Result<Dialed, NetworkFault> {
        let end = Instant::now() + self.deadline;
        let addresses = timeout_at(end, self.resolve(host, port)).await.map_err(|_| NetworkFault::Dns)??;
        // One bad address condemns the name: which of them a second look-up would give is the attacker's choice.
        let allowed = |at: &SocketAddr| match open {
            Open::Permitted => self.policy.permits(host, at.ip(), port),
            Open::Listed => self.policy.lists(host, at.ip(), port),
            Open::Web => self.policy.permits_web(host, at.ip(), port),
        };
        if !addresses.iter().all(allowed) {
            tracing::debug!(port, "refused to dial a place outside the egress policy");
            return Err(NetworkFault::Blocked);
        }
        let addresses = addresses.into_iter().take(MAX_ADDRESSES).collect::<Vec<_>>();
        for (left, address) in (1..=u32::try_from(addresses.len()).unwrap_or(1)).rev().zip(&addresses) {
            // each of those left has its share of the time: one that is silent does not hide the next
            let now = Instant::now();
            let share = now + end.saturating_duration_since(now) / left;
            if let Ok(Ok(stream)) = timeout_at(share, TcpStream::connect(address)).await {
                stream.set_nodelay(true).map_err(|_| NetworkFault::Connect)?;
                return Ok(Dialed { stream, address: *address });
            }
        }
        Err(NetworkFault::Connect)
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NetworkFault> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if host.is_empty() || !host.is_ascii() {
            return Err(NetworkFault::Dns);
        }
        if !is_host_name(host) {
            return Err(NetworkFault::Blocked);
        }
        let found = self.names.look_up(host, port).await.map_err(|_| NetworkFault::Dns)?;
        if found.is_empty() { Err(NetworkFault::Dns) } else { Ok(found) }
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
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
    /// As if that much time had passed.
    async fn later(time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    /// A port where nothing listens, and a dialer that may go there.
    async fn closed() -> (Arc<Dialer>, u16) {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        (Arc::new(Dialer::new(format!("127.0.0.1:{port}").parse().unwrap())), port)
    }

    #[tokio::test]
    async fn a_place_that_failed_rests_longer_each_time_and_is_used_again_at_once() {
        let (dialer, port) = closed().await;
        let dial = || dialer.dial("127.0.0.1", port);
        assert_eq!(dial().await.unwrap_err(), NetworkFault::Connect);
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        assert_eq!(dial().await.unwrap_err(), NetworkFault::Connect, "nobody dials within a second");
        later(Duration::from_secs(1)).await;
        assert!(dial().await.is_ok(), "one failure is over after a second");
        assert!(dial().await.is_ok());
        drop(listener);
        for rest in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(dial().await.unwrap_err(), NetworkFault::Connect);
            let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
            later(Duration::from_millis(rest * 1_000 - 200)).await;
            assert_eq!(dial().await.unwrap_err(), NetworkFault::Connect, "still at rest for {rest} s");
            drop(listener);
            later(Duration::from_millis(200)).await;
        }
    }

    #[tokio::test]
    async fn a_hole_is_dialled_by_one_and_answers_all() {
        // a queue of one that is full swallows what comes
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let hole = socket.listen(1).unwrap();
        let place = hole.local_addr().unwrap();
        let mut fill = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(place)).await
        {
            fill.push(stream);
        }
        let dialer =
            Dialer::new(place.to_string().parse().unwrap()).with_deadline(Duration::from_millis(300));
        let dialer = Arc::new(dialer);
        let dial =
            |dialer: Arc<Dialer>| async move { dialer.dial("127.0.0.1", place.port()).await.map(drop) };
        assert_eq!(dial(Arc::clone(&dialer)).await, Err(NetworkFault::Connect));
        later(Duration::from_secs(1)).await;
        // after its rest: one tries, those who come meanwhile wait for it
        let started = Instant::now();
        let calls: Vec<_> = (0..21).map(|_| tokio::spawn(dial(Arc::clone(&dialer)))).collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), Err(NetworkFault::Connect));
        }
        assert!(started.elapsed() < Duration::from_millis(600), "{:?}", started.elapsed());
        let started = Instant::now();
        assert_eq!(dial(Arc::clone(&dialer)).await, Err(NetworkFault::Connect));
        assert!(started.elapsed() < Duration::from_millis(100), "at rest");
        // one who tried and went away leaves the trial to the next
        later(Duration::from_secs(2)).await;
        let _ = tokio::time::timeout(Duration::from_millis(50), dial(Arc::clone(&dialer))).await;
        drop((hole, fill));
        let listener = TcpListener::bind(place).await.unwrap();
        assert_eq!(dial(dialer).await, Ok(()));
        drop(listener);
    }
}
