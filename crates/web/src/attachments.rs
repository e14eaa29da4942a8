//! `/attachments/{token}`: a signed link, streamed from the mail server.

use crate::{error::WebError, resource::page, state::wrong_link};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{
            ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, RANGE,
        },
    },
    web,
};
use imapmcp_attachments::{Attachments, ByteRange, DownloadError, content_type, cut, disposition};
use imapmcp_core::mail::MailError;

/// Adds the route.
pub(crate) fn configure(config: &mut web::ServiceConfig, attachments: web::Data<Attachments>) {
    config.app_data(attachments);
    page(config, "/attachments/{token}", [web::get().to(download), web::head().to(download)]);
}

async fn download(
    request: HttpRequest,
    token: web::Path<String>,
    attachments: web::Data<Attachments>,
) -> Result<HttpResponse, WebError> {
    let file = match attachments.open(&token).await {
        Err(DownloadError::Expired) => {
            wrong_link(&request)?;
            return Err(WebError::LinkExpired);
        }
        opened => opened.map_err(failed)?,
    };
    let range = request.headers().get(RANGE).and_then(|field| field.to_str().ok()).and_then(ByteRange::parse);
    let range = range.filter(|_| request.method() == Method::GET);
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, content_type(&file.content_type)))
        .insert_header((CONTENT_DISPOSITION, disposition(&file.filename)))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((ACCEPT_RANGES, "bytes"));
    if request.method() == Method::HEAD {
        if let Some(size) = file.size {
            response.insert_header((CONTENT_LENGTH, size.to_string()));
        }
        return Ok(response.finish());
    }
    let Some(range) = range else {
        let octets = file.stream().await.map_err(|error| failed(error.into()))?;
        if let Some(size) = file.size {
            response.no_chunking(size);
        }
        return Ok(response.streaming(octets));
    };
    // what base64 stands for is known only once it has been read
    let size = match file.size {
        Some(size) => size,
        None => file.count().await.map_err(|error| failed(error.into()))?,
    };
    if range.first >= size {
        return Ok(HttpResponse::RangeNotSatisfiable()
            .insert_header((CONTENT_RANGE, format!("bytes */{size}")))
            .finish());
    }
    let last = range.last.unwrap_or(u64::MAX).min(size - 1);
    let octets = file.stream().await.map_err(|error| failed(error.into()))?;
    response.status(StatusCode::PARTIAL_CONTENT);
    response.insert_header((CONTENT_RANGE, format!("bytes {}-{last}/{size}", range.first)));
    response.no_chunking(last - range.first + 1);
    Ok(response.streaming(cut(octets, ByteRange { first: range.first, last: Some(last) })))
}

fn failed(error: DownloadError) -> WebError {
    match error {
        DownloadError::Expired => WebError::LinkExpired,
        // the message has gone, or the folder was rebuilt
        DownloadError::Mail(MailError::Gone | MailError::Stale | MailError::NoFolder) => {
            WebError::LinkExpired
        }
        DownloadError::Mail(_) | DownloadError::Account(_) => WebError::MailServer,
        DownloadError::Store(error) => error.into(),
    }
}
