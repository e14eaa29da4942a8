//! The body of a request: what is kept of it, how long it may take, and the long files that leave it as it arrives.

use crate::{
    answer::RpcFault,
    lift::{Bounds, Lifter, Step, Unfit},
    room::Room,
};
use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::header::{self, HeaderMap},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use imapmcp_mcp_tools::{
    error::ToolError,
    handed::{ARRIVAL, Handed, MAX_OCTETS},
};
use serde_json::Value;
use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// What is kept of a request. A base64 string of up to [`Bounds::long`] is decoded by the tool, and the message then has
/// the file in itself; a longer one would go into a parcel anyhow.
const BOUNDS: Bounds = Bounds { kept: 8 * 1024 * 1024, long: 384 * 1024, values: 20_000 };
/// Octets of a whole request that hands files over: 25 MB in base64 with line ends, and some for the rest.
const MAX_WHOLE: usize = 36 * 1024 * 1024;
/// Time a client has to send what is kept.
const KEPT_DEADLINE: Duration = Duration::from_secs(30);

/// Where the long files of a request go: [`Handed`], or a test's own.
pub(crate) trait Files {
    fn silence(&self) -> Duration;
    async fn begin(&mut self, at_most: u64) -> Result<bool, ToolError>;
    async fn push(&mut self, octets: &[u8]) -> Result<(), ToolError>;
    async fn finish(&mut self) -> Result<Value, ToolError>;
    async fn abandon(&mut self);
    fn is_empty(&self) -> bool;
    async fn release(self);
}

impl Files for Handed {
    fn silence(&self) -> Duration {
        Self::silence(self)
    }

    async fn begin(&mut self, at_most: u64) -> Result<bool, ToolError> {
        Self::begin(self, at_most).await
    }

    async fn push(&mut self, octets: &[u8]) -> Result<(), ToolError> {
        Self::push(self, octets).await
    }

    async fn finish(&mut self) -> Result<Value, ToolError> {
        Self::finish(self).await
    }

    async fn abandon(&mut self) {
        Self::abandon(self).await;
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    async fn release(self) {
        Self::release(self).await;
    }
}

/// Reads a body into `room`. With `files` (who may hand some over), long base64 goes there, and a stand-in into what is
/// returned.
pub(crate) async fn read<F: Files, E>(
    headers: &HeaderMap,
    payload: impl Stream<Item = Result<Bytes, E>>,
    mut files: Option<F>,
    room: &mut Room,
) -> Result<(Bytes, Option<F>), RpcFault> {
    match arrive(headers, payload, &mut files, room).await {
        Ok(body) => Ok((body, files)),
        Err(fault) => {
            if let Some(files) = files {
                files.release().await;
            }
            Err(fault)
        }
    }
}

async fn arrive<F: Files, E>(
    headers: &HeaderMap,
    payload: impl Stream<Item = Result<Bytes, E>>,
    files: &mut Option<F>,
    room: &mut Room,
) -> Result<Bytes, RpcFault> {
    let most = if files.is_some() { MAX_WHOLE } else { BOUNDS.kept };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > most) {
        return Err(too_large(most));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(RpcFault::new(415, None, -32600, "Compressed requests are not accepted"));
    }
    // with files it is seen only as it comes how much is kept
    if files.is_none() && !room.grow(length.unwrap_or_default(), 0) {
        return Err(no_room());
    }
    let mut reading = Reading {
        lifter: Lifter::new(BOUNDS),
        files,
        most,
        // so much base64 cannot be more octets
        longest: length.map_or(MAX_OCTETS, |length| length as u64 / 4 * 3),
        crowded: false,
    };
    let mut payload = pin!(payload);
    let mut patience = Patience::new(reading.files.as_ref().map_or(KEPT_DEADLINE, Files::silence));
    let mut whole = 0;
    while let Some(piece) = patience.wait(payload.next(), reading.lifter.is_lifting()).await? {
        let piece = piece.map_err(|_| RpcFault::parse_error())?;
        whole += piece.len();
        if whole > most {
            return Err(too_large(most));
        }
        reading.take(&piece).await?;
        if !room.grow(reading.lifter.kept_len(), reading.lifter.values()) {
            return Err(no_room());
        }
    }
    Ok(reading.lifter.into_kept().into())
}

/// A body that is being read.
struct Reading<'a, F> {
    lifter: Lifter,
    files: &'a mut Option<F>,
    most: usize,
    longest: u64,
    /// A file had to stay in the body because its user has too much open.
    crowded: bool,
}

impl<F: Files> Reading<'_, F> {
    async fn take(&mut self, mut piece: &[u8]) -> Result<(), RpcFault> {
        loop {
            let mut step = self.lifter.next(&mut piece).map_err(|unfit| self.unfit(unfit))?;
            if step == Step::Long {
                let begun = match self.files {
                    Some(files) => files.begin(self.longest).await.map_err(|error| failed(&error))?,
                    None => false,
                };
                if !begun {
                    self.crowded |= self.files.is_some();
                    self.lifter.leave();
                    continue;
                }
                step = self.lifter.lift().map_err(|unfit| self.unfit(unfit))?;
            }
            let Some(files) = self.files.as_mut().filter(|_| step != Step::Hungry) else { return Ok(()) };
            match step {
                Step::Octets(octets) => files.push(&octets).await.map_err(|error| failed(&error))?,
                Step::Whole(octets) => {
                    files.push(&octets).await.map_err(|error| failed(&error))?;
                    let stand_in = files.finish().await.map_err(|error| failed(&error))?.to_string();
                    let kept = self.lifter.stand_in(stand_in.as_bytes());
                    kept.map_err(|unfit| self.unfit(unfit))?;
                }
                Step::NotBase64 => files.abandon().await,
                Step::Hungry | Step::Long => {}
            }
        }
    }

    fn unfit(&self, unfit: Unfit) -> RpcFault {
        match unfit {
            Unfit::Malformed => RpcFault::parse_error(),
            Unfit::TooLarge if self.crowded => failed(&ToolError::TooManyUploads),
            Unfit::TooLarge => too_large(self.most),
            Unfit::TooMany => RpcFault::new(413, None, -32600, "The request has more than 20,000 values"),
        }
    }
}

/// How much longer a body is waited for.
struct Patience {
    /// What is left for what is kept.
    kept: Duration,
    /// Between two pieces of a file.
    silence: Duration,
    until: Instant,
}

impl Patience {
    fn new(silence: Duration) -> Self {
        Self { kept: KEPT_DEADLINE, silence, until: Instant::now() + ARRIVAL }
    }

    async fn wait<T>(&mut self, next: impl Future<Output = T>, lifting: bool) -> Result<T, RpcFault> {
        let began = Instant::now();
        let left = self.until.saturating_duration_since(began);
        let most = left.min(if lifting { self.silence } else { self.kept });
        let came = tokio::time::timeout(most, next).await;
        if !lifting {
            self.kept = self.kept.saturating_sub(began.elapsed());
        }
        came.map_err(|_| RpcFault::new(408, None, -32600, "The request body did not arrive in time"))
    }
}

fn no_room() -> RpcFault {
    RpcFault::new(429, None, -32600, "Too many large requests at once; send them one after the other")
        .retry_after(2)
}

fn too_large(most: usize) -> RpcFault {
    let message = if most == MAX_WHOLE {
        "The request is larger than 8 MB beside its files in content_base64, or than 36 MB with them; give larger files by create_upload or from_message instead of content_base64"
    } else {
        "The request body is larger than 8 MB; give larger files by create_upload or from_message instead of content_base64"
    };
    RpcFault::new(413, None, -32600, message)
}

/// What goes wrong with a file before the call it stands in is known.
fn failed(error: &ToolError) -> RpcFault {
    let status = match error {
        ToolError::Unavailable => 503,
        ToolError::TooManyUploads => 429,
        ToolError::Argument { .. } => 413,
        error => {
            tracing::error!(?error, "a file of a call could not be taken in");
            return RpcFault::new(500, None, -32603, "Internal error");
        }
    };
    let data = error.to_json("");
    let hint = data["hint"].as_str().unwrap_or_default().to_owned();
    RpcFault::new(status, None, -32600, hint).with_data(data)
}

/// Lets go of a request's files when its answer is complete.
pub(crate) async fn hold<F: Files + Unpin + 'static>(
    response: HttpResponse,
    files: Option<F>,
) -> HttpResponse {
    let Some(files) = files.filter(|files| !files.is_empty()) else { return response };
    if matches!(response.body().size(), BodySize::Stream) {
        return response.map_body(|_, body| BoxBody::new(Holding { body, _files: files }));
    }
    files.release().await;
    response
}

/// Keeps the room of a request until its answer is complete.
pub(crate) fn keep(response: HttpResponse, room: Room) -> HttpResponse {
    if matches!(response.body().size(), BodySize::Stream) {
        return response.map_body(|_, body| BoxBody::new(Holding { body, _files: room }));
    }
    response
}

/// The rest of an answer, with the files that the work behind it may still need.
struct Holding<F> {
    body: BoxBody,
    _files: F,
}

impl<F: Unpin> MessageBody for Holding<F> {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

#[cfg(test)]
mod tests;
