//! Where a visitor comes from, for limits.

use actix_web::HttpRequest;
pub use imapmcp_oauth_server::network;
use ipnet::IpNet;
use std::net::IpAddr;

/// The address of the nearest hop that is not a trusted proxy: X-Forwarded-For counts only as far as proxies of ours
/// wrote it, read from the right. Behind a Unix socket the first hop is a proxy by nature. `None` if nobody says.
pub fn of(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_proxy = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let peer = request.peer_addr().map(|peer| peer.ip());
    if peer.is_some_and(|peer| !is_proxy(peer)) {
        return peer;
    }
    let fields: Vec<&str> =
        request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    let hops = fields.iter().rev().flat_map(|field| field.rsplit(','));
    for hop in hops {
        match hop.trim().parse::<IpAddr>() {
            Ok(address) if is_proxy(address) => {}
            Ok(address) => return Some(address),
            // what stands left of nonsense was not written by a proxy of ours
            Err(_) => break,
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn from(peer: &str, forwarded: &[&str]) -> Option<String> {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let mut request = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
        for field in forwarded {
            request = request.append_header(("X-Forwarded-For", *field));
        }
        of(&request.to_http_request(), &trusted).map(|address| address.to_string())
    }

    #[test]
    fn only_proxies_of_ours_are_believed() {
        assert_eq!(
            from("192.0.2.7", &["198.51.100.1"]).unwrap(),
            "192.0.2.7",
            "a visitor's own words do not count"
        );
        assert_eq!(from("10.0.0.1", &["203.0.113.9, 198.51.100.1, 10.2.3.4"]).unwrap(), "198.51.100.1");
        assert_eq!(from("10.0.0.1", &["203.0.113.9", "198.51.100.1"]).unwrap(), "198.51.100.1");
        assert_eq!(from("10.0.0.1", &["203.0.113.9, nonsense"]).unwrap(), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]).unwrap(), "10.0.0.1");
    }

    #[test]
    fn an_ipv6_customer_counts_once() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
