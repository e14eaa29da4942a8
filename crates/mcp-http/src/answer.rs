//! JSON-RPC answers the route gives by itself.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A refusal in JSON-RPC's words with its HTTP status.
#[derive(Debug, Clone)]
pub struct RpcFault {
    status: u16,
    id: Value,
    code: i64,
    message: Cow<'static, str>,
    data: Option<Value>,
    retry_after: Option<u32>,
}

impl RpcFault {
    pub(crate) fn new(
        status: u16,
        id: Option<Value>,
        code: i64,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            id: id.unwrap_or(Value::Null),
            code,
            message: message.into(),
            data: None,
            retry_after: None,
        }
    }

    pub(crate) fn parse_error() -> Self {
        Self::new(400, None, -32700, "Parse error")
    }

    pub(crate) fn invalid_request(id: Option<Value>, message: &'static str) -> Self {
        Self::new(400, id, -32600, message)
    }

    /// Seconds after which the same request may pass.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The message.
    pub(crate) fn into_message(self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            error["data"] = data;
        }
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error })
    }

    pub(crate) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        // what may pass; whoever knows better says so
        let seconds = match status {
            StatusCode::SERVICE_UNAVAILABLE => Some(5),
            StatusCode::TOO_MANY_REQUESTS => Some(60),
            _ => None,
        };
        if let Some(seconds) = self.retry_after.or(seconds) {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        response.json(self.into_message())
    }
}

pub(crate) fn result(id: &Value, result: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// A result that is JSON already.
pub(crate) fn serialised(id: &Value, result: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}"))
}
