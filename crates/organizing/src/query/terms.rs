//! Terms with a key: what they ask for.

use super::{DAY, Parser, QueryError, days_ago, in_body, wrong};
use imapmcp_core::{
    mail::{Criterion, Flag},
    time::Timestamp,
};

impl Parser<'_> {
    /// A term with a key.
    pub(super) fn keyed(&mut self, key: &str, value: String) -> Result<Option<Criterion>, QueryError> {
        Ok(Some(match key {
            "from" => Criterion::From(value),
            "to" => Criterion::To(value),
            "cc" => Criterion::Cc(value),
            "bcc" => Criterion::Bcc(value),
            "subject" => Criterion::Subject(value),
            "body" => {
                let (criterion, since) = in_body(&value, self.dated, self.now);
                self.query.text_since = self.query.text_since.or(since);
                criterion
            }
            "rfc822msgid" => Criterion::Header("Message-ID", value),
            "filename" => Criterion::Filename(value),
            "list" => Criterion::Header("List-Id", value),
            "label" => Criterion::Label(value),
            "keyword" => match Flag::parse(&value) {
                Some(flag) => Criterion::Keyword(flag),
                None => {
                    return wrong(format!("has `keyword:{value}`, which is no keyword such as $Forwarded"));
                }
            },
            "in" | "folder" => {
                self.query.folders.push(value);
                return Ok(None);
            }
            "has" => match value.to_ascii_lowercase().as_str() {
                "attachment" | "attachments" => Criterion::HasAttachment,
                _ => return wrong(format!("has `has:{value}`; known is has:attachment")),
            },
            "is" => is(&value)?,
            "larger" | "size" => Criterion::Larger(size(&value)?),
            "smaller" => Criterion::Smaller(size(&value)?),
            "after" | "since" | "newer" => Criterion::Since(self.moment(&value)?.0),
            "before" | "older" => Criterion::Before(self.moment(&value)?.0),
            "until" => match self.moment(&value)? {
                (day, true) => Criterion::Before(day.plus_seconds(DAY)),
                (moment, false) => Criterion::Before(moment.plus_seconds(1)),
            },
            "on" => {
                let day = midnight(self.moment(&value)?.0);
                Criterion::And(vec![Criterion::Since(day), Criterion::Before(day.plus_seconds(DAY))])
            }
            "newer_than" => Criterion::Since(self.ago(&value)?),
            _ => Criterion::Before(self.ago(&value)?),
        }))
    }

    /// `2026-11-22`, `2026/11/22`, `today`, `yesterday`: the midnight (UTC) with which it begins; or an age such as `7d`, or a
    /// time. Whether it is a day.
    fn moment(&self, text: &str) -> Result<(Timestamp, bool), QueryError> {
        match text {
            "today" => return Ok((midnight(self.now), true)),
            "yesterday" => return Ok((midnight(days_ago(self.now, 1)), true)),
            _ => {}
        }
        if let Some(at) = Timestamp::from_rfc3339(&text.replace('/', "-")) {
            return Ok((at, text.len() == 10));
        }
        let ago = self.ago(text).or_else(|_| {
            wrong(format!(
                "has `{text}`, which is not a day such as 2026-11-22 or a time such as 2026-11-22T08:00:00Z"
            ))
        });
        ago.map(|at| (at, false))
    }

    /// `7d`, `2w`, `3m`, `1y`.
    fn ago(&self, text: &str) -> Result<Timestamp, QueryError> {
        let unit = text.chars().last().map(|unit| unit.to_ascii_lowercase());
        let days = match unit {
            Some('d') => 1,
            Some('w') => 7,
            Some('m') => 30,
            Some('y') => 365,
            _ => return wrong(format!("has `{text}`, which is not an age such as 7d, 2w, 3m or 1y")),
        };
        match text[..text.len() - 1].parse::<u16>() {
            Ok(count) => Ok(days_ago(self.now, i64::from(count) * days)),
            Err(_) => wrong(format!("has `{text}`, which is not an age such as 7d, 2w, 3m or 1y")),
        }
    }
}

fn is(value: &str) -> Result<Criterion, QueryError> {
    Ok(match value.to_ascii_lowercase().as_str() {
        "unread" | "unseen" => Criterion::Unseen,
        "read" | "seen" => Criterion::Seen,
        "flagged" | "starred" => Criterion::Flagged,
        "answered" | "replied" => Criterion::Answered,
        "draft" => Criterion::Draft,
        _ => {
            return wrong(format!(
                "has `is:{value}`; known are is:unread, is:read, is:flagged, is:answered and is:draft"
            ));
        }
    })
}

/// `500000`, `500k`, `5M`, `1G`.
fn size(text: &str) -> Result<u32, QueryError> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (number, unit) = match lower.chars().last() {
        Some('k') => (&lower[..lower.len() - 1], 1024),
        Some('m') => (&lower[..lower.len() - 1], 1024 * 1024),
        Some('g') => (&lower[..lower.len() - 1], 1024 * 1024 * 1024),
        _ => (lower, 1),
    };
    let octets = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match octets.map(|octets| u32::try_from(octets).unwrap_or(u32::MAX)) {
        Some(octets) => Ok(octets),
        None => wrong(format!("has `{text}`, which is not a size such as 500k or 5M")),
    }
}

/// The beginning of a day (UTC).
fn midnight(at: Timestamp) -> Timestamp {
    Timestamp(at.seconds().div_euclid(DAY) * DAY * 1_000)
}
