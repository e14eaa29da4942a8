use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

const SMALL: Bounds = Bounds { kept: 100_000, long: 24, values: 100_000 };

/// Reads a text cut at these places; what is kept, and the files that were taken out.
fn read(text: &[u8], cuts: &[usize], leave: bool, bounds: Bounds) -> Result<(Vec<u8>, Vec<Vec<u8>>), Unfit> {
    let (mut lifter, mut files, mut open) = (Lifter::new(bounds), Vec::new(), None::<Vec<u8>>);
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    for pair in places.windows(2) {
        let mut input = &text[pair[0]..pair[1]];
        loop {
            let mut step = lifter.next(&mut input)?;
            if step == Step::Long {
                if leave {
                    lifter.leave();
                    continue;
                }
                assert!(open.replace(Vec::new()).is_none(), "one after the other");
                step = lifter.lift()?;
            }
            match step {
                Step::Long => panic!("twice"),
                Step::Hungry => break,
                Step::Octets(octets) => open.as_mut().unwrap().extend(octets),
                Step::Whole(octets) => {
                    let mut file = open.take().unwrap();
                    file.extend(octets);
                    lifter.stand_in(format!("{{\"upload\":{}}}", files.len()).as_bytes())?;
                    files.push(file);
                }
                Step::NotBase64 => open = Some(open.take().unwrap()).filter(|_| false),
            }
        }
    }
    Ok((lifter.into_kept(), files))
}

/// As a tool decodes what stands in a call.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

/// Strings, and as what they are written between their quotes.
type Written = Vec<(String, String)>;

/// A JSON text of a value, each character of its strings written as `how` says, by turns.
fn write(value: &Value, how: &[u8], turn: &mut usize, out: &mut String, written: &mut Written) {
    let space = |turn: &mut usize, out: &mut String| {
        *turn += 1;
        out.push_str(["", " ", "\n\t", ""][usize::from(how[*turn % how.len()]) % 4]);
    };
    match value {
        Value::String(text) => {
            let start = out.len() + 1;
            string(text, how, turn, out);
            written.push((text.clone(), out[start..out.len() - 1].to_owned()));
        }
        Value::Array(list) => {
            out.push('[');
            for (place, value) in list.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                space(turn, out);
                write(value, how, turn, out, written);
                space(turn, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (place, (key, value)) in members.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                space(turn, out);
                // a key written with escapes is another key to us
                out.push_str(&Value::from(key.as_str()).to_string());
                space(turn, out);
                out.push(':');
                space(turn, out);
                write(value, how, turn, out, written);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn string(text: &str, how: &[u8], turn: &mut usize, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        *turn += 1;
        let choice = how[*turn % how.len()];
        match c {
            '/' if choice.is_multiple_of(3) => out.push_str("\\/"),
            '\n' if choice.is_multiple_of(3) => out.push_str("\\n"),
            '"' if choice.is_multiple_of(3) => out.push_str("\\\""),
            '\\' if choice.is_multiple_of(3) => out.push_str("\\\\"),
            c if choice % 7 == 1 || c < ' ' || c == '"' || c == '\\' => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The value with what is to be taken out replaced, and what that holds, in order.
fn expected(
    value: &Value,
    written: &mut std::slice::Iter<'_, (String, String)>,
    files: &mut Vec<Vec<u8>>,
    file: bool,
) -> Value {
    match value {
        Value::String(text) => {
            let (_, raw) = written.next().unwrap();
            if !file || raw.len() <= SMALL.long {
                return value.clone();
            }
            match decode(text) {
                Some(octets) => {
                    files.push(octets);
                    json!({ "upload": files.len() - 1 })
                }
                None => json!("%"),
            }
        }
        Value::Array(list) => list.iter().map(|value| expected(value, written, files, false)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let file = key == "content_base64";
                (key.clone(), expected(value, written, files, file))
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn texts() -> impl Strategy<Value = String> {
    let base64 = prop::collection::vec(any::<u8>(), 0..120).prop_map(|octets| STANDARD.encode(octets));
    let broken = (
        base64.clone(),
        any::<prop::sample::Index>(),
        prop::sample::select(" \n\r\t=/+é\"\\\0-".chars().collect::<Vec<_>>()),
    )
        .prop_map(|(text, at, more)| {
            let at = at.index(text.len() + 1);
            format!("{}{more}{}", &text[..at], &text[at..])
        });
    let lines = base64.clone().prop_map(|text| {
        text.as_bytes().chunks(19).map(|line| String::from_utf8_lossy(line) + "\r\n").collect()
    });
    let told = Just(r#"{"content_base64":"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"}"#.to_owned());
    let ends = Just(r#"content_base64":"#.to_owned());
    prop_oneof![base64, broken, lines, "\\PC{0,60}", told, ends, Just("content_base64".to_owned())]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => texts().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let key = prop_oneof![
        3 => Just("content_base64".to_owned()),
        1 => Just("content_base6".to_owned()),
        1 => "[a-c\\\\\"]{0,3}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
#[test]
fn what_is_kept_is_the_text_with_long_files_replaced_wherever_it_is_cut(
    value in values(),
    how in prop::collection::vec(any::<u8>(), 1..50),
    cuts in prop::collection::vec(any::<usize>(), 0..40),
) {
    let (mut text, mut written) = (String::new(), Vec::new());
    write(&value, &how, &mut 0, &mut text, &mut written);
    prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
    let mut files = Vec::new();
    let wanted = expected(&value, &mut written.iter(), &mut files, false);
    let (kept, taken) = read(text.as_bytes(), &cuts, false, SMALL).unwrap();
    prop_assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), wanted, "{}", text);
    prop_assert_eq!(taken, files, "{}", text);
    let every: Vec<usize> = (0..text.len()).collect();
    prop_assert_eq!(read(text.as_bytes(), &every, false, SMALL).unwrap().0, kept);
    let (left, none) = read(text.as_bytes(), &cuts, true, SMALL).unwrap();
    prop_assert_eq!((left, none.len()), (text.into_bytes(), 0));
}

#[test]
fn arbitrary_octets_are_survived_and_judged_alike_however_they_are_cut(
    pieces in prop::collection::vec(
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..8),
            prop::sample::select(vec![
                "\"content_base64\":\"", "\"", "\\", "\\u00", "\\\"", "{", "}", ":", ",", "=", "\n",
                    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk",
                ]).prop_map(|text| text.as_bytes().to_vec()),
            ],
            0..30,
        ),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let text = pieces.concat();
        let whole = read(&text, &[], false, SMALL);
        let every: Vec<usize> = (0..text.len()).collect();
        prop_assert_eq!(read(&text, &cuts, false, SMALL), whole.clone());
        prop_assert_eq!(read(&text, &every, false, SMALL), whole.clone());
        // what is no JSON stays none
        if serde_json::from_slice::<Value>(&text).is_err()
            && let Ok((kept, _)) = whole
            && std::str::from_utf8(&text).is_ok()
            && !text.windows(2).any(|pair| pair == b"\\u")
        {
            prop_assert!(serde_json::from_slice::<Value>(&kept).is_err());
        }
    }

    #[test]
    fn base64_is_judged_as_a_tool_judges_it(text in "[A-D/+= \n]{0,40}", cuts in prop::collection::vec(any::<usize>(), 0..6)) {
        let text = format!("{}{text}", "A".repeat(28));
        let call = json!({ "content_base64": text }).to_string();
        let (kept, files) = read(call.as_bytes(), &cuts, false, SMALL).unwrap();
        prop_assert_eq!(files.first().cloned(), decode(&text));
        let judged: Value = serde_json::from_slice(&kept).unwrap();
        prop_assert_eq!(judged["content_base64"].is_string(), files.is_empty());
    }
}

#[test]
fn what_is_kept_is_bounded_and_what_is_taken_out_is_not() {
    let bounds = Bounds { kept: 100, long: 10, values: 100 };
    let call = |length: usize| format!(r#"{{"content_base64":"{}","a":1}}"#, "QUJD".repeat(length));
    let (kept, files) = read(call(1000).as_bytes(), &[7, 500], false, bounds).unwrap();
    assert_eq!(
        (kept.as_slice(), files),
        (&br#"{"content_base64":{"upload":0},"a":1}"#[..], vec![b"ABC".repeat(1000)])
    );
    assert_eq!(read(call(1000).as_bytes(), &[7, 500], true, bounds), Err(Unfit::TooLarge));
    let other = call(1000).replace("content_base64", "content_base65");
    assert_eq!(read(other.as_bytes(), &[], false, bounds), Err(Unfit::TooLarge));
}

#[test]
fn values_are_bounded_however_they_are_written() {
    let bounds = Bounds { values: 40, ..SMALL };
    for (many, few) in [
        ("{\"a\":1},".repeat(20), "{\"a\":1},".repeat(10)),
        ("[],".repeat(25), "[],".repeat(15)),
        ("\n 0 ,".repeat(45), "0,".repeat(35)),
        ("\"\",".repeat(45), "\"content_base64\" , ".repeat(35)),
        ("{\"content_base64\" :[]},".repeat(12), "\",,,,,,,[[[[{:\",".repeat(20)),
    ] {
        assert_eq!(
            read(format!("[{many}0]").as_bytes(), &[5, 9], false, bounds),
            Err(Unfit::TooMany),
            "{many}"
        );
        assert!(read(format!("[{few}0]").as_bytes(), &[5, 9], false, bounds).is_ok(), "{few}");
    }
}

#[test]
fn what_json_does_not_allow_in_a_string_is_not_allowed_in_a_long_one() {
    for bad in ["\n", "\\x", "\\u12g4"] {
        let call = format!(r#"{{"content_base64":"{}{bad}{}"}}"#, "QUJD".repeat(10), "QUJD".repeat(10));
        assert_eq!(read(call.as_bytes(), &[], false, SMALL), Err(Unfit::Malformed), "{bad:?}");
        let call = call.replacen("QUJD", "%%%%", 1);
        assert_eq!(read(call.as_bytes(), &[], false, SMALL), Err(Unfit::Malformed), "{bad:?}, and no base64");
    }
    let (kept, files) =
        read(br#"{"content_base64":"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD"#, &[], false, SMALL).unwrap();
    assert!(files.is_empty() && serde_json::from_slice::<Value>(&kept).is_err(), "it never ends");
}
