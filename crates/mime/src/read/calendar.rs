//! Invitations (RFC 5545, RFC 5546) as a few lines.

use crate::header::{first_octets, one_line};
use std::fmt::Write as _;

/// Octets of a calendar that are read.
const MAX_OCTETS: usize = 256 * 1024;
/// Events that are told.
const MAX_EVENTS: usize = 10;
/// People of one event that are told.
const MAX_PEOPLE: usize = 20;
/// Characters of one value.
const MAX_VALUE: usize = 300;
/// Characters of the description.
const MAX_DESCRIPTION: usize = 2_000;

#[derive(Default)]
struct Event {
    summary: String,
    status: String,
    start: String,
    end: String,
    duration: String,
    location: String,
    recurrence: String,
    organiser: String,
    attendees: Vec<String>,
    people: usize,
    description: String,
    task: bool,
}

/// Method, summary, start and end (with zone), place, recurrence, organiser, attendees and description of a
/// `text/calendar` part, as short Markdown; at most ten events. `None` when it holds none.
pub fn summary(ics: &str) -> Option<String> {
    let ics = first_octets(ics, MAX_OCTETS);
    let (mut method, mut events) = (String::new(), Vec::new());
    let (mut open, mut inner, mut more): (Option<Event>, usize, usize) = (None, 0, 0);
    for line in unfolded(ics) {
        let Some((head, value)) = split_value(&line) else { continue };
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        let name = name.trim().to_ascii_uppercase();
        match (name.as_str(), &mut open) {
            ("BEGIN", None) if is(value, "VEVENT") || is(value, "VTODO") => {
                (open, inner) = (Some(Event { task: is(value, "VTODO"), ..Event::default() }), 0);
            }
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner > 0 => inner -= 1,
            ("END", Some(_)) => {
                if events.len() < MAX_EVENTS {
                    events.extend(open.take());
                } else {
                    (open, more) = (None, more + 1);
                }
            }
            ("METHOD", None) => method = said(value, 20).to_ascii_uppercase(),
            // alarms within an event have summaries of their own
            (name, Some(event)) if inner == 0 => event.take(name, parameters, value),
            _ => {}
        }
    }
    if events.len() < MAX_EVENTS {
        events.extend(open.take());
    }
    let pieces: Vec<String> = events.iter().filter_map(|event| event.text(&method)).collect();
    if pieces.is_empty() {
        return None;
    }
    let mut text = pieces.join("\n\n");
    if more > 0 {
        let _ = write!(text, "\n\n(and {more} more)");
    }
    Some(text)
}

fn is(value: &str, word: &str) -> bool {
    value.trim().eq_ignore_ascii_case(word)
}

impl Event {
    fn take(&mut self, name: &str, parameters: &str, value: &str) {
        let slot = match name {
            "SUMMARY" => &mut self.summary,
            "STATUS" => &mut self.status,
            "LOCATION" => &mut self.location,
            "DURATION" => &mut self.duration,
            "RRULE" => &mut self.recurrence,
            "DESCRIPTION" => {
                if self.description.is_empty() {
                    self.description = said(value, MAX_DESCRIPTION);
                }
                return;
            }
            "DTSTART" | "DTEND" | "DUE" => {
                let slot = if name == "DTSTART" { &mut self.start } else { &mut self.end };
                if slot.is_empty() {
                    *slot = when(parameters, value);
                }
                return;
            }
            "ORGANIZER" => {
                if self.organiser.is_empty() {
                    self.organiser = person(parameters, value);
                }
                return;
            }
            "ATTENDEE" => {
                self.people += 1;
                if self.attendees.len() < MAX_PEOPLE {
                    self.attendees.push(person(parameters, value));
                }
                return;
            }
            _ => return,
        };
        if slot.is_empty() {
            *slot = said(value, MAX_VALUE);
        }
    }

    fn text(&self, method: &str) -> Option<String> {
        if self.summary.is_empty() && self.start.is_empty() && self.organiser.is_empty() {
            return None;
        }
        let kind = match (method, self.task) {
            ("REQUEST", false) => "Invitation",
            ("CANCEL", _) => "Cancelled",
            ("REPLY", _) => "Answer to an invitation",
            ("COUNTER", _) => "Counter-proposal",
            (_, true) => "Task",
            _ => "Event",
        };
        let title = if self.summary.is_empty() { "(no title)" } else { &self.summary };
        let mut text = format!("**{kind}: {title}**");
        let mut row = |name: &str, value: &str| {
            if !value.is_empty() {
                let _ = write!(text, "\n- {name}: {value}");
            }
        };
        let end = if self.end.is_empty() { &self.duration } else { &self.end };
        match (self.start.is_empty(), end.is_empty(), self.end.is_empty()) {
            (true, ..) => row("Due", &self.end),
            (false, true, _) => row("When", &self.start),
            (false, false, true) => row("When", &format!("{} for {end}", self.start)),
            (false, false, false) => row("When", &format!("{} to {end}", self.start)),
        }
        row("Repeats", &self.recurrence);
        row("Where", &self.location);
        row("Status", &self.status.to_ascii_lowercase());
        row("Organiser", &self.organiser);
        let mut people = self.attendees.join(", ");
        if self.people > self.attendees.len() {
            let _ = write!(people, ", and {} more", self.people - self.attendees.len());
        }
        row("Attendees", &people);
        if !self.description.is_empty() {
            let _ = write!(text, "\n\n{}", self.description);
        }
        Some(text)
    }
}

/// Content lines, folded ones joined (RFC 5545 §3.1).
fn unfolded(ics: &str) -> impl Iterator<Item = String> {
    let mut lines = ics.split('\n').map(|line| line.trim_end_matches('\r')).peekable();
    std::iter::from_fn(move || {
        let mut line = lines.next()?.to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            line.push_str(&more[1..]);
        }
        Some(line)
    })
}

/// Splits a content line at the first colon outside quotes.
fn split_value(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = line.bytes().position(|octet| {
        quoted ^= octet == b'"';
        octet == b':' && !quoted
    })?;
    Some((&line[..at], &line[at + 1..]))
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut quoted = false;
    let mut pieces = parameters.split(move |c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    pieces.find_map(|piece| {
        let (key, value) = piece.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// A TEXT value on one line (RFC 5545 §3.3.11), shortened.
fn said(value: &str, limit: usize) -> String {
    let plain = value
        .replace("\\n", " ")
        .replace("\\N", " ")
        .replace("\\,", ",")
        .replace("\\;", ";")
        .replace("\\\\", "\\");
    let line = one_line(first_octets(&plain, limit * 8));
    if line.chars().count() <= limit {
        return line;
    }
    let mut short: String = line.chars().take(limit - 1).collect();
    short.push('…');
    short
}

/// `20260503T100000` with its zone, as `2026-05-03 10:00 (Europe/Berlin)`; what is no date stays as it is.
fn when(parameters: &str, value: &str) -> String {
    let value = value.trim();
    let digits = |from: usize, to: usize| {
        value.get(from..to).filter(|piece| piece.bytes().all(|octet| octet.is_ascii_digit()))
    };
    let (Some(year), Some(month), Some(day)) = (digits(0, 4), digits(4, 6), digits(6, 8)) else {
        return said(value, 40);
    };
    let date = format!("{year}-{month}-{day}");
    let (Some(hour), Some(minute)) = (digits(9, 11), digits(11, 13)) else { return date };
    let zone = match parameter(parameters, "TZID") {
        _ if value.ends_with('Z') => " UTC".to_owned(),
        Some(zone) => format!(" ({})", said(zone, 60)),
        None => String::new(),
    };
    format!("{date} {hour}:{minute}{zone}")
}

/// `Name <address> (accepted)`.
fn person(parameters: &str, value: &str) -> String {
    let address = value.trim();
    let address = if address.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:")) {
        &address[7..]
    } else {
        address
    };
    let address = said(address, 100);
    let mut text = match parameter(parameters, "CN").map(|name| said(name, 60)) {
        Some(name) if !name.is_empty() && name != address => format!("{name} <{address}>"),
        _ => address,
    };
    if let Some(answer) = parameter(parameters, "PARTSTAT").filter(|answer| !is(answer, "NEEDS-ACTION")) {
        let _ = write!(text, " ({})", said(answer, 20).to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_told_in_a_few_lines() {
        let ics = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nDTSTART:19700101T000000\r\nEND:VTIMEZONE\r\n\
            BEGIN:VEVENT\r\nSUMMARY:Lunch\\, at\r\n  last\r\nDTSTART;TZID=Europe/Berlin:20260503T120000\r\n\
            DTEND;TZID=Europe/Berlin:20260503T130000\r\nRRULE:FREQ=WEEKLY\r\nLOCATION:Room 1\r\n\
            ORGANIZER;CN=\"Curie: Marie\":mailto:m@a.example\r\nATTENDEE;PARTSTAT=ACCEPTED:MAILTO:p@a.example\r\n\
            BEGIN:VALARM\r\nDESCRIPTION:Reminder\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            summary(ics).unwrap(),
            "**Invitation: Lunch, at last**\n- When: 2026-05-03 12:00 (Europe/Berlin) to 2026-05-03 13:00 (Europe/Berlin)\n\
             - Repeats: FREQ=WEEKLY\n- Where: Room 1\n- Organiser: Curie: Marie <m@a.example>\n- Attendees: p@a.example (accepted)"
        );
    }

    #[test]
    fn a_calendar_without_events_or_with_too_many_is_told() {
        assert_eq!(summary("BEGIN:VCALENDAR\r\nEND:VCALENDAR"), None);
        assert_eq!(summary("nothing"), None);
        let many = "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n".repeat(12);
        assert!(summary(&many).unwrap().ends_with("(and 2 more)"));
        let all_day = "BEGIN:VEVENT\nSUMMARY:x\nDTSTART;VALUE=DATE:20260503\nDURATION:P1D\nEND:VEVENT\n";
        assert_eq!(summary(all_day).unwrap(), "**Event: x**\n- When: 2026-05-03 for P1D");
    }
}
