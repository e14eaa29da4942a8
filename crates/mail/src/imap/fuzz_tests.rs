//! Whatever octets come in: half a second each, and as long as `BOLERO_RANDOM_TEST_TIME_MS` says.

use super::{
    ops::{
        criteria::{Dialect, unsayable, write_all},
        summaries::by_uid,
        thread::thread_with,
    },
    wire::{
        command::{
            Command,
            tests::{read, wire},
        },
        framing::{Framer, Limits, Step},
        response::{Data, Line, line},
        sets::Set,
        utf7,
    },
};
use imapmcp_core::mail::{Criterion, Flag};
use std::time::Duration;

const TIME: Duration = Duration::from_millis(500);

/// All lines, fed in pieces of these sizes in turn; `None` from where a bound is passed.
fn lines(input: &[u8], sizes: &[u8]) -> Vec<Option<Line>> {
    let limits = Limits { line: 2_000, response: 4_000, literal: 1_000, ..Limits::default() };
    let (mut framer, mut out, mut rest, mut turn) = (Framer::new(limits), vec![], input, 0);
    while !rest.is_empty() {
        let size = sizes.get(turn % sizes.len().max(1)).map_or(rest.len(), |size| usize::from(*size).max(1));
        turn += 1;
        let (mut piece, tail) = rest.split_at(size.min(rest.len()));
        rest = tail;
        while !piece.is_empty() {
            let Ok((take, step)) = framer.step(piece) else {
                out.push(None);
                return out;
            };
            piece = &piece[take..];
            if let Step::Response(raw) = step {
                out.push(line(&raw).ok());
            }
        }
    }
    out
}

#[test]
fn fuzz_responses_are_read_the_same_however_they_are_cut() {
    bolero::check!().with_test_time(TIME).with_max_len(2_000).for_each(|input: &[u8]| {
        let (sizes, input) = input.split_at(input.len().min(4));
        let whole = lines(input, &[]);
        let cut = lines(input, sizes);
        // A bound may be passed earlier in one than in the other; up to there they agree.
        let agreed = whole.iter().zip(&cut).take_while(|(one, two)| one.is_some() && two.is_some());
        for (one, two) in agreed {
            assert_eq!(one, two);
        }
        let items: Vec<Data> = whole
            .into_iter()
            .flatten()
            .filter_map(|line| if let Line::Untagged(data) = line { Some(data) } else { None })
            .collect();
        for item in &items {
            if let Data::Thread(lists) = item {
                thread_with(lists, 1);
            }
        }
        by_uid(items);
    });
}

#[test]
fn fuzz_one_command_out_whatever_goes_in() {
    bolero::check!().with_test_time(TIME).with_max_len(3_000).for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(input).into_owned();
        let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let (one, two) = text.split_at(half);
        let flags: Vec<_> = Flag::parse(two).into_iter().collect();
        let command = Command::new("UID FETCH ")
            .set(&Set::parse(one))
            .raw(" ")
            .folder(one)
            .raw(" ")
            .atom(two)
            .raw(" BODY[")
            .section(two)
            .raw("] ")
            .flags(&flags)
            .raw(" ")
            .string(two);
        let strings = read(&wire(&command)).expect("one command");
        let expected = [utf7::encode(one).into_bytes(), two.replace('\0', "").into_bytes()];
        assert_eq!(strings, expected);
    });
}

/// A criterion from octets: each is a key or a connective, texts are what is left.
fn criterion(octets: &mut &[u8], depth: usize) -> Criterion {
    let Some((first, rest)) = octets.split_first() else { return Criterion::Seen };
    *octets = rest;
    let mut text = || {
        let (text, rest) = octets.split_at(octets.len().min(usize::from(first >> 3)));
        *octets = rest;
        String::from_utf8_lossy(text).replace(char::is_control, "")
    };
    match first & 7 {
        0 => Criterion::From(text()),
        1 => Criterion::Subject(text()),
        2 => Criterion::Text(text()),
        3 => Criterion::HasAttachment,
        4 if depth < 8 => Criterion::Not(Box::new(criterion(octets, depth + 1))),
        5 if depth < 8 => {
            let one = criterion(octets, depth + 1);
            Criterion::Or(Box::new(one), Box::new(criterion(octets, depth + 1)))
        }
        6 if depth < 8 => {
            Criterion::And((0..first >> 3).take(4).map(|_| criterion(octets, depth + 1)).collect())
        }
        _ => Criterion::Unseen,
    }
}

#[test]
fn fuzz_a_search_is_one_command_in_every_dialect() {
    bolero::check!().with_test_time(TIME).with_max_len(1_000).for_each(|input: &[u8]| {
        let criterion = criterion(&mut &*input, 0);
        for (gmail, ascii_only) in [(false, false), (true, false), (false, true)] {
            let dialect = Dialect { gmail, ascii_only };
            if unsayable(&criterion, dialect).is_some() {
                continue;
            }
            let command = write_all(Command::new("UID SEARCH "), &criterion, dialect);
            let strings = read(&wire(&command)).expect("one command");
            assert!(!ascii_only || strings.iter().all(|string| string.is_ascii()));
            // Parentheses outside of strings are balanced: nothing of a text got out of its string.
            let (mut depth, mut quoted, mut escaped) = (0i32, false, false);
            for c in command.texts.concat().chars() {
                match c {
                    '"' if !escaped => quoted = !quoted,
                    '(' if !quoted => depth += 1,
                    ')' if !quoted => depth -= 1,
                    _ => {}
                }
                escaped = c == '\\' && quoted && !escaped;
            }
            assert_eq!((depth, quoted), (0, false));
        }
    });
}

#[test]
fn fuzz_folder_names_go_round() {
    bolero::check!().with_test_time(TIME).with_max_len(500).for_each(|input: &[u8]| {
        let name = String::from_utf8_lossy(input);
        let wire = utf7::encode(&name);
        assert!(wire.bytes().all(|octet| (0x20..0x7f).contains(&octet)));
        assert_eq!(utf7::decode(&wire), name);
        // What a server makes up is shown, and goes back as it came or in the usual spelling.
        let shown = utf7::decode(&name);
        assert_eq!(utf7::decode(&utf7::encode(&shown)), shown);
    });
}
