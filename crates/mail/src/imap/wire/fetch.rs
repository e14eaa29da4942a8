//! FETCH responses: an item that cannot be read is left out, the others stay.

use super::{
    envelope,
    structure::{self, Structure},
    tokens::{Octets, Value},
};
use bytes::Bytes;
use imapmcp_core::{
    mail::{Address, Envelope, Part, Summary},
    time::Timestamp,
};
use time::{Date, Month, Time, UtcOffset};

/// Octets in memory of what describes one message: some 18,000 addresses.
const MAX_DESCRIPTION: usize = 2 << 20;

/// What came of a BODY[…].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Octets(Bytes),
    /// Over the cap: the beginning of it.
    Cut(Bytes),
    /// Given to the sink.
    Streamed,
    Nil,
}

/// One FETCH response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fetch {
    pub(crate) sequence: u32,
    /// Whether the response was too long, and is not all here.
    pub(crate) cut: bool,
    pub(crate) uid: Option<u32>,
    pub(crate) flags: Option<Vec<String>>,
    pub(crate) internal_date: Option<Timestamp>,
    pub(crate) size: Option<u64>,
    pub(crate) envelope: Option<Box<Envelope>>,
    pub(crate) parts: Option<Vec<Part>>,
    /// Sections of parts whose description cannot be right.
    pub(crate) odd: Vec<String>,
    /// `BODY[HEADER]`, or of some of its fields.
    pub(crate) header: Option<Body>,
    /// `BODY[TEXT]` or the beginning of it.
    pub(crate) text: Option<Body>,
    /// Any other section.
    pub(crate) body: Option<Body>,
    /// Which section that is.
    pub(crate) section: Option<String>,
    /// X-GM-THRID, or THREADID (RFC 8474).
    pub(crate) thread: Option<String>,
    /// X-GM-MSGID, or EMAILID (RFC 8474).
    pub(crate) email: Option<String>,
}

impl Fetch {
    /// Takes over what a later response for the same message adds or changes.
    pub(crate) fn merge(&mut self, later: Self) {
        self.cut |= later.cut;
        self.uid = later.uid.or(self.uid);
        self.flags = later.flags.or(self.flags.take());
        self.internal_date = later.internal_date.or(self.internal_date);
        self.size = later.size.or(self.size);
        self.envelope = later.envelope.or(self.envelope.take());
        if later.parts.is_some() {
            (self.parts, self.odd) = (later.parts, later.odd);
        }
        self.header = later.header.or(self.header.take());
        self.text = later.text.or(self.text.take());
        if later.body.is_some() {
            (self.body, self.section) = (later.body, later.section);
        }
        self.thread = later.thread.or(self.thread.take());
        self.email = later.email.or(self.email.take());
        self.amend();
    }

    /// The header counts, where it came, and not what the server made of it.
    fn amend(&mut self) {
        if let (Some(envelope), Some(Body::Octets(header))) = (&mut self.envelope, &self.header) {
            envelope::amend(envelope, header);
        }
    }

    /// What the header says, where the ENVELOPE could not be read.
    pub(crate) fn fill(&mut self) {
        if self.envelope.is_none() {
            self.envelope = Some(Box::default());
            self.amend();
        }
    }

    /// What describes the message, without what it says: octets in memory, roughly. Short words and addresses take many
    /// times what they are on the wire.
    fn description(&self) -> usize {
        let flags =
            self.flags.as_ref().map_or(0, |flags| flags.iter().map(|flag| 56 + flag.len()).sum::<usize>());
        flags
            + self.envelope.as_deref().map_or(0, envelope_weight)
            + self.parts.as_deref().map_or(0, parts_weight)
    }

    /// Octets in memory, roughly, and how many of them describe the message.
    pub(crate) fn weight(&self) -> (usize, usize) {
        let bodies = [&self.header, &self.text, &self.body].into_iter().flatten().map(|body| match body {
            Body::Octets(octets) | Body::Cut(octets) => octets.len(),
            Body::Streamed | Body::Nil => 0,
        });
        let description = self.description();
        (size_of::<Self>() + description + bodies.sum::<usize>(), description)
    }

    /// Without its description, if that is not all here or too much: such a message is named, and nothing is said of it.
    pub(crate) fn bounded(mut self) -> Self {
        self.cut |= self.description() > MAX_DESCRIPTION;
        if self.cut {
            (self.flags, self.envelope, self.parts) = (None, None, None);
        }
        self
    }

    /// The summary, if this is an answer to a FETCH of one (and not an unsolicited change of flags).
    pub(crate) fn into_summary(mut self) -> Option<Summary> {
        let size = self.size?;
        self.fill();
        Some(Summary {
            uid: self.uid?,
            internal_date: self.internal_date,
            flags: self.flags.unwrap_or_default(),
            size,
            envelope: self.envelope.map(|envelope| *envelope).unwrap_or_default(),
            parts: self.parts.unwrap_or_default(),
        })
    }
}

/// Reads the list of a FETCH response.
pub(crate) fn read(sequence: u32, list: Value<'_>) -> Fetch {
    let mut fetch = Fetch { sequence, ..Fetch::default() };
    let mut values = list.values();
    while let (Some(key), Some(value)) = (values.next(), values.next()) {
        let key = key.bytes();
        let is = |name: &str| key.eq_ignore_ascii_case(name.as_bytes());
        let begins = |name: &str| {
            key.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        };
        if is("UID") {
            fetch.uid = value.number();
        } else if is("FLAGS") {
            // \Recent is the server's own, and gone in RFC 9051
            let flags = value.values().filter_map(Value::text);
            fetch.flags = Some(flags.filter(|flag| !flag.eq_ignore_ascii_case("\\Recent")).collect());
        } else if is("INTERNALDATE") {
            fetch.internal_date = value.text().as_deref().and_then(date_time);
        } else if is("RFC822.SIZE") {
            fetch.size = value.number();
        } else if is("ENVELOPE") {
            fetch.envelope = envelope::read(value).map(Box::new);
        } else if is("BODYSTRUCTURE") || is("BODY") {
            let Structure { leaves, odd } = structure::read(value);
            (fetch.parts, fetch.odd) = (leaves, odd);
        } else if is("X-GM-THRID") {
            fetch.thread = value.text();
        } else if is("X-GM-MSGID") {
            fetch.email = value.text();
        } else if is("THREADID") {
            // RFC 8474: one identifier in parentheses, or NIL.
            fetch.thread = value.values().next().and_then(Value::text);
        } else if is("EMAILID") {
            fetch.email = value.values().next().and_then(Value::text);
        } else if begins("BODY[HEADER") {
            fetch.header = Some(body(value));
        } else if begins("BODY[TEXT]") {
            fetch.text = Some(body(value));
        } else if ["BODY[", "BINARY[", "BODY.PEEK[", "BINARY.PEEK["].iter().any(|name| begins(name)) {
            // some servers repeat the name of the request (RFC 3516 §7 has none with PEEK)
            fetch.body = Some(body(value));
            let section = key.split(|octet| matches!(octet, b'[' | b']')).nth(1).unwrap_or_default();
            fetch.section = Some(String::from_utf8_lossy(section).to_ascii_uppercase());
        }
    }
    fetch.amend();
    fetch
}

/// Octets of an envelope in memory, roughly.
pub(crate) fn envelope_weight(envelope: &Envelope) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let people =
        |list: &Vec<Address>| list.iter().map(|one| 80 + text(&one.name) + one.email.len()).sum::<usize>();
    let Envelope { date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id } = envelope;
    size_of::<Envelope>()
        + [date, subject, in_reply_to, message_id].into_iter().map(text).sum::<usize>()
        + [from, sender, reply_to, to, cc, bcc].into_iter().map(people).sum::<usize>()
}

/// Octets of parts in memory, roughly.
pub(crate) fn parts_weight(parts: &[Part]) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let pairs = |list: &[(String, String)]| {
        list.iter().map(|(name, value)| 80 + name.len() + value.len()).sum::<usize>()
    };
    let part = |part: &Part| {
        let Part { section, media_type, content_id, encoding, disposition, .. } = part;
        let texts = section.len() + media_type.len() + encoding.len() + text(content_id) + text(disposition);
        256 + texts + pairs(&part.parameters) + pairs(&part.disposition_parameters)
    };
    // a list that grew has room for twice what it holds
    256 + parts.iter().map(part).sum::<usize>()
}

fn body(value: Value<'_>) -> Body {
    match value.octets() {
        _ if value.is_nil() => Body::Nil,
        Octets::Streamed => Body::Streamed,
        Octets::Cut(octets) => Body::Cut(Bytes::copy_from_slice(octets)),
        Octets::Here(_) => Body::Octets(Bytes::copy_from_slice(&value.string().unwrap_or_default())),
    }
}

/// `17-Jul-1996 02:44:25 -0700` (RFC 9051 `date-time`); the day may have one digit or a leading space.
fn date_time(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let (date, clock, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.splitn(3, '-');
    let (day, month, year) = (date.next()?.parse().ok()?, date.next()?, date.next()?.parse().ok()?);
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = (1..).zip(months).find(|(_, name)| month.eq_ignore_ascii_case(name))?.0;
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let (sign, digits) = (if zone.starts_with('-') { -1 } else { 1 }, zone.get(1..5)?);
    let (hours, minutes): (i8, i8) = (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?);
    let offset = UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let at = date.with_time(Time::from_hms(hour, minute, second.min(59)).ok()?).assume_offset(offset);
    Some(Timestamp(at.unix_timestamp() * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_dates_are_read_in_their_zone() {
        let read = |text| date_time(text).map(Timestamp::to_rfc3339);
        assert_eq!(read("17-Jul-1996 02:44:25 -0700").as_deref(), Some("1996-07-17T09:44:25Z"));
        assert_eq!(read(" 1-jan-2026 00:00:60 +0130").as_deref(), Some("2025-12-31T22:30:59Z"));
        for bad in ["", "1-Foo-2026 00:00:00 +0000", "1-Jan-2026 25:00:00 +0000", "1-Jan-2026 00:00:00 +00é"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
