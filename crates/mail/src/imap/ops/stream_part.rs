//! One part, octet by octet, decoded by the server where it can.

use super::one::{any_body, of_message};
use crate::imap::{
    connection::session::Session,
    wire::{
        command::Command,
        fault::Fault,
        fetch::Body,
        framing::Limits,
        tap::{Piece, Sink},
    },
};
use crate::{
    lock::lock,
    wire_text::{NO_SUCH_PART, stretch},
};
use imapmcp_core::mail::{Locator, MailError, Part};
use std::sync::{Arc, Mutex};

/// What was given out of a part.
struct Given {
    sink: Sink,
    /// Whether its beginning was told, and any octet.
    started: bool,
    /// The beginning is told with the first octet only: without any, the part is asked for again.
    patient: bool,
}

impl Given {
    /// Hands on; whether anybody listens.
    fn give(&mut self, piece: Piece<'_>) -> bool {
        let waits = match piece {
            Piece::Octets(octets) => octets.is_empty(),
            Piece::Start | Piece::End => true,
        };
        if self.patient && !self.started && waits {
            return true;
        }
        if self.patient && !self.started && !(self.sink)(Piece::Start) {
            return false;
        }
        self.started = true;
        (self.sink)(piece)
    }
}

/// Whether there is something to decode.
pub(crate) fn is_encoded(part: &Part) -> bool {
    ["base64", "quoted-printable"].iter().any(|known| part.encoding.eq_ignore_ascii_case(known))
}

impl Session {
    /// Gives the octets of a part to a sink as they come; `sink` is told in which transfer encoding. A server that can
    /// decode (BINARY, RFC 3516) does: a quarter less on the wire. One that fails at it, in whatever way, is asked for the
    /// part as it is, and not for this part again; where the connection is lost over it, the caller asks once more.
    pub(crate) async fn stream(
        &mut self,
        at: &Locator,
        part: &Part,
        sink: impl Fn(&str) -> Sink,
    ) -> Result<(), Fault> {
        // Not one octet may be given out for a stale reference: the folder is entered first, unless it is open.
        let uid_validity = self.opened(&at.folder, at.uid_validity).await?.uid_validity;
        if stretch(&part.section).is_some_and(|(_, length)| length == 0) {
            let mut sink = sink("7bit");
            let _ = sink(Piece::Start) && sink(Piece::End);
            return Ok(());
        }
        let is_own = part.section.starts_with(|c: char| c.is_ascii_digit());
        let place = (at.folder.to_string(), uid_validity, at.uid, part.section.clone());
        if is_encoded(part) && is_own && self.capabilities.has_binary() && !self.hints.cannot_decode(&place) {
            let (streamed, started) = self.stream_decoded(at, part, sink("binary")).await;
            let goes_on = match &streamed {
                Ok(())
                | Err(Fault::Said(MailError::Gone | MailError::Stale | MailError::Throttled { .. })) => false,
                Err(_) => !started,
            };
            if !goes_on {
                return streamed;
            }
            self.hints.set_cannot_decode(place);
            if let Err(fault @ (Fault::Lost(_) | Fault::Broken(_))) = streamed {
                return Err(fault);
            }
        }
        let fetch =
            Command::new("UID FETCH ").number(at.uid).raw(" (UID ").peek(&part.section, None).raw(")");
        self.stream_section(at, &part.section, fetch, sink(&part.encoding), false).await.0
    }

    /// As the server decodes it, and whether any octet came; nothing at all of a part that has octets is an error.
    async fn stream_decoded(&mut self, at: &Locator, part: &Part, sink: Sink) -> (Result<(), Fault>, bool) {
        let fetch = Command::new("UID FETCH ").number(at.uid);
        let fetch = fetch.raw(" (UID BINARY.PEEK[").section(&part.section).raw("])");
        let streamed = self.stream_section(at, &part.section, fetch, sink, part.size > 0).await;
        match streamed {
            // it may be there, and its octets left out
            (Err(Fault::Said(MailError::Gone)), false) => (Err(Fault::Said(MailError::Protocol)), false),
            (Ok(()), false) if part.size > 0 => (Err(Fault::Said(MailError::Protocol)), false),
            streamed => streamed,
        }
    }

    /// Streams what a command fetches, and tells whether its beginning was given out; `patient` as [`Given`] says.
    async fn stream_section(
        &mut self,
        at: &Locator,
        section: &str,
        fetch: Command,
        sink: Sink,
        patient: bool,
    ) -> (Result<(), Fault>, bool) {
        // The tap has it while octets come; what a server sends as a quoted string is given afterwards.
        let given = Arc::new(Mutex::new(Given { sink, started: false, patient }));
        let tapped = Arc::clone(&given);
        let give = move |piece: Piece<'_>| lock(&tapped).give(piece);
        let batch = match self.run_within(vec![fetch], Limits::STREAM, Some(Box::new(give))).await {
            Ok(batch) => batch,
            Err(fault) => return (Err(fault), lock(&given).started),
        };
        if lock(&given).started && !batch.is_ok(0) {
            // some of it was given out: nobody may begin anew
            return (Err(Fault::Broken(MailError::Protocol)), true);
        }
        let whole = match of_message(batch, 0, at.uid).map(any_body) {
            Ok(Some(Body::Streamed)) => Ok(None),
            Ok(Some(Body::Octets(octets))) if octets.is_empty() => match self.has_part(at.uid, section).await
            {
                Ok(true) => Ok(Some(octets)),
                Ok(false) => Err(Fault::Said(NO_SUCH_PART)),
                Err(fault) => Err(fault),
            },
            Ok(Some(Body::Octets(octets))) => Ok(Some(octets)),
            Ok(Some(Body::Nil)) => Err(Fault::Said(NO_SUCH_PART)),
            Ok(Some(Body::Cut(_)) | None) => Err(Fault::Said(MailError::Protocol)),
            Err(fault) => Err(fault),
        };
        let mut given = lock(&given);
        let done = whole.map(|octets| octets.iter().for_each(|octets| given.whole(octets)));
        (done, given.started)
    }
}

impl Given {
    /// Gives a part that came at once.
    fn whole(&mut self, octets: &[u8]) {
        for piece in [Piece::Start, Piece::Octets(octets), Piece::End] {
            if !self.give(piece) {
                break;
            }
        }
    }
}
