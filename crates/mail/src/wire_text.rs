//! What callers may put on the wire at all, before any encoder sees it.

use imapmcp_core::mail::{Beginning, Criterion, FolderName, MailError, TransferKind};

/// A section that is well-formed but not in the message.
pub(crate) const NO_SUCH_PART: MailError = MailError::Invalid("the message has no such part");

/// Deepest nesting of a search.
const MAX_DEPTH: usize = 20;
/// Conditions of one search.
const MAX_TERMS: usize = 100;
/// Octets of one search string.
const MAX_TERM: usize = 1_000;
/// Octets of the beginning of a text.
const MAX_BEGINNING: u32 = 1 << 20;
/// Octets of a folder name.
const MAX_NAME: usize = 1_000;

/// A folder name: not empty, not absurdly long, no control characters.
pub(crate) fn folder(name: &str) -> Result<(), MailError> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(MailError::Invalid("a folder name has 1 to 1000 octets"));
    }
    if name.chars().any(char::is_control) {
        return Err(MailError::Invalid("a folder name cannot contain control characters"));
    }
    Ok(())
}

/// Start and length of the octets of `BODY[TEXT]` that a section such as `TEXT<7.3>` names: a part that the server does
/// not know of.
pub(crate) fn stretch(section: &str) -> Option<(u32, u32)> {
    let (start, length) = section.strip_prefix("TEXT<")?.strip_suffix('>')?.split_once('.')?;
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?;
    Some((number(start)?, number(length)?))
}

/// A body section: dotted numbers, then perhaps `TEXT`, `HEADER` or `MIME` (RFC 9051 `section-spec`); or a
/// [`stretch`] of the text.
pub(crate) fn section(text: &str) -> Result<(), MailError> {
    if stretch(text).is_some() {
        return Ok(());
    }
    let (numbers, word) = match text.rsplit_once('.') {
        _ if matches!(text, "" | "TEXT" | "HEADER") => ("", ""),
        Some((numbers, word @ ("TEXT" | "HEADER" | "MIME"))) => (numbers, word),
        _ => (text, ""),
    };
    let number =
        |part: &str| part.len() <= 4 && part.parse::<u16>().is_ok_and(|n| n > 0) && !part.starts_with('+');
    let plain = numbers.is_empty() && word.is_empty() && matches!(text, "" | "TEXT" | "HEADER");
    if text.len() <= 128 && (plain || numbers.split('.').all(number)) {
        Ok(())
    } else {
        Err(MailError::Invalid("a body section is dotted numbers such as 2.1, or TEXT, HEADER"))
    }
}

/// Beginnings of sections: no more than one command should ask for.
pub(crate) fn beginnings(wanted: &[Beginning]) -> Result<(), MailError> {
    const MOST: usize = 400;
    const OCTETS: u64 = 32 << 20;
    let octets: u64 = wanted.iter().map(|one| u64::from(one.octets)).sum();
    if wanted.len() > MOST || octets > OCTETS || wanted.iter().any(|one| one.octets == 0) {
        return Err(MailError::Invalid("beginnings are of at most 400 sections and 32 MiB together"));
    }
    wanted.iter().try_for_each(|one| section(&one.section))
}

/// A search: bounded, and free of what no search string may contain.
pub(crate) fn criterion(root: &Criterion) -> Result<(), MailError> {
    let (mut open, mut terms) = (vec![(root, 0)], 0);
    while let Some((criterion, depth)) = open.pop() {
        terms += 1;
        if depth > MAX_DEPTH || terms > MAX_TERMS {
            return Err(MailError::Invalid("the search has too many conditions"));
        }
        match criterion {
            Criterion::And(all) => open.extend(all.iter().map(|one| (one, depth + 1))),
            Criterion::Or(a, b) => open.extend([(&**a, depth + 1), (&**b, depth + 1)]),
            Criterion::Not(one) => open.push((one, depth + 1)),
            Criterion::Keyword(flag) => {
                let known = ["\\seen", "\\flagged", "\\answered", "\\draft", "\\deleted"];
                let own = flag.as_str().to_ascii_lowercase();
                if own.starts_with('\\') && !known.contains(&own.as_str()) {
                    return Err(MailError::Invalid("a keyword has no backslash"));
                }
            }
            leaf => {
                let text = leaf.text().unwrap_or_default();
                if text.len() > MAX_TERM {
                    return Err(MailError::Invalid("a search string has at most 1000 octets"));
                }
                if text.chars().any(|c| c.is_control() && c != '\t') {
                    return Err(MailError::Invalid("a search string cannot contain control characters"));
                }
            }
        }
    }
    Ok(())
}

/// A move to where the messages are already would only renumber them.
pub(crate) fn not_onto_itself(
    from: &FolderName,
    to: &FolderName,
    kind: TransferKind,
) -> Result<(), MailError> {
    if kind == TransferKind::Move && from == to {
        return Err(MailError::Invalid("the messages are in that folder already"));
    }
    Ok(())
}

/// INBOX is always there; renaming it would empty it instead (RFC 9051 §6.3.6).
pub(crate) fn not_inbox(folder: &FolderName) -> Result<(), MailError> {
    if folder.is_inbox() {
        return Err(MailError::Invalid("INBOX can be neither renamed nor deleted"));
    }
    Ok(())
}

/// UIDs of a bulk change: at most 500, none zero; sorted and without doubles.
pub(crate) fn uids(uids: &[u32]) -> Result<Vec<u32>, MailError> {
    if uids.len() > 500 || uids.contains(&0) {
        return Err(MailError::Invalid("name 1 to 500 messages by their UIDs"));
    }
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    Ok(sorted)
}

/// Octets of each message's text to bring along.
pub(crate) fn beginning(octets: u32) -> Result<(), MailError> {
    if octets <= MAX_BEGINNING {
        Ok(())
    } else {
        Err(MailError::Invalid("the beginning of a text has at most 1 MiB"))
    }
}

/// The page size, within its bounds.
pub(crate) fn limit(limit: u32) -> Result<usize, MailError> {
    if (1..=200).contains(&limit) {
        Ok(limit as usize)
    } else {
        Err(MailError::Invalid("the limit is 1 to 200"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_section_numbers_and_three_words_are_sections() {
        for good in
            ["", "TEXT", "HEADER", "1", "2.1", "10.2.3", "1.MIME", "2.1.HEADER", "2.TEXT", "TEXT<7.30>"]
        {
            assert_eq!(section(good), Ok(()), "{good:?}");
        }
        for bad in [
            "0",
            "1.",
            ".1",
            "1..2",
            "1]",
            "1 FLAGS",
            "text",
            "MIME",
            "+1",
            "1.0",
            "99999",
            "a\r\nb",
            "TEXT<1>",
            "TEXT<+1.2>",
            "TEXT<1.99999999999>",
            "1<0.5>",
            "TEXT<.>",
        ] {
            assert!(section(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn control_characters_never_get_as_far_as_an_encoder() {
        assert!(folder("a\r\nb").is_err() && folder("a\0").is_err() && folder("").is_err());
        assert!(folder("Entwürfe & \"Co\"").is_ok());
        assert!(criterion(&Criterion::Not(Box::new(Criterion::Subject("x\r\na1 LOGOUT".into())))).is_err());
        assert!(criterion(&Criterion::And(vec![Criterion::Unseen; 101])).is_err());
    }
}
