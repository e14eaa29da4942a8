//! Conditions judged on our side, by what a summary says.

use imapmcp_core::mail::{Address, Criterion, Part, Summary};
use imapmcp_mime::{attachment, header::decoded};

/// Whether a message carries a file: a part that is sent as an attachment, or has a name and is not shown in the text.
pub(crate) fn has_attachment(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part.disposition.as_deref() {
        Some("attachment") => true,
        Some("inline") if part.content_id.is_some() => false,
        _ => part.disposition_parameter("filename").or_else(|| part.parameter("name")).is_some(),
    })
}

/// Whether a part has a file name that contains this.
pub(crate) fn has_file(parts: &[Part], text: &str) -> bool {
    attachment::list(parts).iter().any(|file| contains(&file.filename, text))
}

/// Whether a message matches, as far as its summary tells: `None` where only the server can know. Depth is bounded by
/// `wire_text::criterion`.
pub(crate) fn judge(criterion: &Criterion, summary: &Summary) -> Option<bool> {
    let flag = |flag: &str| Some(summary.flags.iter().any(|own| own.eq_ignore_ascii_case(flag)));
    let envelope = &summary.envelope;
    match criterion {
        Criterion::And(all) => both(all.iter().map(|one| judge(one, summary)), false),
        Criterion::Or(a, b) => both([judge(a, summary), judge(b, summary)].into_iter(), true),
        Criterion::Not(one) => judge(one, summary).map(|matches| !matches),
        Criterion::From(text) => Some(addresses(&envelope.from, text)),
        Criterion::To(text) => Some(addresses(&envelope.to, text)),
        Criterion::Cc(text) => Some(addresses(&envelope.cc, text)),
        Criterion::Bcc(text) => Some(addresses(&envelope.bcc, text)),
        Criterion::Subject(text) => {
            Some(contains(&decoded(envelope.subject.as_deref().unwrap_or_default()), text))
        }
        Criterion::HasAttachment => Some(has_attachment(&summary.parts)),
        Criterion::Unseen => flag("\\Seen").map(|seen| !seen),
        Criterion::Seen => flag("\\Seen"),
        Criterion::Flagged => flag("\\Flagged"),
        Criterion::Answered => flag("\\Answered"),
        Criterion::Draft => flag("\\Draft"),
        Criterion::Keyword(keyword) => flag(keyword.as_str()),
        Criterion::Larger(octets) => Some(summary.size > u64::from(*octets)),
        Criterion::Smaller(octets) => Some(summary.size < u64::from(*octets)),
        Criterion::Since(moment) => Some(summary.internal_date?.seconds() >= moment.seconds()),
        Criterion::Before(moment) => Some(summary.internal_date?.seconds() < moment.seconds()),
        Criterion::Filename(text) => Some(has_file(&summary.parts, text)),
        // A summary has no text.
        Criterion::Label(_) | Criterion::Body(_) | Criterion::Text(_) | Criterion::Header(..) => None,
    }
}

/// `decisive` if any is, its opposite if all are, else nothing.
fn both(mut all: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    all.try_fold(Some(!decisive), |sum, one| match one {
        Some(one) if one == decisive => Err(()),
        one => Ok(sum.and(one)),
    })
    .unwrap_or(Some(decisive))
}

pub(crate) fn contains(whole: &str, part: &str) -> bool {
    whole.to_lowercase().contains(&part.to_lowercase())
}

pub(crate) fn addresses(list: &[Address], text: &str) -> bool {
    list.iter().any(|one| {
        let name = one.name.as_deref().map(decoded).unwrap_or_default();
        contains(&format!("{name} <{}>", one.email), text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_decided() {
        let summary = Summary { flags: vec!["\\SEEN".to_owned()], size: 10, ..Summary::default() };
        let (yes, no, open) = (Criterion::Seen, Criterion::Unseen, Criterion::Body("x".into()));
        let or = |a: &Criterion, b: &Criterion| Criterion::Or(Box::new(a.clone()), Box::new(b.clone()));
        for (criterion, verdict) in [
            (Criterion::And(vec![]), Some(true)),
            (Criterion::And(vec![yes.clone(), open.clone()]), None),
            (Criterion::And(vec![open.clone(), no.clone()]), Some(false)),
            (or(&yes, &open), Some(true)),
            (or(&no, &open), None),
            (or(&no, &Criterion::Larger(10)), Some(false)),
            (Criterion::Not(Box::new(open.clone())), None),
            (Criterion::Not(Box::new(Criterion::HasAttachment)), Some(true)),
        ] {
            assert_eq!(judge(&criterion, &summary), verdict, "{criterion:?}");
        }
    }
}
