use super::*;
use crate::error::ToolError;
use serde_json::{Value, json};

const ACCOUNT: RequiredText = Text::new("account_id", 100, "acc_1").required();
const LIMIT: Integer = Integer::new("limit", 1, 200, 50, "50");
const UIDS: Uids = Uids::new("uids", 2, "[1, 2]");
const FORMAT: Choice<char> = Choice::new("format", ("markdown", 'm'), &[("text", 't')], "text");
const SINCE: Day = Day::new("since", "2026-11-22");

const FIELDS: Fields = &[&ACCOUNT, &LIMIT, &UIDS, &FORMAT, &SINCE];

fn read(call: &Value) -> Result<Arguments, ToolError> {
    Arguments::read(FIELDS, call.as_object().unwrap())
}

fn problem(call: &Value) -> String {
    let error = read(call).unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
    error.to_json("")["hint"].as_str().unwrap().to_owned()
}

#[test]
fn what_models_write_is_understood() {
    let call =
        read(&json!({"account_id": "acc_1", "limit": "20", "uids": 7, "since": "2026-11-22"})).unwrap();
    assert_eq!((call.get(&LIMIT), call.get(&UIDS)), (20, vec![7]));
    assert_eq!(call.get(&FORMAT), Chosen { word: "markdown", value: 'm' });
    assert!(call.get(&SINCE).is_some());
    assert_eq!(read(&json!({"account_id": "a", "uids": "[1,2]", "limit": null})).unwrap().get(&UIDS), [1, 2]);
}

#[test]
fn a_word_is_read_as_what_it_stands_for() {
    let call = read(&json!({"account_id": "acc_1", "format": "text"})).unwrap();
    assert_eq!((call.get(&ACCOUNT), call.get(&FORMAT).value, call.get(&LIMIT)), ("acc_1", 't', 50));
}

#[test]
fn an_error_names_the_field_the_value_and_a_right_example() {
    assert!(problem(&json!({})).contains("`account_id` is missing"));
    assert!(problem(&json!({"account_id": 3})).contains("must be text, not 3"));
    assert!(problem(&json!({"account_id": "a", "limit": 0})).contains("between 1 and 200, not 0"));
    assert!(problem(&json!({"account_id": "a", "limit": 1.5})).contains("a whole number"));
    assert!(problem(&json!({"account_id": "a", "uids": [1, 2, 3]})).contains("more than 2"));
    assert!(problem(&json!({"account_id": "a", "uids": [0]})).contains("a list of UIDs"));
    assert!(problem(&json!({"account_id": "a", "formt": "x"})).contains("for example, format"));
}

const FLAG: Flag = Flag::on("quote", "true");
const UID: Number = Number::new("uid", 1, 99, "7");
const SIZE: Number = Number::new("size", 0, 99, "7");
const BODIES: Choice<u8> = Choice::new("bodies", ("newest", 1), &[("all", 2), ("none", 3)], "all");
const TO: Texts = Texts::new("to", 3, "[]");
const FILES: Files = Files::new("attachments", "[]");
const OLD: Text = Text::new("folder", 20, "Old").or(&["path", "from_path"]);

const FILLED: Fields = &[&SINCE, &LIMIT, &FLAG, &UID, &SIZE, &UIDS, &BODIES, &TO, &FILES, &OLD];

fn filled(name: &str, value: &Value) -> Result<Arguments, ToolError> {
    Arguments::read(FILLED, json!({ name: value }).as_object().unwrap())
}

#[test]
fn what_stands_for_no_value_counts_as_left_out() {
    for (name, filler) in [
        ("since", json!("")),
        ("since", json!("None")),
        ("limit", json!("")),
        ("limit", json!(null)),
        ("quote", json!("")),
        ("quote", json!("null")),
        ("uid", json!(0)),
        ("uid", json!("0")),
        ("uid", json!(0.0)),
        ("uid", json!("")),
        ("uids", json!(0)),
        ("uids", json!("")),
        ("uids", json!([])),
        ("bodies", json!("")),
        ("bodies", json!("undefined")),
        ("to", json!("")),
        ("to", json!([])),
        ("to", json!([""])),
        ("to", json!([null, " "])),
        ("to", json!("[]")),
        ("attachments", json!("")),
        ("attachments", json!([{}])),
        (
            "attachments",
            json!([{ "filename": "", "content_base64": "", "is_inline": false, "upload": null }]),
        ),
        ("folder", json!("")),
    ] {
        let call = filled(name, &filler).unwrap_or_else(|error| panic!("{name} {filler}: {error:?}"));
        assert_eq!(
            (call.get(&SINCE), call.get(&LIMIT), call.get(&FLAG)),
            (None, 50, true),
            "{name} {filler}"
        );
        assert_eq!(
            (call.get(&UID), call.get(&UIDS), call.get(&BODIES).value),
            (None, vec![], 1),
            "{name} {filler}"
        );
        assert!(call.get(&TO).is_empty() && call.get(&FILES).is_empty(), "{name} {filler}");
        assert!(!FILLED.iter().any(|field| call.has(*field)), "{name} {filler}");
    }
}

#[test]
fn what_means_something_is_read_as_that() {
    for word in [json!("True"), json!("TRUE"), json!(" true"), json!(1), json!("1"), json!("yes")] {
        assert!(filled("quote", &word).unwrap().get(&FLAG), "{word}");
    }
    for word in [json!("False"), json!("FALSE"), json!(0), json!("0"), json!("no")] {
        assert!(!filled("quote", &word).unwrap().get(&FLAG), "{word}");
    }
    for word in ["none", "None", " NONE "] {
        assert_eq!(filled("bodies", &json!(word)).unwrap().get(&BODIES), Chosen { word: "none", value: 3 });
    }
    assert_eq!(filled("size", &json!(0)).unwrap().get(&SIZE), Some(0));
    assert_eq!(filled("uid", &json!(" 7 ")).unwrap().get(&UID), Some(7));
    assert_eq!(filled("to", &json!(" [\"a\", \"\"]")).unwrap().get(&TO), ["a"]);
    assert_eq!(filled("to", &json!("none")).unwrap().get(&TO), ["none"], "a name may be that");
    for wrong in [("quote", json!("maybe")), ("quote", json!(2)), ("limit", json!(0)), ("since", json!("0"))]
    {
        assert!(filled(wrong.0, &wrong.1).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_file_keeps_the_members_that_say_something() {
    let strict = json!({
        "filename": "a.txt", "content_base64": "", "content_type": "", "content_id": "", "is_inline": "False",
        "from_message": { "id": "", "index": 0 }, "upload": "upl_1"
    });
    for (given, kept) in [
        (json!([strict]), json!([{ "filename": "a.txt", "upload": "upl_1" }])),
        (json!({ "upload": "upl_1", "from_message": null }), json!([{ "upload": "upl_1" }])),
        (
            json!([{ "from_message": { "id": "a.1-2", "index": "3" }, "upload": "", "filename": "" }]),
            json!([{ "from_message": { "id": "a.1-2", "index": 3 } }]),
        ),
        (
            json!([{ "filename": "empty", "content_base64": "" }]),
            json!([{ "filename": "empty", "content_base64": "" }]),
        ),
        (
            json!(
                "[{\"filename\": \"a\", \"content_base64\": \"aGk=\", \"is_inline\": true, \"content_id\": \"x\"}]"
            ),
            json!([{ "filename": "a", "content_base64": "aGk=", "is_inline": true, "content_id": "x" }]),
        ),
    ] {
        let call = filled("attachments", &given).unwrap();
        assert_eq!(json!(call.get(&FILES)), kept, "{given}");
    }
    for wrong in [json!(["a.txt"]), json!(7), json!(vec![json!({ "upload": "u" }); 21])] {
        assert!(filled("attachments", &wrong).is_err(), "{wrong}");
    }
}

#[test]
fn names_of_the_original_are_understood_and_our_own_come_first() {
    for name in ["folder", "path", "from_path"] {
        assert_eq!(filled(name, &json!("Old")).unwrap().get(&OLD), Some("Old"), "{name}");
    }
    let both = json!({ "path": "theirs", "folder": "ours", "from_path": "theirs" });
    assert_eq!(Arguments::read(FILLED, both.as_object().unwrap()).unwrap().get(&OLD), Some("ours"));
    let fallback = json!({ "path": "theirs", "folder": "" });
    assert_eq!(Arguments::read(FILLED, fallback.as_object().unwrap()).unwrap().get(&OLD), Some("theirs"));
}

#[test]
#[should_panic(expected = "the table of this tool has no")]
fn asking_for_what_the_table_lacks_is_no_argument_left_out() {
    read(&json!({"account_id": "acc_1"})).unwrap().get(&Text::new("acount_id", 100, ""));
}

#[test]
#[should_panic(expected = "the table of this tool has no")]
fn asking_with_another_default_is_refused_too() {
    read(&json!({"account_id": "acc_1"})).unwrap().get(&Integer::new("limit", 1, 200, 20, ""));
}
