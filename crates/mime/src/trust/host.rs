//! Host names: whose they are, and whether they pretend to be another's.

use std::net::IpAddr;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection as _};

/// Octets of a host name that make sense (RFC 1035 §2.3.4).
const MAX_HOST: usize = 253;

/// The name in lower case, labels beyond ASCII as punycode (RFC 5891 by way of UTS #46).
pub(crate) fn ascii(host: &str) -> String {
    let host = crate::header::first_octets(host.trim_matches(['.', ' ']), MAX_HOST);
    // joiners are no part of a name here, wherever letters would join (RFC 5892 appendix A is not asked)
    if host.contains(['\u{200C}', '\u{200D}']) {
        return ascii(&host.replace(['\u{200C}', '\u{200D}'], ""));
    }
    if host.is_ascii() {
        return host.to_ascii_lowercase();
    }
    idna::domain_to_ascii(host).unwrap_or_else(|_| {
        let labels = host.split('.').map(|label| match idna::punycode::encode_str(&label.to_lowercase()) {
            Some(code) if !label.is_ascii() => format!("xn--{code}"),
            _ => label.to_ascii_lowercase(),
        });
        labels.collect::<Vec<_>>().join(".")
    })
}

/// The domain somebody registered: one label below the public suffix. Addresses and bare suffixes stay as they are.
pub(crate) fn registrable(host: &str) -> &str {
    if host.parse::<IpAddr>().is_ok() {
        return host;
    }
    psl::domain_str(host).unwrap_or(host)
}

/// Whether both (as ASCII) belong to the same registrant.
pub(crate) fn same_site(one: &str, other: &str) -> bool {
    registrable(one) == registrable(other)
}

/// Whether a text is shaped like a host name under a known suffix (or one that RFC 2606 keeps for examples).
pub(crate) fn is_host(text: &str) -> bool {
    let Some((rest, top)) = text.rsplit_once('.') else { return false };
    let shaped = text.len() <= MAX_HOST
        && !rest.is_empty()
        && text.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        });
    shaped
        && (matches!(top.to_ascii_lowercase().as_str(), "example" | "test")
            || psl::suffix(ascii(text).as_bytes()).is_some_and(|suffix| suffix.is_known()))
}

/// Whether a host (as ASCII) has a label that mixes scripts as no language does, or that reads like ASCII but is not.
pub(crate) fn is_lookalike(host: &str) -> bool {
    if !host.contains("xn--") {
        return false;
    }
    let top = host.rsplit('.').next().unwrap_or_default();
    host.split('.').any(|label| {
        label
            .strip_prefix("xn--")
            .and_then(idna::punycode::decode_to_string)
            .is_some_and(|label| is_lookalike_label(&label, top))
    })
}

fn is_lookalike_label(label: &str, top: &str) -> bool {
    if label.is_ascii() || label.chars().any(|c| !c.is_alphanumeric() && c != '-' && !is_mark(c)) {
        return !label.is_ascii();
    }
    let level = label.detect_restriction_level();
    if mixes_scripts(label) {
        return true;
    }
    // a name that is wholly in the script of its top level is at home there
    if top.starts_with("xn--") && level == RestrictionLevel::SingleScript {
        return false;
    }
    // letters of living languages whose "skeleton" happens to be ASCII
    let rest: String =
        label.chars().filter(|c| !(matches!(c, 'æ' | 'œ' | 'ĳ') || *c == 'ı' && top == "tr")).collect();
    !rest.is_ascii() && unicode_security::skeleton(&rest).all(|c| c.is_ascii())
}

/// Combining marks belong to letters in many scripts; a label may hold them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{900}'..='\u{DFF}' | '\u{E00}'..='\u{EFF}' | '\u{3099}' | '\u{309A}' | '·' | '・')
}

/// Whether a word mixes scripts beyond what UTS #39 calls highly restrictive (Latin with Japanese, Chinese or Korean).
pub(crate) fn mixes_scripts(word: &str) -> bool {
    !word.is_ascii()
        && unicode_security::mixed_script::AugmentedScriptSet::for_str(word).is_empty()
        && !word.check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_somebody_registered() {
        assert_eq!(registrable("www.shop.co.uk"), "shop.co.uk");
        assert_eq!(registrable("a.b.bank.example"), "bank.example");
        assert_eq!(registrable("10.0.0.1"), "10.0.0.1");
        assert!(!same_site("alice.github.io", "bob.github.io"));
    }

    #[test]
    fn a_joiner_is_no_part_of_a_name() {
        assert_eq!(ascii("بانک\u{200c}ها.example"), ascii("بانکها.example"));
        assert_eq!(ascii("ba\u{200c}nk.example"), "bank.example");
    }

    #[test]
    fn names_that_pretend_are_told_from_names_of_a_language() {
        // Cyrillic а in a Latin name; a whole Cyrillic name that reads "apple"; a dotless i
        for bad in ["pаypal.com", "аррӏе.com", "wıkipedia.org", "gοοgle.com", "bank.example⁄x.evil.example"]
        {
            assert!(is_lookalike(&ascii(bad)), "{bad} {}", ascii(bad));
        }
        for good in [
            "müller.de",
            "sæson.dk",
            "straße.de",
            "日本語.jp",
            "пример.рф",
            "сор.рф",
            "paypal.com",
            "łódź.pl",
            "ελλάδα.gr",
            "ไทย.com",
        ] {
            assert!(!is_lookalike(&ascii(good)), "{good} {}", ascii(good));
        }
    }

    #[test]
    fn a_file_name_is_no_host() {
        assert!(is_host("bank.example") && is_host("www.shop.co.uk") && is_host("müller.de"));
        assert!(!is_host("report.docx") && !is_host("a..b") && !is_host("e.g.") && !is_host("1.5"));
    }
}
