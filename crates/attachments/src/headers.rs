//! Header fields of a download that a hostile name or type cannot misuse.

use std::fmt::Write as _;

/// Types that browsers may be told; anything else is octets.
const HARMLESS: &[&str] = &[
    "application/pdf",
    "application/zip",
    "audio/mpeg",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/calendar",
    "text/csv",
    "text/plain",
    "video/mp4",
];

/// The Content-Type to send: the sender's when it is harmless, `application/octet-stream` otherwise.
pub fn content_type(claimed: &str) -> &'static str {
    HARMLESS
        .iter()
        .find(|known| claimed.eq_ignore_ascii_case(known))
        .copied()
        .unwrap_or("application/octet-stream")
}

/// The Content-Disposition of a download (RFC 6266): an ASCII name for old clients, the real one by RFC 8187.
pub fn disposition(filename: &str) -> String {
    let name: String = filename
        .chars()
        .map(|c| if c.is_control() || matches!(c, '/' | '\\') { '_' } else { c })
        .take(200)
        .collect();
    let name = match name.trim_matches([' ', '.']) {
        "" => "attachment",
        name => name,
    };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || " .-_()+,;=@!".contains(c) { c } else { '_' })
        .collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for octet in name.bytes() {
            // RFC 8187 attr-char
            if octet.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&octet) {
                value.push(char::from(octet));
            } else {
                let _ = write!(value, "%{octet:02X}");
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header_field() {
        for name in [
            "a\r\nSet-Cookie: x=1",
            "\"; filename=evil.exe",
            "..\\..\\x",
            "/etc/passwd",
            "\u{202e}fdp.exe",
            "",
        ] {
            let value = disposition(name);
            assert!(value.starts_with("attachment; filename=\""), "{value}");
            assert!(value.bytes().all(|octet| (0x20..0x7f).contains(&octet)), "{value}");
            assert_eq!(value.matches('"').count(), 2, "{value}");
            assert!(!value.contains('/') && !value.contains('\\'), "{value}");
        }
    }

    #[test]
    fn active_types_become_octets() {
        for active in
            ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/javascript", "x"]
        {
            assert_eq!(content_type(active), "application/octet-stream");
        }
        assert_eq!(content_type("Image/PNG"), "image/png");
    }
}
