use super::*;
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
    assert_eq!(query("in:Archive in:sent is:read").folders, ["Archive", "sent"]);
    assert_eq!(query("").criterion, None);
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
    for text in ["https://example.com/a:b", "Re:", "12:30"] {
        assert!(format!("{:?}", query(text)).contains(text), "{text}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    for (text, problem) in [
        ("fron:bob", "did you mean `from:`"),
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
