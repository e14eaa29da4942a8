//! What a submission server offers in its answer to EHLO (RFC 5321 §4.1.1.1).

use super::reply::Reply;

/// The offers, upper case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offers {
    keywords: Vec<String>,
    /// Mechanisms of AUTH (RFC 4954 §3); `None` without AUTH.
    pub(super) mechanisms: Option<Vec<String>>,
}

impl Offers {
    /// Reads the lines behind the first, which greets.
    pub(super) fn of(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines.iter().skip(1) {
            // `AUTH=LOGIN PLAIN` is what old servers wrote for older clients
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_ascii_whitespace().map(str::to_owned);
            match words.next() {
                Some(keyword) if keyword == "AUTH" => {
                    offers.mechanisms.get_or_insert_default().extend(words);
                }
                keyword => offers.keywords.extend(keyword),
            }
        }
        offers
    }

    /// Whether this extension is offered (upper case).
    pub(super) fn has(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|offered| offered == keyword)
    }

    /// The first of these that is offered.
    pub(super) fn mechanism(&self, wanted: &[&'static str]) -> Option<&'static str> {
        let offered = self.mechanisms.as_deref().unwrap_or_default();
        wanted.iter().copied().find(|wanted| offered.iter().any(|offered| offered == wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_without_case_and_the_rest_is_passed_over() {
        let lines = [
            "PIPELINING greets",
            "auth=LOGIN",
            "AUTH cram-md5 Plain",
            "Size 35882577",
            "SMTPUTF8",
            "",
            "X-Y z",
        ];
        let offers = Offers::of(&Reply { code: 250, lines: lines.map(str::to_owned).to_vec() });
        assert!(offers.has("SIZE") && offers.has("SMTPUTF8") && !offers.has("PIPELINING"));
        assert_eq!(offers.mechanism(&["PLAIN", "LOGIN"]), Some("PLAIN"));
        assert_eq!(offers.mechanism(&["XOAUTH2"]), None);
        assert_eq!(Offers::of(&Reply { code: 250, lines: vec!["AUTH PLAIN".to_owned()] }).mechanisms, None);
    }
}
