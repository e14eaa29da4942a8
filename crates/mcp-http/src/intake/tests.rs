use super::*;
use actix_web::http::header::{HeaderName, HeaderValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::stream;
use serde_json::json;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

/// Files in memory; what is not let go of can be seen from outside.
#[derive(Default)]
struct Memory {
    room: usize,
    there: Arc<Mutex<Vec<Vec<u8>>>>,
    unavailable: bool,
}

impl Files for Memory {
    fn silence(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn begin(&mut self, _: u64) -> Result<bool, ToolError> {
        let mut there = self.there.lock().unwrap();
        let fits = there.len() < self.room;
        if fits {
            there.push(Vec::new());
        }
        Ok(fits)
    }

    async fn push(&mut self, octets: &[u8]) -> Result<(), ToolError> {
        if self.unavailable {
            return Err(ToolError::Unavailable);
        }
        self.there.lock().unwrap().last_mut().unwrap().extend_from_slice(octets);
        Ok(())
    }

    async fn finish(&mut self) -> Result<Value, ToolError> {
        Ok(json!(self.there.lock().unwrap().len()))
    }

    async fn abandon(&mut self) {
        self.there.lock().unwrap().pop();
    }

    fn is_empty(&self) -> bool {
        self.there.lock().unwrap().is_empty()
    }

    async fn release(self) {
        self.there.lock().unwrap().clear();
    }
}

fn headers(more: &[(&'static str, String)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, String)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    more.iter().map(header).collect()
}

fn room() -> Room {
    Arc::new(crate::room::Rooms::default()).enter("usr_1".parse().unwrap())
}

fn pieces(body: &[u8]) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    stream::iter(body.chunks(32_000).map(|piece| Ok(piece.to_vec().into())).collect::<Vec<_>>())
}

async fn read_whole(body: &[u8], files: Option<Memory>) -> Result<Bytes, Value> {
    let read = read(&headers(&[]), pieces(body), files, &mut room()).await;
    read.map(|(body, _)| body).map_err(told)
}

fn told(fault: RpcFault) -> Value {
    let status = fault.status();
    let mut message = fault.into_message();
    message["status"] = json!(status);
    message
}

fn call(octets: usize) -> Vec<u8> {
    json!({ "content_base64": STANDARD.encode(vec![7; octets]) }).to_string().into_bytes()
}

#[tokio::test]
async fn a_long_file_leaves_the_body_and_a_short_one_stays() {
    let files = Memory { room: 1, ..Memory::default() };
    let there = Arc::clone(&files.there);
    let body = read_whole(&call(9_000_000), Some(files)).await.unwrap();
    assert_eq!(body, br#"{"content_base64":1}"#[..]);
    assert!(there.lock().unwrap()[0] == vec![7; 9_000_000]);
    let short = call(290_000);
    assert!(read_whole(&short, Some(Memory { room: 1, ..Memory::default() })).await.unwrap() == short);
    let broken = String::from_utf8(call(300_000)).unwrap().replacen("BwcH", "%%%%", 1).into_bytes();
    let files = Memory { room: 1, ..Memory::default() };
    let there = Arc::clone(&files.there);
    let body = read_whole(&broken, Some(files)).await.unwrap();
    assert_eq!((&body[..], there.lock().unwrap().len()), (&br#"{"content_base64":"%"}"#[..], 0));
}

#[tokio::test]
async fn whoever_may_not_write_has_eight_megabytes_whatever_is_in_them() {
    let fits = call(6_000_000);
    assert!(read_whole(&fits, None).await.unwrap() == fits);
    let error = read_whole(&call(6_300_000), None).await.unwrap_err();
    assert_eq!(error["status"], 413);
    assert!(error["error"]["message"].as_str().unwrap().contains("create_upload"), "{error}");
    for (octets, may, status) in
        [(8 << 20, false, 0), ((8 << 20) + 1, false, 413), (36 << 20, true, 0), ((36 << 20) + 1, true, 413)]
    {
        let announced = headers(&[("content-length", octets.to_string())]);
        let read = read(&announced, pieces(b"{}"), may.then(Memory::default), &mut room()).await;
        assert_eq!(read.map_or_else(|fault| fault.status(), |_| 0), status, "{octets}");
    }
    let other = json!({ "body_text": "QUJD".repeat(2_200_000) }).to_string();
    let error = read_whole(other.as_bytes(), Some(Memory { room: 1, ..Memory::default() })).await;
    assert_eq!(error.unwrap_err()["status"], 413, "what is no file stays bounded");
}

#[tokio::test]
async fn a_file_that_nobody_takes_stays_and_too_many_of_them_are_told() {
    let fits = call(6_000_000);
    assert!(read_whole(&fits, Some(Memory::default())).await.unwrap() == fits);
    let error = read_whole(&call(7_000_000), Some(Memory::default())).await.unwrap_err();
    assert_eq!(
        (&error["status"], &error["error"]["data"]["code"]),
        (&json!(429), &json!("too_many_uploads"))
    );
    let gone = Memory { room: 1, unavailable: true, ..Memory::default() };
    let there = Arc::clone(&gone.there);
    let error = read_whole(&call(7_000_000), Some(gone)).await.unwrap_err();
    assert_eq!((&error["status"], &error["error"]["data"]["code"]), (&json!(503), &json!("unavailable")));
    assert!(there.lock().unwrap().is_empty(), "let go of");
    let files = Memory { room: 1, ..Memory::default() };
    let there = Arc::clone(&files.there);
    let broken = pieces(&call(1_000_000)[..700_000]).map(Ok).chain(stream::iter([Err("gone")]));
    let broken = broken.map(|piece| piece.map(Result::unwrap_or_default));
    assert_eq!(read(&headers(&[]), broken, Some(files), &mut room()).await.err().unwrap().status(), 400);
    assert!(there.lock().unwrap().is_empty(), "let go of");
}

/// Reads a call of a 3 MB file whose pieces come so many seconds apart.
async fn slowly(before: u64, within: u64) -> u16 {
    let body = call(3_000_000);
    let count = body.len().div_ceil(32_000);
    let slow = pieces(&body).enumerate().then(move |(place, piece)| async move {
        // 384 KB are kept before it is a long one
        let seconds = if (13..count).contains(&place) { within } else { before };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        piece
    });
    let files = Memory { room: 1, ..Memory::default() };
    read(&headers(&[]), slow, Some(files), &mut room()).await.map_or_else(|fault| fault.status(), |_| 0)
}

#[tokio::test(start_paused = true)]
async fn a_file_may_take_its_time_but_not_be_silent_and_the_rest_may_not() {
    assert_eq!(slowly(1, 7).await, 0, "13 minutes of a file");
    assert_eq!(slowly(1, 11).await, 408, "silent");
    assert_eq!(slowly(1, 9).await, 408, "over 15 minutes");
    assert_eq!(slowly(3, 1).await, 408, "over 30 seconds for what is kept");
}

#[tokio::test]
async fn what_one_person_has_in_memory_is_bounded_and_files_do_not_count() {
    let rooms = Arc::new(crate::room::Rooms::default());
    let enter = || rooms.enter("usr_1".parse().unwrap());
    let text = json!({ "body_text": "a".repeat(7_600_000) }).to_string().into_bytes();
    let mut held = Vec::new();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let mut room = enter();
        let read = read(&headers(&[]), pieces(&text), None::<Memory>, &mut room).await;
        statuses.push(read.as_ref().map_or_else(RpcFault::status, |_| 0));
        // who is refused lets go of what had come
        held.extend(read.ok().map(|read| (read, room)));
    }
    assert_eq!(statuses, [0, 0, 0, 0, 429, 429]);
    let small = read(&headers(&[]), pieces(b"{}"), None::<Memory>, &mut enter()).await;
    assert!(small.is_ok(), "a small one still fits");
    let files = Memory { room: 1, ..Memory::default() };
    let file = read(&headers(&[]), pieces(&call(9_000_000)), Some(files), &mut enter()).await;
    assert!(file.is_ok(), "a file is not kept in memory");
    held.clear();
    assert!(read(&headers(&[]), pieces(&text), None::<Memory>, &mut enter()).await.is_ok());
}

#[tokio::test]
async fn files_go_before_a_plain_answer_and_with_the_end_of_a_stream() {
    let files = || {
        let files = Memory { there: Arc::new(Mutex::new(vec![Vec::new()])), ..Memory::default() };
        (Arc::clone(&files.there), Some(files))
    };
    let (there, plain) = files();
    hold(HttpResponse::Ok().body("{}"), plain).await;
    assert!(there.lock().unwrap().is_empty());
    let (there, streamed) = files();
    let events = stream::iter([Ok::<_, actix_web::Error>(Bytes::from_static(b"data: {}\n\n"))]);
    let answer = hold(HttpResponse::Ok().streaming(events), streamed).await;
    assert_eq!(Arc::strong_count(&there), 2, "the work goes on behind it");
    let whole = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
    assert_eq!((&whole[..], Arc::strong_count(&there)), (&b"data: {}\n\n"[..], 1));
}
