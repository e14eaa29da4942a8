//! One tool call at work, whichever era asked for it: what it tells on the way, how it ends, how it is called off.

use imapmcp_core::oauth::Principal;
use imapmcp_mcp_tools::{
    reply::Progress,
    toolbox::{Outcome, ToolCall, Toolbox},
};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;

/// A tool at work. The work is a task of its own, so that a panic in it is one failed call; it ends when this is dropped.
pub(crate) struct Calling {
    work: AbortOnDropHandle<Outcome>,
    steps: mpsc::UnboundedReceiver<Progress>,
    cancelled: CancellationToken,
}

/// What happens next in a call.
pub(crate) enum Event {
    /// It has come so far.
    Step(Progress),
    /// It has ended; nothing comes after it.
    End(End),
}

/// How a call ended.
pub(crate) enum End {
    /// The tool answered.
    Outcome(Outcome),
    /// Nobody waits for it any more.
    CalledOff,
    /// A bug; it is in the log.
    Broken,
}

impl Calling {
    /// Begins; `tells` whether anybody wants to hear how far it has come.
    pub(crate) fn begin(
        toolbox: Arc<dyn Toolbox>,
        principal: Arc<Principal>,
        call: ToolCall,
        tells: bool,
        cancelled: CancellationToken,
    ) -> Self {
        let (sender, steps) = mpsc::unbounded_channel();
        let progress = tells.then_some(sender);
        let tool: String = call.name.chars().filter(char::is_ascii_graphic).take(60).collect();
        let span = tracing::info_span!("call", tool);
        let work = async move { toolbox.call(&principal, &call, progress).await }.instrument(span);
        Self { work: AbortOnDropHandle::new(tokio::spawn(work)), steps, cancelled }
    }

    /// Waits for what happens next; this may be dropped half-way and asked again.
    pub(crate) async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            Some(step) = self.steps.recv() => Event::Step(step),
            ended = &mut self.work => Event::End(ended.map_or_else(
                |error| {
                    tracing::error!(%error, "a tool call ended early");
                    End::Broken
                },
                End::Outcome,
            )),
            () = self.cancelled.cancelled() => {
                self.work.abort();
                Event::End(End::CalledOff)
            }
        }
    }
}
