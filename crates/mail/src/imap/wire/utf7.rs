//! Folder names on the wire: modified UTF-7 (RFC 3501 §5.1.3).
//!
//! UTF8=ACCEPT is never enabled: it would change what servers do to old messages, and modified UTF-7 works everywhere.

use base64::{
    Engine,
    alphabet::IMAP_MUTF7,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A name as the wire wants it.
pub(crate) fn encode(name: &str) -> String {
    let (mut out, mut wide) = (String::with_capacity(name.len()), Vec::new());
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut wide, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            wide.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut wide, &mut out);
    out
}

fn flush(wide: &mut Vec<u8>, out: &mut String) {
    if !wide.is_empty() {
        out.push('&');
        BASE64.encode_string(&wide, out);
        out.push('-');
        wide.clear();
    }
}

/// A name from the wire; one that is not modified UTF-7 is shown as it is.
pub(crate) fn decode(wire: &str) -> String {
    try_decode(wire).unwrap_or_else(|| wire.to_owned())
}

fn try_decode(wire: &str) -> Option<String> {
    let (mut out, mut rest) = (String::with_capacity(wire.len()), wire);
    while let Some((plain, coded)) = rest.split_once('&') {
        out.push_str(plain);
        let (coded, tail) = coded.split_once('-')?;
        if coded.is_empty() {
            out.push('&');
        } else {
            let octets = BASE64.decode(coded).ok()?;
            let (units, odd) = octets.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
            for c in char::decode_utf16(units) {
                out.push(c.ok()?);
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(encode("~peter/mail/台北/日本語"), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        assert_eq!(decode("~peter/mail/&U,BTFw-/&ZeVnLIqe-"), "~peter/mail/台北/日本語");
        assert_eq!(encode("Entwürfe & Co"), "Entw&APw-rfe &- Co");
        for odd in ["&", "a&b", "&ZeVnLIq-", "&2D0-x", "caf\u{e9}"] {
            assert_eq!(decode(odd), odd);
        }
    }

    proptest! {
        #[test]
        fn every_name_goes_round(name in any::<String>()) {
            let wire = encode(&name);
            prop_assert!(wire.bytes().all(|octet| (0x20..0x7f).contains(&octet)));
            prop_assert_eq!(decode(&wire), name);
        }

        #[test]
        fn no_wire_name_panics(wire in any::<String>()) {
            decode(&wire);
        }
    }
}
