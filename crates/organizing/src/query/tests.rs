use super::*;
use imapmcp_core::mail::Flag;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_392_000);

fn query(text: &str) -> Query {
    parse(text, NOW).unwrap()
}

fn from(who: &str) -> Criterion {
    Criterion::From(who.to_owned())
}

#[test]
fn what_webmail_users_write_is_understood() {
    let day = |text: &str| Timestamp::from_rfc3339(text).unwrap();
    for (text, criterion) in [
        ("from:marie", from("marie")),
        ("FROM:\"Marie Curie\"", from("Marie Curie")),
        ("-from:marie", Criterion::Not(Box::new(from("marie")))),
        ("from:a OR from:b", Criterion::Or(Box::new(from("a")), Box::new(from("b")))),
        ("(from:a)", from("a")),
        ("is:unread has:attachment", Criterion::And(vec![Criterion::Unseen, Criterion::HasAttachment])),
        ("larger:5M", Criterion::Larger(5 * 1024 * 1024)),
        ("smaller:500kb", Criterion::Smaller(500 * 1024)),
        ("after:2026/01/02", Criterion::Since(day("2026-01-02"))),
        ("before:2026-01-02", Criterion::Before(day("2026-01-02"))),
        ("until:2026-01-02", Criterion::Before(day("2026-01-03"))),
        ("newer_than:7d", Criterion::Since(NOW.plus_seconds(-7 * DAY))),
        ("rfc822msgid:<a@b>", Criterion::Header("Message-ID", "<a@b>".to_owned())),
    ] {
        assert_eq!(query(text).criterion, Some(criterion), "{text}");
    }
}

#[test]
fn moments_keys_and_operators_are_understood() {
    let day = |text: &str| Timestamp::from_rfc3339(text).unwrap();
    for (text, criterion) in [
        ("newer:2026-01-02", Criterion::Since(day("2026-01-02"))),
        ("older:2026-01-02", Criterion::Before(day("2026-01-02"))),
        ("after:2026-01-02T03:04:05Z", Criterion::Since(day("2026-01-02T03:04:05Z"))),
        ("until:2026-01-02T03:04:05Z", Criterion::Before(day("2026-01-02T03:04:06Z"))),
        ("size:5M", Criterion::Larger(5 * 1024 * 1024)),
        ("filename:report.pdf", Criterion::Filename("report.pdf".to_owned())),
        ("filename:\"annual report\"", Criterion::Filename("annual report".to_owned())),
        ("list:dev.example.org", Criterion::Header("List-Id", "dev.example.org".to_owned())),
        ("label:Projects/Roof", Criterion::Label("Projects/Roof".to_owned())),
        ("keyword:$Forwarded", Criterion::Keyword(Flag::parse("$Forwarded").unwrap())),
        ("from:a AND is:read", Criterion::And(vec![from("a"), Criterion::Seen])),
        ("NOT from:marie", Criterion::Not(Box::new(from("marie")))),
        (
            "is:read AND NOT from:a",
            Criterion::And(vec![Criterion::Seen, Criterion::Not(Box::new(from("a")))]),
        ),
        (
            "NOT (from:a OR from:b)",
            Criterion::Not(Box::new(Criterion::Or(Box::new(from("a")), Box::new(from("b"))))),
        ),
    ] {
        assert_eq!(query(text).criterion, Some(criterion), "{text}");
    }
}

#[test]
fn folders_are_places_and_days_begin_at_midnight() {
    let day = |text: &str| Timestamp::from_rfc3339(text).unwrap();
    assert_eq!(query("in:Archive in:sent is:read").folders, ["Archive", "sent"]);
    assert_eq!(query("in:inbox").folders, ["inbox"]);
    assert_eq!(query("folder:Archive is:read").folders, ["Archive"]);
    assert_eq!(query("").criterion, None);
    // days begin at midnight, also those that are named by their distance
    let on = |text: &str| match query(text).criterion {
        Some(Criterion::And(all)) => all,
        other => panic!("{other:?}"),
    };
    let (today, now) = (day("2026-11-22"), day("2026-11-22T21:05:06Z"));
    let said = parse("on:today", now).unwrap().criterion;
    assert_eq!(
        said,
        Some(Criterion::And(vec![Criterion::Since(today), Criterion::Before(today.plus_seconds(DAY))]))
    );
    assert_eq!(
        parse("before:yesterday", now).unwrap().criterion,
        Some(Criterion::Before(today.plus_seconds(-DAY)))
    );
    assert_eq!(
        on("on:2026-11-22T08:00:00Z"),
        [Criterion::Since(today), Criterion::Before(today.plus_seconds(DAY))]
    );
}

#[test]
fn or_binds_tighter_than_standing_side_by_side() {
    let either = Criterion::Or(Box::new(from("a")), Box::new(from("b")));
    assert_eq!(
        query("from:a OR from:b is:read").criterion,
        Some(Criterion::And(vec![either, Criterion::Seen]))
    );
}

#[test]
fn text_is_searched_for_a_while_only_unless_a_day_is_named() {
    let found = query("invoice");
    assert_eq!(found.text_since, Some(NOW.plus_seconds(-90 * DAY)));
    assert!(matches!(found.criterion, Some(Criterion::Or(..))));
    let found = query("invoice after:2020-01-01");
    assert_eq!(found.text_since, None);
    assert!(format!("{found:?}").contains("Text(\"invoice\")"));
    assert_eq!(query("body:\"order 7\" newer_than:1y").text_since, None);
    assert!(query("body:x").text_since.is_some());
}

#[test]
fn a_colon_in_a_word_is_no_key() {
    for text in ["https://example.com/a:b", "Re:", "12:30", "AND", "x:y"] {
        let text = if text == "AND" { "\"AND\"" } else { text };
        let shown = text.trim_matches('"');
        assert!(format!("{:?}", query(text)).contains(shown), "{text}");
    }
    for text in ["\"filetype:pdf\"", "\"AND\"", "\"NOT\" x"] {
        assert!(parse(text, NOW).is_ok(), "{text}");
    }
    for text in ["https://example.com/a:b", "Re:", "12:30"] {
        assert!(format!("{:?}", query(text)).contains(text), "{text}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    for (text, problem) in [
        ("fron:bob", "did you mean `from:`"),
        ("filetype:pdf", "`filetype:`, which is not known; known are from: to:"),
        ("category:promotions is:read", "known are"),
        ("deliveredto:x", "quotation marks"),
        ("note:\"a b\"", "known are"),
        ("keyword:\"a b\"", "no keyword"),
        ("AND x", "AND where"),
        ("x AND", "AND where"),
        ("x AND AND y", "AND where"),
        ("x AND OR y", "AND where"),
        ("NOT", "ends where"),
        ("from:a NOT", "ends where"),
        ("(from:a", "not closed"),
        ("from:a)", "closing parenthesis"),
        ("\"open", "not closed"),
        ("from:", "nothing after"),
        ("is:green", "known are"),
        ("has:legs", "has:attachment"),
        ("larger:big", "not a size"),
        ("after:soon", "not a day"),
        ("OR x", "OR where"),
        ("x OR", "ends where"),
        ("from:a\u{0}b", "control"),
    ] {
        let error = parse(text, NOW).unwrap_err();
        assert!(error.problem.contains(problem), "{text}: {}", error.problem);
    }
    assert!(parse(&"a ".repeat(100), NOW).is_err());
    assert!(parse(&"(".repeat(30), NOW).is_err());
    assert!(parse(&"-".repeat(1000), NOW).is_err());
}

proptest! {
    #[test]
    fn no_query_panics_and_none_grows(text in "([a-z:()\"\\-é ]|OR |from:|is:read|\\PC){0,60}") {
        if let Ok(query) = parse(&text, NOW) {
            let size = format!("{query:?}").len();
            prop_assert!(size < 200 + text.len() * 60);
        }
    }
}
