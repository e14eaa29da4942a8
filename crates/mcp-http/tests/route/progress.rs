use crate::house::{TOKEN, ask, messages};
use actix_web::http::Method;
use serde_json::{Value, json};

const MODERN: &str = "2026-07-28";

fn newer(method: &str, mut params: Value, token: &Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    if !token.is_null() {
        params["_meta"]["progressToken"] = token.clone();
    }
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

async fn ask_newer(tool: &str, steps: u32, token: &Value) -> Vec<Value> {
    let headers = [
        ("authorization", TOKEN),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", MODERN),
        ("mcp-method", "tools/call"),
        ("mcp-name", tool),
    ];
    let call = newer("tools/call", json!({ "name": tool, "arguments": { "steps": steps } }), token);
    let response = ask(Method::POST, "/mcp", &headers, call).await;
    assert_eq!(response.status(), 200);
    messages(response).await
}

async fn ask_older(tool: &str, steps: u32, token: &Value) -> Vec<Value> {
    let headers = [("authorization", TOKEN), ("accept", "application/json, text/event-stream")];
    let mut params = json!({ "name": tool, "arguments": { "steps": steps } });
    if !token.is_null() {
        params["_meta"] = json!({ "progressToken": token });
    }
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    messages(ask(Method::POST, "/mcp", &headers, call).await).await
}

/// Each step in its order, and then the answer.
fn tells_all(told: &[Value], steps: u32, token: &Value) {
    let (answer, progress) = told.split_last().unwrap();
    assert_eq!(answer["id"], 7, "{told:?}");
    assert_eq!(answer["result"]["structuredContent"], json!({ "counted": steps }), "{answer}");
    let seen: Vec<(&Value, Option<f64>)> = progress
        .iter()
        .map(|step| {
            assert_eq!(step["method"], "notifications/progress", "{step}");
            assert_eq!(step["params"]["total"].as_f64(), Some(f64::from(steps)), "{step}");
            (&step["params"]["progressToken"], step["params"]["progress"].as_f64())
        })
        .collect();
    assert_eq!(seen, (1..=steps).map(|step| (token, Some(f64::from(step)))).collect::<Vec<_>>());
}

#[actix_web::test]
async fn a_client_of_each_era_sees_each_step_of_a_call_that_is_done_at_once() {
    for token in [json!("t"), json!(0), json!(12)] {
        for steps in [1, 5, 300] {
            tells_all(&ask_newer("count", steps, &token).await, steps, &token);
            tells_all(&ask_older("count", steps, &token).await, steps, &token);
        }
    }
}

#[actix_web::test]
async fn who_does_not_ask_and_what_has_nothing_to_tell_gets_the_answer_alone() {
    for told in [
        ask_newer("count", 5, &Value::Null).await,
        ask_newer("count", 0, &json!("t")).await,
        ask_older("count", 5, &Value::Null).await,
        ask_older("count", 0, &json!("t")).await,
    ] {
        assert!(told.len() == 1 && told[0]["result"]["structuredContent"].is_object(), "{told:?}");
    }
}

#[actix_web::test]
async fn a_call_that_fails_tells_how_far_it_came() {
    for told in [ask_newer("fail", 3, &json!("t")).await, ask_older("fail", 3, &json!("t")).await] {
        assert_eq!((told.len(), &told[3]["result"]["isError"]), (4, &json!(true)), "{told:?}");
    }
}

#[actix_web::test]
async fn what_the_newer_era_checks_of_a_request_is_checked_with_progress_too() {
    let headers = [
        ("authorization", TOKEN),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", MODERN),
        ("mcp-method", "tools/list"),
        ("mcp-name", "count"),
    ];
    let call = newer("tools/call", json!({ "name": "count", "arguments": { "steps": 2 } }), &json!("t"));
    let response = ask(Method::POST, "/mcp", &headers, call).await;
    assert_eq!(response.status(), 400);
    assert_eq!(messages(response).await[0]["error"]["code"], -32020);
}

#[actix_web::test]
async fn the_list_is_what_the_sdk_makes_of_it_where_it_is_asked() {
    let list = newer("tools/list", json!({}), &Value::Null);
    let mut told = Vec::new();
    for accept in ["application/json, text/event-stream", "text/event-stream, application/json;q=0.9"] {
        let mut list = list.clone();
        if told.is_empty() {
            // a member more than it needs, so that the SDK answers
            list["params"]["x"] = json!(1);
        }
        let headers = [
            ("authorization", TOKEN),
            ("accept", accept),
            ("mcp-protocol-version", MODERN),
            ("mcp-method", "tools/list"),
        ];
        told.push(messages(ask(Method::POST, "/mcp", &headers, list).await).await.remove(0));
    }
    assert_eq!(told[0], told[1]);
    for (name, value, status) in [
        ("mcp-method", "tools/call", 400),
        ("mcp-protocol-version", "2026-07-29", 400),
        ("accept", "application/json", 406),
        ("content-type", "text/plain", 415),
    ] {
        let mut headers = vec![
            ("authorization", TOKEN),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", MODERN),
            ("mcp-method", "tools/list"),
        ];
        headers.retain(|(other, _)| *other != name);
        headers.push((name, value));
        assert_eq!(
            ask(Method::POST, "/mcp", &headers, list.clone()).await.status(),
            status,
            "{name}: {value}"
        );
    }
}

#[actix_web::test]
async fn the_newer_eras_list_is_the_older_ones_with_what_it_adds() {
    let list = |era: &str| {
        let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" });
        if era == MODERN { newer("tools/list", json!({}), &Value::Null) } else { list }
    };
    let mut results = Vec::new();
    for era in [MODERN, "2025-11-25"] {
        let headers = [
            ("authorization", TOKEN),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", era),
            ("mcp-method", "tools/list"),
        ];
        let response = ask(Method::POST, "/mcp", &headers, list(era)).await;
        results.push(messages(response).await[0]["result"].clone());
    }
    assert_eq!(results[0]["tools"], results[1]["tools"]);
    assert_eq!(
        (&results[0]["resultType"], &results[0]["cacheScope"]),
        (&json!("complete"), &json!("private"))
    );
}
