use super::*;

#[test]
fn bounds_hold_and_a_brace_in_prose_is_no_literal() {
    let limits =
        Limits { line: 20, response: 40, literal: 4, stream: 100, skipped: 60, asked: 0, command: 1 << 20 };
    let run = |input: &[u8]| -> Result<Vec<Raw>, TooMuch> {
        let (mut framer, mut rest, mut out) = (Framer::new(limits), input, vec![]);
        while !rest.is_empty() {
            let (take, step) = framer.step(rest)?;
            rest = &rest[take..];
            if let Step::Response(raw) = step {
                out.push(raw);
            }
        }
        Ok(out)
    };
    assert_eq!(run(b"* OK say {5}\r\na1 OK\r\n").unwrap().len(), 2);
    assert_eq!(run(b"* X {4}\r\na\r\nb)\r\n").unwrap()[0].literals.len(), 1);
    let cut = run(b"* X {5}\r\nabcde)\r\n").unwrap();
    assert_eq!(cut[0].octets, b"* X {5}\r\nabcd)\r\n");
    assert!(matches!(&cut[0].literals[0].kept, Kept::Cut(range) if range.len() == 4));
    assert_eq!(run(b"* X {0}\r\n)\r\n").unwrap()[0].octets, b"* X {0}\r\n)\r\n");
    assert!(run(b"* X {4294967295}\r\n").is_err() && run(b"* X {99999999999999999999999}\r\n").is_err());
    assert!(run(&[b'x'; 30]).is_err(), "what is no data is not that long");
    // Of a response that is too long the beginning stays, and the next is whole.
    let long = |text: &str| run(format!("* 1 X {text}\r\n* OK\r\n").as_bytes());
    for text in [
        "0123456789abcdefghij",
        "0123456789abcdefg {9}\r\nab\r\ncdefg rest",
        "{9}\r\n123456789 0123456789012345678 {3}\r\n\r\n\n )",
    ] {
        let all = long(text).unwrap();
        assert_eq!((all.len(), all[0].cut, all[1].cut), (2, true, false), "{text}");
        assert!(all[0].octets.starts_with(b"* 1 X ") && all[0].octets.len() <= 40);
        assert_eq!(all[1].octets, b"* OK\r\n");
    }
    assert!(long(&"x".repeat(90)).is_err(), "there is an end to it");
}

#[test]
fn a_long_list_of_numbers_comes_in_pieces_that_say_the_same() {
    let numbers: Vec<u32> = (1..=200_000).map(|number| number * 2).collect();
    let text = |separator: &str| {
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator).into_bytes()
    };
    let lists = [
        [&b"* SEARCH "[..], &text(" "), b"\r\n"].concat(),
        [&b"* esearch (TAG \"a1\") UID COUNT 200000 ALL "[..], &text(","), b"\r\n"].concat(),
    ];
    for (list, size) in lists.iter().flat_map(|list| [(list, 7), (list, 16 << 10), (list, usize::MAX)]) {
        let (mut framer, mut came, mut most) = (Framer::new(Limits::DEFAULT), Vec::new(), 0);
        for mut input in list.chunks(size) {
            while !input.is_empty() {
                let (take, step) = framer.step(input).unwrap();
                input = &input[take..];
                if let Step::Response(raw) = step {
                    most = most.max(raw.octets.len());
                    assert!(!raw.cut && raw.octets.ends_with(b"\r\n"));
                    let text = String::from_utf8(raw.octets).unwrap();
                    let list = text.rsplit_once("ALL ").map_or(&text["* SEARCH".len()..], |(_, set)| set);
                    let number = |word: &str| word.parse::<u32>().ok();
                    came.extend(list.split([' ', ',', '\r', '\n']).filter_map(number));
                }
            }
        }
        assert_eq!(came, numbers);
        assert!(most <= PIECE + (16 << 10) || size == usize::MAX, "{most}");
    }
}
