//! The HTTP server: routes, connections, housekeeping, and an orderly end.

use crate::{
    crowd::{Bounds, Crowd, Place, Served, most_accepted},
    health::{self, Stopping},
    requests,
};
use actix_web::{
    App, Error, HttpResponse, HttpServer,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Server, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web,
};
use imapmcp_bootstrap::{Listen, Services};
use imapmcp_extract::Extractor;
use imapmcp_mcp_http::{Endpoint, EndpointConfig, Inflight, MailHandler, gate::BearerGate, hosts::Hosts};
use imapmcp_mcp_tools::{
    context::Services as ToolServices, registry, research::WithResearch, toolbox::Toolbox,
};
use imapmcp_organizing::{Journal, Organizer};
use imapmcp_web::{TemplateError, WebDeps, WebState};
use rust_mcp_sdk::{ServerDetails, schema};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

/// Between two rounds of housekeeping.
const HOUSEKEEPING: Duration = Duration::from_secs(30);
/// Between two looks at connections that have waited too long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests under way get this long, then deliveries that long: together under the 30 seconds that process managers
/// wait before they kill.
const REQUESTS_END: u64 = 15;
const DELIVERIES_END: Duration = Duration::from_secs(12);

#[expect(
    clippy::print_stdout,
    reason = "the link that makes the first administrator belongs on the terminal only"
)]
pub(crate) async fn serve(services: Arc<Services>, runtime: Handle) -> anyhow::Result<()> {
    let journal = Journal::new(Arc::clone(&services.operations), runtime.clone());
    let endpoint = web::Data::new(endpoint(&services, &journal)?);
    let state = pages(&services)?;
    let stopping = Stopping::default();
    let accepted = most_accepted(rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024));
    let crowd = Arc::new(crowd(&services, accepted));
    let server = listen(&services, &endpoint, &state, &stopping, &crowd, accepted)?;
    let pages = state.into_inner();
    let background = [
        runtime.spawn(keep_house(Arc::clone(&services), endpoint.into_inner(), pages)),
        runtime.spawn(keep_moving(crowd)),
        runtime.spawn(Arc::clone(services.accounts.correspondents()).run()),
        runtime.spawn({
            let delivery = services.delivery.clone();
            async move { delivery.run().await }
        }),
    ];
    let handle = server.handle();
    // before the ready line: whoever waits for it may send a signal at once
    let asked = asked_to_end()?;
    actix_web::rt::spawn(async move {
        asked.await;
        tracing::info!("stopping");
        stopping.begin();
        handle.stop(true).await;
    });
    if let Some(link) = services.authorization.offer_setup().await? {
        println!("\nNo administrator yet. Open this link within 24 hours to create one:\n  {link}\n");
    }
    println!("imapmcp is ready at {}", services.settings.oauth.issuer);
    server.await?;
    background.iter().for_each(JoinHandle::abort);
    if !services.delivery.drain(DELIVERIES_END).await {
        tracing::warn!("a delivery is still under way; it is recorded, and the next start looks after it");
    }
    journal.written().await;
    Ok(())
}

fn pages(services: &Services) -> Result<web::Data<WebState>, TemplateError> {
    Ok(web::Data::new(WebState::new(WebDeps {
        server: Arc::clone(&services.authorization),
        accounts: Arc::clone(&services.accounts),
        delivery: services.delivery.clone(),
        styles: Arc::clone(&services.styles),
        allow_insecure: services.settings.allow_insecure,
        trusted_proxies: services.settings.trusted_proxies.clone(),
    })?))
}

fn crowd(services: &Services, accepted: usize) -> Crowd {
    let proxies = services.settings.trusted_proxies.clone();
    // what a proxy of ours speaks for is counted by the addresses it forwards
    Crowd::new(Bounds::within(accepted), move |peer| {
        let by_proxy = proxies.iter().any(|proxy| proxy.contains(&peer));
        (!by_proxy).then(|| imapmcp_web::network(peer))
    })
}

/// The routes behind their middlewares, on the address of the settings.
fn listen(
    services: &Arc<Services>,
    endpoint: &web::Data<Endpoint>,
    state: &web::Data<WebState>,
    stopping: &Stopping,
    crowd: &Arc<Crowd>,
    accepted: usize,
) -> io::Result<Server> {
    let shared = web::Data::from(Arc::clone(services));
    let hosts = web::Data::new(Hosts::new(&services.settings.oauth.issuer));
    let downloads = web::Data::from(Arc::clone(&services.attachments));
    let uploads = web::Data::from(Arc::clone(&services.uploads));
    let (endpoint, state) = (endpoint.clone(), state.clone());
    let stopping = web::Data::new(stopping.clone());
    let (arrivals, workers) = (Arc::clone(crowd), workers());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .app_data(hosts.clone())
            .app_data(stopping.clone())
            .route("/healthz", web::get().to(health::healthz))
            .route("/readyz", web::get().to(health::readyz))
            .configure(|config| imapmcp_mcp_http::configure(config, endpoint.clone()))
            .configure(|config| imapmcp_web::configure_attachments(config, downloads.clone()))
            .configure(|config| imapmcp_web::configure_uploads(config, uploads.clone()))
            .configure(|config| imapmcp_web::configure(config, state.clone()))
            .wrap(from_fn(serve_the_present))
            .wrap(from_fn(imapmcp_web::read_body))
            .wrap(from_fn(own_hosts_only))
            .wrap(from_fn(imapmcp_web::harden))
            .wrap(from_fn(requests::numbered))
    })
    // an event stream without it costs 40 ms a call (Nagle against delayed acknowledgements)
    .on_connect(move |connection, data| {
        if let Some(place) = arrivals.enter(connection) {
            data.insert(place);
        }
        if let Some(socket) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
            let _ = socket.set_nodelay(true);
        }
    })
    .workers(workers)
    // a worker that pauses lets nobody in: the crowd makes room before
    .max_connections(accepted.div_ceil(workers))
    // a client that hangs up has gone: nobody waits for the answer, and the work ends
    .h1_allow_half_closed(false)
    .client_request_timeout(Duration::from_secs(15))
    .shutdown_timeout(REQUESTS_END)
    .disable_signals();
    let server = match &services.settings.listen {
        Listen::Tcp(address) => server.bind(address).map_err(|error| told(&error, &address.to_string()))?,
        Listen::Unix(path) => {
            server.bind_uds(path).map_err(|error| told(&error, &path.display().to_string()))?
        }
    };
    Ok(server.run())
}

/// Closes connections that have waited for their client too long.
async fn keep_moving(crowd: Arc<Crowd>) {
    let mut rounds = tokio::time::interval(PATIENCE);
    loop {
        rounds.tick().await;
        crowd.sweep(Instant::now());
    }
}

/// Comes true with the first signal that means the end.
fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // by default it would end the process at once, with deliveries in its hands
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

fn told(error: &io::Error, address: &str) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}

fn endpoint(services: &Services, journal: &Arc<Journal>) -> io::Result<Endpoint> {
    let inflight = Arc::new(Inflight::default());
    let tools = Arc::new(ToolServices {
        accounts: Arc::clone(&services.accounts),
        delivery: services.delivery.clone(),
        styles: Arc::clone(&services.styles),
        attachments: Arc::clone(&services.attachments),
        uploads: Arc::clone(&services.uploads),
        // hostile files meet their parsers in a process of their own
        extractor: Extractor::worker(std::env::current_exe()?, vec![crate::EXTRACT_WORKER.into()]),
        organizer: Organizer::new(
            Arc::clone(journal),
            Arc::clone(&services.clock),
            Arc::clone(&services.entropy),
        ),
        clock: Arc::clone(&services.clock),
        entropy: Arc::clone(&services.entropy),
        accounts_url: format!("{}/accounts", services.settings.oauth.issuer),
    });
    let toolbox: Arc<dyn Toolbox> = if services.settings.research_tools {
        Arc::new(WithResearch(Arc::clone(&tools)))
    } else {
        tools.clone()
    };
    let proxies = services.settings.trusted_proxies.clone();
    let config = EndpointConfig {
        gate: Arc::new(BearerGate(Arc::clone(&services.authorization))),
        hosts: Hosts::new(&services.settings.oauth.issuer).with_origins(&services.settings.allowed_origins),
        details: Arc::new(details()),
        toolbox: Arc::clone(&toolbox),
        services: Some(Arc::clone(&tools)),
        per_minute: services.settings.per_minute,
        address: Box::new(move |request| imapmcp_web::client_address(request, &proxies)),
    };
    Ok(Endpoint::new(config, MailHandler::with(tools, toolbox, Arc::clone(&inflight)), inflight))
}

fn details() -> ServerDetails {
    ServerDetails {
        server_info: schema::Implementation {
            name: "imapmcp".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: Some("E-mail".to_owned()),
            description: None,
            icons: Vec::new(),
            website_url: None,
        },
        capabilities: schema::ServerCapabilities {
            tools: Some(schema::ServerCapabilitiesTools { list_changed: None }),
            resources: Some(schema::ServerCapabilitiesResources { list_changed: None, subscribe: None }),
            prompts: Some(schema::ServerCapabilitiesPrompts { list_changed: None }),
            completions: serde_json::from_str("{}").ok(),
            ..Default::default()
        },
        meta: None,
        instructions: Some(registry::INSTRUCTIONS.to_owned()),
    }
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 16)
}

/// Tells the crowd whose request is here, until its answer is complete.
async fn serve_the_present(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(served) = request.request().conn_data::<Arc<Place>>().map(Place::serve) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let needs_token = matches!(request.path(), "/mcp" | "/api/mcp");
    let response = next.call(request).await?.map_into_boxed_body();
    if needs_token && response.status().is_success() {
        served.trust();
    }
    if !matches!(response.response().body().size(), BodySize::Stream) {
        return Ok(response);
    }
    served.stream();
    Ok(response.map_body(|_, body| BoxBody::new(Streamed { body, _served: served })))
}

/// The rest of an answer to a connection that is served until its end.
struct Streamed {
    body: BoxBody,
    _served: Served,
}

impl MessageBody for Streamed {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

/// A page that another site's script reaches through a name of its own (DNS rebinding) gets nothing. Health checks
/// come by address.
async fn own_hosts_only(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok());
    let ours = request.app_data::<web::Data<Hosts>>().is_some_and(|hosts| hosts.allows_host(host));
    if ours || matches!(request.path(), "/healthz" | "/readyz") {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let refused = HttpResponse::MisdirectedRequest().body("This server does not answer to that name.\n");
    Ok(request.into_response(refused).map_into_right_body())
}

/// Removes what has lapsed.
async fn keep_house(services: Arc<Services>, endpoint: Arc<Endpoint>, pages: Arc<WebState>) {
    let mut rounds = tokio::time::interval(HOUSEKEEPING);
    loop {
        rounds.tick().await;
        endpoint.sweep();
        pages.sweep();
        let now = services.clock.now();
        if let Err(error) = services.operations.purge_operations(now).await {
            tracing::warn!(%error, "lapsed operations could not be removed");
        }
        if let Err(error) = services.delivery.forget_ended().await {
            tracing::warn!(%error, "sent messages could not be forgotten");
        }
        if let Err(error) = services.uploads.sweep().await {
            tracing::warn!(%error, "lapsed uploads could not be removed");
        }
        if let Err(error) = services.parcels.sweep().await {
            tracing::warn!(%error, "lapsed parcels could not be removed");
        }
        if let Err(error) = services.styles.sweep().await {
            tracing::warn!(%error, "old drafts could not be forgotten");
        }
        if let Err(error) = services.authorization.sweep().await {
            tracing::warn!(%error, "lapsed tokens could not be removed");
        }
    }
}
