//! A browser that keeps its cookie and follows nothing by itself.

use actix_http::Request;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::{StatusCode, header::SET_COOKIE},
    test::{TestRequest, call_service, read_body},
};

pub(crate) struct Browser<'a, S> {
    app: &'a S,
    /// The session's.
    pub(crate) cookie: Option<String>,
    /// The mark of a known device.
    pub(crate) device: Option<String>,
    /// Where it is, as a proxy of ours tells.
    pub(crate) address: Option<&'static str>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// Value of a hidden field.
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest =
            self.body.split_once(&start).unwrap_or_else(|| panic!("no field {name} in {}", self.body)).1;
        rest.split_once('"').unwrap().0.to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// A parameter of the location's query.
    pub(crate) fn answered(&self, name: &str) -> Option<String> {
        let query = self.location().split_once('?')?.1;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into())
    }
}

impl<'a, S, B> Browser<'a, S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    pub(crate) fn new(app: &'a S) -> Self {
        Self { app, cookie: None, device: None, address: None }
    }

    /// A second window of the same browser.
    pub(crate) fn twin(&self) -> Self {
        Self {
            app: self.app,
            cookie: self.cookie.clone(),
            device: self.device.clone(),
            address: self.address,
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    /// A form as a browser sends it from one of our pages.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = form(path, fields).insert_header(("sec-fetch-site", "same-origin"));
        self.send(request.insert_header(("origin", "null"))).await
    }

    pub(crate) async fn send(&mut self, mut request: TestRequest) -> Answer {
        let cookies: Vec<_> = self.cookie.iter().chain(&self.device).map(String::as_str).collect();
        if !cookies.is_empty() {
            request = request.insert_header(("cookie", cookies.join("; ")));
        }
        if let Some(address) = self.address {
            let proxy = "10.0.0.1:1".parse().unwrap();
            request = request.peer_addr(proxy).insert_header(("x-forwarded-for", address));
        }
        let response = call_service(self.app, request.to_request()).await;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let value = (!pair.ends_with('=')).then(|| pair.to_owned());
            if pair.contains("-device=") {
                self.device = value;
            } else {
                self.cookie = value;
            }
        }
        let status = response.status();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        Answer { status, headers, body }
    }

    /// Signs in and stays so; the answer is that of the sign-in.
    pub(crate) async fn sign_in(&mut self, email: &str, next: &str) -> Answer {
        let page = self.get(&format!("/login?next={}", encode(next))).await;
        let fields = [
            ("csrf", &*page.field("csrf")),
            ("email", email),
            ("password", crate::house::PASSWORD),
            ("next", &page.field("next")),
        ];
        self.post("/login", &fields).await
    }
}

pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> TestRequest {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    TestRequest::post()
        .uri(path)
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(body)
}

pub(crate) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
