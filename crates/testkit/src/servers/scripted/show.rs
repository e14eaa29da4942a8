//! What FETCH shows.

use super::wire::nstring;
use imapmcp_core::mail::{Address, Envelope, Part};

/// Of a header the fields that `HEADER.FIELDS (A B)` names.
pub(super) fn fields(header: &[u8], asked: &str) -> Vec<u8> {
    let names: Vec<&str> = asked.trim_start_matches("HEADER.FIELDS").split([' ', '(', ')']).collect();
    let (mut out, mut taken) = (Vec::new(), false);
    for line in header.split_inclusive(|octet| *octet == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
            taken = names.iter().any(|own| !own.is_empty() && name.eq_ignore_ascii_case(own.as_bytes()));
        }
        if taken {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

pub(super) fn envelope(envelope: &Envelope) -> String {
    let text = |text: &Option<String>| nstring(text.as_deref());
    let lists =
        [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc]
            .map(|list| addresses(list))
            .join(" ");
    format!(
        "({} {} {lists} {} {})",
        text(&envelope.date),
        text(&envelope.subject),
        text(&envelope.in_reply_to),
        text(&envelope.message_id)
    )
}

fn addresses(list: &[Address]) -> String {
    if list.is_empty() {
        return "NIL".to_owned();
    }
    let one = |address: &Address| {
        let (mailbox, host) = address.email.split_once('@').unwrap_or((&address.email, "localhost"));
        format!(
            "({} NIL {} {})",
            nstring(address.name.as_deref()),
            nstring(Some(mailbox)),
            nstring(Some(host))
        )
    };
    format!("({})", list.iter().map(one).collect::<String>())
}

/// The tree that the sections of the leaves speak of; every inner part is multipart/mixed.
pub(super) fn structure(parts: &[Part]) -> String {
    let sections: Vec<Vec<u32>> = parts
        .iter()
        .map(|part| part.section.split('.').map(|number| number.parse().unwrap()).collect())
        .collect();
    if parts.len() == 1 && sections[0].len() == 1 {
        return leaf(&parts[0]);
    }
    branch(parts, &sections, 0)
}

fn branch(parts: &[Part], sections: &[Vec<u32>], depth: usize) -> String {
    let (mut children, mut start) = (String::new(), 0);
    while start < parts.len() {
        let number = sections[start][depth];
        let end = (start..parts.len()).find(|at| sections[*at][depth] != number).unwrap_or(parts.len());
        let inner = sections[start].len() > depth + 1;
        children.push_str(&if inner {
            branch(&parts[start..end], &sections[start..end], depth + 1)
        } else {
            leaf(&parts[start])
        });
        start = end;
    }
    format!("({children} \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)")
}

fn leaf(part: &Part) -> String {
    let (kind, subtype) = part.media_type.split_once('/').unwrap();
    let pairs = |list: &[(String, String)]| {
        if list.is_empty() {
            return "NIL".to_owned();
        }
        let one =
            |(name, value): &(String, String)| format!("{} {}", nstring(Some(name)), nstring(Some(value)));
        format!("({})", list.iter().map(one).collect::<Vec<_>>().join(" "))
    };
    let disposition = match &part.disposition {
        None => "NIL".to_owned(),
        Some(word) => format!("({} {})", nstring(Some(word)), pairs(&part.disposition_parameters)),
    };
    let lines = if kind == "text" { " 1" } else { "" };
    format!(
        "({} {} {} {} NIL {} {}{lines} NIL {disposition} NIL NIL)",
        nstring(Some(kind)),
        nstring(Some(subtype)),
        pairs(&part.parameters),
        nstring(part.content_id.as_deref()),
        nstring(Some(&part.encoding)),
        part.size
    )
}
