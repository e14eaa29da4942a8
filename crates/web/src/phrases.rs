//! Times and sizes as people say them.

use imapmcp_core::time::Timestamp;

/// `3 minutes ago`, relative up to a day, then the date.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.seconds() - at.seconds()).max(0);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => count(seconds / 60, "minute") + " ago",
        3600..86_400 => count(seconds / 3600, "hour") + " ago",
        _ => format!("on {}", date(at)),
    }
}

/// `in 3 minutes`, `in 2 hours, 20 minutes`, `in 6 days, 3 hours`: relative, because nobody knows the reader's time zone; after
/// a month the moment.
pub(crate) fn ahead(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.seconds() - now.seconds();
    let both = |large: i64, noun: &str, small: i64, lesser: &str| match small {
        0 => format!("in {}", count(large, noun)),
        _ => format!("in {}, {}", count(large, noun), count(small, lesser)),
    };
    match seconds {
        ..=0 => "now".to_owned(),
        1..60 => format!("in {}", count(seconds, "second")),
        60..3600 => format!("in {}", count(seconds / 60, "minute")),
        3600..86_400 => both(seconds / 3600, "hour", seconds % 3600 / 60, "minute"),
        86_400..2_592_000 => both(seconds / 86_400, "day", seconds % 86_400 / 3600, "hour"),
        _ => format!("on {}", moment(at)),
    }
}

fn count(number: i64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `22 November 2026` (UTC).
pub(crate) fn date(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let (year, month, day) = at.date();
    let month = MONTHS.get(usize::from(month).saturating_sub(1)).unwrap_or(&"January");
    format!("{day} {month} {year}")
}

/// `22 November 2026, 14:31 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    format!("{}, {} UTC", date(at), text.get(11..16).unwrap_or_default())
}

/// `1.2 MB`, in powers of ten.
pub(crate) fn size(octets: u64) -> String {
    let tenths = |unit: u64| (octets * 10).div_ceil(unit);
    match octets {
        0..1000 => count(i64::try_from(octets).unwrap_or_default(), "byte"),
        1000..999_950 => format!("{}.{} KB", tenths(1000) / 10, tenths(1000) % 10),
        _ => format!("{}.{} MB", tenths(1_000_000) / 10, tenths(1_000_000) % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_up_to_a_day() {
        let now = Timestamp::from_rfc3339("2026-11-22T21:00:00Z").unwrap();
        for (seconds, words) in
            [(0, "just now"), (60, "1 minute ago"), (7199, "1 hour ago"), (86_400, "on 21 November 2026")]
        {
            assert_eq!(ago(now.plus_seconds(-seconds), now), words);
        }
    }

    #[test]
    fn times_to_come_are_told_to_what_matters() {
        let now = Timestamp::from_rfc3339("2026-11-22T21:00:00Z").unwrap();
        for (seconds, words) in [
            (-5, "now"),
            (30, "in 30 seconds"),
            (119, "in 1 minute"),
            (3600, "in 1 hour"),
            (2 * 3600 + 20 * 60, "in 2 hours, 20 minutes"),
            (86_400, "in 1 day"),
            (86_400 + 17 * 3600 + 59, "in 1 day, 17 hours"),
            (6 * 86_400 + 3600, "in 6 days, 1 hour"),
            (31 * 86_400, "on 23 December 2026, 21:00 UTC"),
        ] {
            assert_eq!(ahead(now.plus_seconds(seconds), now), words, "{seconds}");
        }
    }

    #[test]
    fn sizes_are_told_in_words_of_people() {
        for (octets, words) in
            [(1, "1 byte"), (999, "999 bytes"), (12_345, "12.4 KB"), (26_214_400, "26.3 MB")]
        {
            assert_eq!(size(octets), words);
        }
    }
}
