//! BINARY (RFC 3516): parts decoded by the server, in whichever way it was told to.

use super::{
    Decodes, Lie,
    session::{Answer, Session},
};
use futures_util::StreamExt;
use imapmcp_core::mail::Locator;
use tokio::io::AsyncWriteExt;

impl Session {
    /// One part of the messages of a set, decoded.
    pub(super) async fn fetch_decoded(&mut self, set: &str, section: &str) -> Answer {
        let Some(Lie::Decodes(how)) = self.lie(|lie| matches!(lie, Lie::Decodes(_))) else {
            // it offers to decode, and cannot: clients have to do it themselves
            return Err("NO [UNKNOWN-CTE] what is this".to_owned());
        };
        for (sequence, uid) in self.named(set, true)? {
            let octets = self.decoded(&self.place(uid), section).await;
            let literal = |octets: &[u8]| [format!("~{{{}}}\r\n", octets.len()).as_bytes(), octets].concat();
            let (name, value) = match how {
                Decodes::Drops => {
                    self.stream.get_mut().shutdown().await.unwrap();
                    return Err("NO nobody reads this".to_owned());
                }
                Decodes::DropsHalfWay => {
                    let announced =
                        format!("* {sequence} FETCH (UID {uid} BINARY[{section}] {{{}}}\r\n", octets.len());
                    self.stream.get_mut().write_all(announced.as_bytes()).await.unwrap();
                    self.stream.get_mut().shutdown().await.unwrap();
                    return Err("NO nobody reads this".to_owned());
                }
                Decodes::Misunderstands => return Err("BAD what is this".to_owned()),
                Decodes::LeavesOut => {
                    self.say(&format!("* {sequence} FETCH (UID {uid})"));
                    continue;
                }
                Decodes::Nil => ("BINARY", b"NIL".to_vec()),
                Decodes::Empty => ("BINARY", literal(b"")),
                Decodes::Well => ("BINARY", literal(&octets)),
                Decodes::AsAsked => ("BINARY.PEEK", literal(&octets)),
            };
            self.out
                .extend_from_slice(format!("* {sequence} FETCH (UID {uid} {name}[{section}] ").as_bytes());
            self.out.extend_from_slice(&value);
            self.out.extend_from_slice(b")\r\n");
        }
        Ok(String::new())
    }

    async fn decoded(&self, at: &Locator, section: &str) -> Vec<u8> {
        let message = self.shared.mailbox.message(at, 0).await.unwrap();
        let part = message.summary.parts.iter().find(|part| part.section == section).unwrap();
        let mut stream = self.shared.mailbox.stream(at, part).await.unwrap();
        let mut octets = Vec::new();
        while let Some(chunk) = stream.next().await {
            octets.extend_from_slice(&chunk.unwrap());
        }
        octets
    }
}
