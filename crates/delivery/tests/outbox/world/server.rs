use super::Points;
use async_trait::async_trait;
use bytes::Bytes;
use imapmcp_core::{
    account::{Backend, Login},
    mail::{FinalDot, MailError, Outgoing, Submission, SubmissionEnvelope, SubmitError, Submitted},
    outbox::Refusal,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What the server does with one submission.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Takes it for everybody but these.
    Refuses(Vec<(&'static str, u16)>),
    /// Fails before the final dot.
    Fails(SubmitError),
    /// Takes it, and the connection dies before the answer.
    CutAfterDelivery,
    /// The connection dies with the final dot.
    CutBeforeDelivery,
    /// Refuses these, then the message as a whole.
    RefusesThen(Vec<(&'static str, u16)>, u16),
    /// The message as a whole is refused after the final dot.
    AfterDot(u16),
}

impl From<MailError> for Answer {
    fn from(error: MailError) -> Self {
        Self::Fails(error.into())
    }
}

/// A Message-ID and the recipients it was taken for.
pub(crate) type Taken = (String, Vec<String>);

/// A submission server: answers as told, then takes everything. Clones are the same server.
#[derive(Clone, Default)]
pub(crate) struct Server {
    script: Arc<Mutex<VecDeque<Answer>>>,
    taken: Arc<Mutex<Vec<Taken>>>,
    messages: Arc<Mutex<Vec<Bytes>>>,
    senders: Arc<Mutex<Vec<String>>>,
    /// Connections that wait for its word under its [`SILENT`] name.
    pub(crate) silenced: Arc<AtomicUsize>,
    points: Arc<Points>,
}

/// The name of a server that says nothing.
pub(crate) const SILENT: &str = "silent.example.com";

impl Server {
    pub(crate) fn in_process(&self, points: Arc<Points>) -> Self {
        Self { points, ..self.clone() }
    }

    pub(crate) fn will(&self, answer: impl Into<Answer>) {
        self.script.lock().unwrap().push_back(answer.into());
    }

    pub(crate) fn forget_script(&self) {
        self.script.lock().unwrap().clear();
    }

    /// The last message it took.
    pub(crate) fn last(&self) -> Bytes {
        self.messages.lock().unwrap().last().unwrap().clone()
    }

    /// Message-IDs with the recipients they were taken for.
    /// Who sent what it took.
    pub(crate) fn senders(&self) -> Vec<String> {
        self.senders.lock().unwrap().clone()
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

pub(crate) fn message_id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let at = text.to_lowercase().find("message-id: <").unwrap() + 13;
    text[at..].split('>').next().unwrap().to_owned()
}

#[async_trait]
impl Submission for Server {
    async fn submit(
        &self,
        _: &Login,
        _: &SubmissionEnvelope,
        _: &Outgoing,
    ) -> Result<Submitted, SubmitError> {
        panic!("the outbox asks before the final dot");
    }

    async fn submit_when(
        &self,
        login: &Login,
        envelope: &SubmissionEnvelope,
        message: &Outgoing,
        dot: &dyn FinalDot,
    ) -> Result<Submitted, SubmitError> {
        if matches!(&login.backend, Backend::Servers { smtp, .. } if smtp.host == SILENT) {
            self.silenced.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
        self.points.reach("connected").await;
        let answer = self.script.lock().unwrap().pop_front().unwrap_or(Answer::Refuses(Vec::new()));
        let refusals = match &answer {
            Answer::Fails(error) => return Err(error.clone()),
            Answer::Refuses(list) | Answer::RefusesThen(list, _) => list.clone(),
            _ => Vec::new(),
        };
        let code = |address: &str| refusals.iter().find(|(refused, _)| *refused == address);
        let refused: Vec<Refusal> = envelope
            .recipients()
            .iter()
            .filter_map(|address| code(address))
            .map(|(address, code)| Refusal { address: (*address).into(), code: *code, enhanced: None })
            .collect();
        let accepted: Vec<String> = envelope
            .recipients()
            .iter()
            .filter(|address| code(address).is_none())
            .map(ToString::to_string)
            .collect();
        let message = message.collect().await.map_err(|_| MailError::Unreadable)?;
        if !dot.may_leave(&refused).await {
            return Err(SubmitError::Withheld);
        }
        self.points.reach("dot recorded").await;
        match answer {
            Answer::AfterDot(code @ 400..=499) | Answer::RefusesThen(_, code) => {
                return Err(SubmitError::Deferred { code, enhanced: None });
            }
            Answer::AfterDot(code) => {
                return Err(SubmitError::Rejected { code, enhanced: None, refused: Vec::new() });
            }
            Answer::CutBeforeDelivery => return Err(SubmitError::Unknown(MailError::Timeout)),
            _ => {}
        }
        self.senders.lock().unwrap().push(envelope.sender().to_owned());
        self.taken.lock().unwrap().push((message_id(&message), accepted.clone()));
        self.messages.lock().unwrap().push(message);
        self.points.reach("delivered").await;
        if matches!(answer, Answer::CutAfterDelivery) {
            return Err(SubmitError::Unknown(MailError::Timeout));
        }
        Ok(Submitted { accepted, refused })
    }

    async fn probe(&self, _: &Login) -> Result<(), MailError> {
        Ok(())
    }
}
