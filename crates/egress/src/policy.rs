//! The operator's allow-list.

use crate::routable::is_globally_routable;
use ipnet::IpNet;
use std::{net::IpAddr, str::FromStr};

/// Ports of IMAP and submission (RFC 8314, and the 2525 that providers offer beside 587).
const MAIL_PORTS: [u16; 5] = [143, 993, 465, 587, 2525];

/// The port of https. Only an entry that names its port opens another, or this one in a place that is not on the open
/// Internet: whoever opened a network for mail did not open its web pages to strangers.
const WEB_PORT: u16 = 443;

/// What may be dialled besides the open Internet. The default allows nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy(Vec<Entry>);

/// Which places may be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Open {
    /// Mail servers.
    Permitted,
    /// Mail servers that are listed.
    Listed,
    /// Web servers.
    Web,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    place: Place,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Network(IpNet),
    /// Lower case, without a final dot.
    Name(String),
}

/// An item of the allow-list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{item}` is not an address, a network (10.0.0.0/8), a host name, or one of these with `:port`")]
pub struct PolicyError {
    /// The item, as written.
    pub item: String,
}

impl FromStr for Policy {
    type Err = PolicyError;

    /// Reads comma-separated `CIDR`, `ip`, `ip:port`, `CIDR:port`, `[v6]:port`, `name`, `name:port`.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| entry(item).ok_or_else(|| PolicyError { item: item.to_owned() }))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn entry(item: &str) -> Option<Entry> {
    // An IPv6 address is full of colons: whole first, then with a port cut off.
    if let Some(place) = place(item) {
        return Some(Entry { place, port: None });
    }
    let (head, port) = item.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let bracketed = head.starts_with('[');
    let place = place(head)?;
    let v6 = matches!(&place, Place::Network(net) if net.addr().is_ipv6());
    (!v6 || bracketed || head.contains('/')).then_some(Entry { place, port: Some(port) })
}

fn place(text: &str) -> Option<Place> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(Place::Network(address.into()));
    }
    if let Ok(network) = bare.parse::<IpNet>() {
        return Some(Place::Network(network));
    }
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    (is_host_name(&name) && bare == text).then_some(Place::Name(name))
}

/// A DNS name that no resolver takes for a number: `0x7f000001`, `2130706433` and `0177.0.0.1` are addresses in
/// disguise (the last label decides, as in the WHATWG URL standard).
pub(crate) fn is_host_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let digits = last.strip_prefix("0x").unwrap_or(&last);
    let radix: fn(u8) -> bool =
        if last.starts_with("0x") { |b| b.is_ascii_hexdigit() } else { |b| b.is_ascii_digit() };
    text.len() <= 253 && text.split('.').all(label) && !digits.bytes().all(radix)
}

impl Policy {
    /// Whether an entry of the list covers this place.
    pub fn lists(&self, host: &str, address: IpAddr, port: u16) -> bool {
        self.entries(host, address)
            .any(|entry| entry.port.map_or_else(|| MAIL_PORTS.contains(&port), |allowed| allowed == port))
    }

    /// The entries that cover a host at an address, whatever their ports.
    fn entries(&self, host: &str, address: IpAddr) -> impl Iterator<Item = &Entry> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().filter(move |entry| match &entry.place {
            Place::Network(network) => network.contains(&address),
            Place::Name(name) => *name == host,
        })
    }

    /// Whether a document may be fetched from this place: on the open Internet and port 443, or listed with this very port.
    /// Ports of mail are never asked for web pages.
    pub fn permits_web(&self, host: &str, address: IpAddr, port: u16) -> bool {
        !MAIL_PORTS.contains(&port)
            && ((is_globally_routable(address) && port == WEB_PORT)
                || self.entries(host, address).any(|entry| entry.port == Some(port)))
    }

    /// Whether this place may be dialled: on the open Internet and a mail port, or listed.
    pub fn permits(&self, host: &str, address: IpAddr, port: u16) -> bool {
        (is_globally_routable(address) && MAIL_PORTS.contains(&port)) || self.lists(host, address, port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_cannot_be_read_is_named() {
        for bad in [
            "10.0.0.0/33",
            "a b",
            "host:0",
            "host:99999",
            "1.2.3",
            "0x7f.1",
            "[::1",
            "-x",
            "::1:",
            "é.example",
        ] {
            let error = format!("127.0.0.1, {bad} ").parse::<Policy>().unwrap_err();
            assert_eq!(error.item, bad);
        }
        assert_eq!("".parse::<Policy>(), Ok(Policy::default()));
    }

    #[test]
    fn an_entry_opens_its_place_and_nothing_else() {
        let policy: Policy =
            "127.0.0.1:1143, 10.0.0.0/8, fd00::/8:993, [::1]:2993, Mail.Home.arpa, relay.example.com:25, 192.168.0.0/16:1025"
                .parse()
                .unwrap();
        let open = |host: &str, address: &str, port| policy.permits(host, address.parse().unwrap(), port);
        assert!(open("127.0.0.1", "127.0.0.1", 1143) && !open("127.0.0.1", "127.0.0.1", 993));
        assert!(!open("127.0.0.2", "127.0.0.2", 1143));
        assert!(open("x", "10.9.9.9", 993) && !open("x", "10.9.9.9", 22) && !open("x", "11.0.0.1", 22));
        assert!(open("x", "fd00::25", 993) && !open("x", "fd00::25", 143));
        assert!(open("::1", "::1", 2993) && !open("::1", "::1", 993));
        assert!(open("mail.home.ARPA.", "172.16.0.9", 587) && !open("other.home.arpa", "172.16.0.9", 587));
        assert!(open("relay.example.com", "8.8.8.8", 25) && !open("smtp.example.com", "8.8.8.8", 25));
        assert!(open("x", "192.168.4.4", 1025) && !open("x", "192.168.4.4", 993));
        assert!(open("any.example.com", "8.8.8.8", 993));
    }

    #[test]
    fn web_pages_are_fetched_from_port_443_or_a_listed_port() {
        let policy: Policy = "10.0.0.0/8, 127.0.0.1:8443, docs.home.arpa:443, 127.0.0.1:993".parse().unwrap();
        let open = |host: &str, address: &str, port| policy.permits_web(host, address.parse().unwrap(), port);
        assert!(open("client.example", "8.8.8.8", 443) && open("docs.home.arpa", "172.16.0.9", 443));
        assert!(open("127.0.0.1", "127.0.0.1", 8443));
        for (host, address, port) in [
            ("client.example", "8.8.8.8", 80),
            ("client.example", "8.8.8.8", 993),
            ("inner.example", "10.1.2.3", 443),
            ("inner.example", "127.0.0.1", 443),
            ("127.0.0.1", "127.0.0.1", 993),
            ("other.home.arpa", "172.16.0.9", 443),
            ("docs.home.arpa", "172.16.0.9", 8443),
        ] {
            assert!(!open(host, address, port), "{host} {address} {port}");
        }
    }
}
