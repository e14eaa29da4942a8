//! Whatever is written as a query: an answer, bounded, and nothing in it that a mail server could take for more than
//! text. Half a second, and as long as `BOLERO_RANDOM_TEST_TIME_MS` says; the corpus lies beside.

use imapmcp_core::{mail::Criterion, time::Timestamp};
use imapmcp_organizing::query::parse;
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_795_381_200_000);

/// Texts of a condition, and how deep and large it is.
fn texts(criterion: &Criterion, depth: usize, found: &mut Vec<String>) -> (usize, usize) {
    let of = |all: &[&Criterion], found: &mut Vec<String>| {
        all.iter().fold((depth, 1), |(deepest, size), one| {
            let (deep, more) = texts(one, depth + 1, found);
            (deepest.max(deep), size + more)
        })
    };
    match criterion {
        Criterion::And(all) => of(&all.iter().collect::<Vec<_>>(), found),
        Criterion::Or(one, other) => of(&[&**one, &**other], found),
        Criterion::Not(one) => of(&[&**one], found),
        leaf => {
            found.extend(leaf.text().map(str::to_owned));
            (depth, 1)
        }
    }
}

#[test]
fn fuzz_every_query_has_a_bounded_answer() {
    bolero::check!().with_test_time(Duration::from_millis(500)).with_max_len(2_000).for_each(
        |input: &[u8]| {
            let text = String::from_utf8_lossy(input);
            match parse(&text, NOW) {
                Ok(query) => {
                    let mut found = query.folders.clone();
                    for criterion in query.criterion.iter().chain(&query.unbounded) {
                        let (depth, size) = texts(criterion, 1, &mut found);
                        assert!(depth <= 60 && size <= 400, "{depth} deep, {size} large: {text:?}");
                    }
                    for one in &found {
                        assert!(!one.chars().any(|c| c.is_control() && c != '\t'), "{one:?} of {text:?}");
                        assert!(one.chars().count() <= 500, "{one:?}");
                    }
                    // what it says does not depend on when it is said again
                    assert_eq!(parse(&text, NOW).unwrap(), query);
                }
                Err(error) => {
                    assert!(
                        !error.problem.is_empty() && error.problem.len() <= 1_000,
                        "{error:?} of {text:?}"
                    );
                    assert!(!error.problem.chars().any(char::is_control), "{error:?} of {text:?}");
                }
            }
        },
    );
}
