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
