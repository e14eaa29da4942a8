//! Which addresses lie on the open Internet (IANA special-purpose address registries, RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a stranger's host name may lead to this address: globally routable unicast, and not a form that
/// smuggles another address inside (IPv4-mapped and -compatible, NAT64, 6to4, Teredo).
pub fn is_globally_routable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4_is_global(v4),
        IpAddr::V6(v6) => v6_is_global(v6),
    }
}

fn v4_is_global(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b)) // RFC 6598: carrier-grade NAT
        || (a == 192 && b == 0 && c == 0) // RFC 6890: protocol assignments
        || (a == 192 && b == 88 && c == 99) // RFC 7526: 6to4 relays
        || (a == 198 && (b == 18 || b == 19)) // RFC 2544: benchmarking
        || a >= 224) // multicast, reserved, broadcast
}

fn v6_is_global(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // 2000::/3 is the only global unicast space there is; everything that wraps an IPv4 address outside of it
    // (::/96, ::ffff:0:0/96, 64:ff9b::/96), ULA, link-local and multicast fall out by this alone.
    (a & 0xe000) == 0x2000
        && !(a == 0x2002 // RFC 3056: 6to4
            || (a == 0x2001 && b < 0x0200) // RFC 2928: Teredo, benchmarking, ORCHID
            || (a == 0x2001 && b == 0x0db8) // RFC 3849: documentation
            || (a == 0x3fff && b < 0x1000)) // RFC 9637: documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: [&str; 41] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.9.9",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.1",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    const OUTSIDE: [&str; 12] = [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.0.1",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "223.255.255.1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
    ];

    #[test]
    fn addresses_that_are_not_on_the_open_internet_are_told_apart() {
        for inside in INSIDE {
            assert!(!is_globally_routable(inside.parse().unwrap()), "{inside}");
        }
        for outside in OUTSIDE {
            assert!(is_globally_routable(outside.parse().unwrap()), "{outside}");
        }
    }
}
