//! Fixtures that ask their caller back: an `input_required` result, answered by repeating the request.

use rust_mcp_sdk::{
    mcp_server::RequestStateCodec,
    schema::{ClientCapabilities, InputResponses, RpcError, ServerResult},
};
use serde_json::{Map, Value, from_value, json};

const KEY: [u8; 32] = *b"a fixture's key keeps no secrets";

fn text(message: &str, property: &str, kind: &str) -> Value {
    json!({ "method": "elicitation/create", "params": { "message": message, "requestedSchema": {
        "type": "object", "properties": { property: { "type": kind } }, "required": [property]
    } } })
}

fn sample(question: &str) -> Value {
    json!({ "method": "sampling/createMessage", "params": {
        "messages": [{ "role": "user", "content": { "type": "text", "text": question } }], "maxTokens": 100
    } })
}

/// The questions of each round, and whether a signed state goes with them.
fn rounds(name: &str, client: &ClientCapabilities) -> Option<(Vec<Value>, bool)> {
    let roots = json!({ "method": "roots/list", "params": {} });
    let name_please = text("What is your name?", "name", "string");
    Some(match name {
        "test_input_required_result_elicitation" | "test_streaming_elicitation" => {
            (vec![json!({ "user_name": name_please })], false)
        }
        "test_input_required_result_sampling" => {
            (vec![json!({ "capital_question": sample("What is the capital of France?") })], false)
        }
        "test_input_required_result_list_roots" => (vec![json!({ "client_roots": roots })], false),
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
            (vec![json!({ "confirm": text("Please confirm", "ok", "boolean") })], true)
        }
        "test_input_required_result_multiple_inputs" => (
            vec![json!({ "user_name": name_please, "greeting": sample("Greet"), "client_roots": roots })],
            true,
        ),
        "test_input_required_result_multi_round" => (
            vec![
                json!({ "step1": text("Step 1: What is your name?", "name", "string") }),
                json!({ "step2": text("Step 2: What is your favorite color?", "color", "string") }),
            ],
            true,
        ),
        "test_input_required_result_capabilities" => {
            let mut questions = Map::new();
            if client.elicitation.is_some() {
                questions.insert("user_name".to_owned(), name_please);
            }
            if client.sampling.is_some() {
                questions.insert("capital_question".to_owned(), sample("What is the capital of France?"));
            }
            (vec![Value::Object(questions)], false)
        }
        "test_input_required_result_prompt" => {
            (vec![json!({ "user_context": text("Which context?", "context", "string") })], false)
        }
        _ => return None,
    })
}

/// What to ask next: `None` when `name` asks nothing or everything is answered.
pub(crate) fn ask(
    name: &str,
    client: &ClientCapabilities,
    answers: Option<&InputResponses>,
    state: Option<&str>,
) -> Result<Option<ServerResult>, RpcError> {
    let Some((rounds, with_state)) = rounds(name, client) else { return Ok(None) };
    let codec = RequestStateCodec::with_key(KEY);
    let mut round = match state {
        Some(state) => codec
            .decode_str(state)
            .and_then(|round| round.parse::<usize>().ok())
            .ok_or_else(|| RpcError::invalid_params().with_message("a foreign state".to_owned()))?,
        None => 0,
    };
    let answered = |questions: &Value| {
        let mut keys = questions.as_object().into_iter().flat_map(Map::keys);
        answers.is_some_and(|answers| keys.all(|key| answers.0.contains_key(key)))
    };
    if rounds.get(round).is_some_and(answered) {
        round += 1;
    }
    let Some(questions) = rounds.get(round) else { return Ok(None) };
    let mut result = json!({ "resultType": "input_required", "inputRequests": questions });
    if with_state {
        result["requestState"] = json!(codec.encode_str(&round.to_string()));
    }
    let read = from_value::<rust_mcp_sdk::schema::InputRequiredResult>(result);
    let result = read.map_err(|error| RpcError::internal_error().with_message(error.to_string()))?;
    Ok(Some(ServerResult::InputRequiredResult(result)))
}
