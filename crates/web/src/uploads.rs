//! `/uploads/{token}`: a signed link to PUT one file to. Programs use it, so every answer is JSON.

use crate::{resource::page, state::wrong_link};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, RETRY_AFTER},
    },
    web,
};
use imapmcp_attachments::{UploadError, Uploads};
use imapmcp_core::store::StoreError;
use imapmcp_oauth_server::TooMany;
use serde_json::json;

/// Adds the route.
pub(crate) fn configure(config: &mut web::ServiceConfig, uploads: web::Data<Uploads>) {
    config.app_data(uploads);
    page(config, "/uploads/{token}", [web::put().to(receive), web::route().to(not_allowed)]);
}

async fn receive(
    request: HttpRequest,
    token: web::Path<String>,
    uploads: web::Data<Uploads>,
    payload: web::Payload,
) -> HttpResponse {
    if request.headers().contains_key(CONTENT_ENCODING) {
        return refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "compressed",
            "Send the file's bytes as they are, without Content-Encoding.",
        );
    }
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match uploads.receive(&token, announced, payload).await {
        Ok(file) => HttpResponse::Created().json(json!({
            "filename": file.filename,
            "size": file.parcel.octets,
            "sha256": hex(&file.parcel.digest)
        })),
        Err(error) => {
            let too_many =
                matches!(error, UploadError::Expired).then(|| wrong_link(&request).err()).flatten();
            too_many.map_or_else(|| failed(&error), too_many_links)
        }
    }
}

fn too_many_links(TooMany { retry_after }: TooMany) -> HttpResponse {
    let hint = "Many links that are wrong or have expired came from your network. Wait, then try again.";
    let mut response = refused(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", hint);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

async fn not_allowed() -> HttpResponse {
    let mut response =
        refused(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Send the file with PUT.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("PUT"));
    response
}

fn failed(error: &UploadError) -> HttpResponse {
    match error {
        UploadError::Expired => refused(
            StatusCode::GONE,
            "upload_expired",
            "This link is wrong, has expired, or the connection it was made for has ended. Ask for a new one.",
        ),
        UploadError::Complete => refused(
            StatusCode::CONFLICT,
            "upload_complete",
            "The file is here already. Ask for a new link for another.",
        ),
        UploadError::Overtaken => refused(
            StatusCode::CONFLICT,
            "upload_overtaken",
            "The file was sent again over the same link meanwhile.",
        ),
        UploadError::TooLarge { max_octets } => refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            &format!("This link takes at most {max_octets} bytes. Nothing was kept."),
        ),
        UploadError::TooSlow => refused(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "The file did not arrive in time. Nothing was kept; send it again over the same link.",
        ),
        UploadError::Broken => refused(
            StatusCode::BAD_REQUEST,
            "incomplete",
            "The file did not arrive whole. Nothing was kept; send it again over the same link.",
        ),
        UploadError::TooMany => {
            refused(StatusCode::TOO_MANY_REQUESTS, "too_many_uploads", "Too many uploads are open.")
        }
        UploadError::Store(StoreError::Unavailable(_)) => {
            let mut response = refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Try again over the same link in a moment.",
            );
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            response
        }
        UploadError::Store(error) => {
            tracing::error!(%error, "an upload failed");
            refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.")
        }
    }
}

/// The rest of the body, if there is any, is not worth reading: the connection ends with the answer.
fn refused(status: StatusCode, code: &str, hint: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONNECTION, "close"))
        .json(json!({ "error": { "code": code, "hint": hint } }))
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::new(), |mut text, octet| {
        // writing to a string does not fail
        let _ = write!(text, "{octet:02x}");
        text
    })
}
