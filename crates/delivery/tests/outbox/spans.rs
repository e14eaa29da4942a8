//! What traces tell of a delivery: which entry, how often, how far; never who writes to whom about what.

use crate::world::{Answer, World};
use imapmcp_core::{mail::SubmitError, outbox::OutboxState};
use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

/// Fields of spans as `span.field=value`.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<String>>>);

struct Fields<'a>(&'a str, &'a Collected);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.1.0.lock().unwrap().push(format!("{}.{field}={value:?}", self.0));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collected {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut Fields(attributes.metadata().name(), self));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        values.record(&mut Fields(context.span(id).unwrap().name(), self));
    }
}

#[tokio::test]
async fn spans_name_the_entry_and_nobody() {
    let collected = Collected::default();
    let subscriber = tracing_subscriber::registry().with(collected.clone());
    let _here = tracing::subscriber::set_default(subscriber);
    let world = World::new();
    let house = world.house().await;
    world.server.will(Answer::Fails(SubmitError::Deferred { code: 451, enhanced: None }));
    let receipt = house.send("Between us").await.unwrap();
    house.sweep_later(&world, 60).await;
    assert_eq!(house.state(&receipt.id).await, OutboxState::Done);
    let told: Vec<String> = collected
        .0
        .lock()
        .unwrap()
        .iter()
        .filter(|field| field.starts_with("submit.") || field.starts_with("sweep."))
        .cloned()
        .collect();
    let id = &receipt.id;
    let once = |span: &str, attempt: u32, state: &str| {
        [format!("{span}.attempt={attempt}"), format!("{span}.state={state}")]
    };
    let mut expected = vec![format!("submit.outbox={id}")];
    expected.extend(once("submit", 1, "Queued"));
    expected.extend([format!("sweep.outbox={id}"), format!("submit.outbox={id}")]);
    expected.extend(once("submit", 2, "Done"));
    expected.extend(once("sweep", 2, "Done"));
    assert_eq!(told, expected, "an identifier of ours, a number and a state: nothing else");
}
