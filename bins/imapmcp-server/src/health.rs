//! `/healthz` (alive) and `/readyz` (can serve: database and keys).

use actix_web::{HttpResponse, http::header, web};
use imapmcp_bootstrap::Services;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Set once the server is asked to stop: load balancers look elsewhere while requests under way finish.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopping(Arc<AtomicBool>);

impl Stopping {
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).body("ok\n")
}

pub(crate) async fn readyz(services: web::Data<Services>, stopping: web::Data<Stopping>) -> HttpResponse {
    // the keys were proved when the vault was opened
    let ready = !stopping.0.load(Ordering::Relaxed) && services.database.ping().await.is_ok();
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.insert_header((header::CACHE_CONTROL, "no-store")).body(if ready {
        "ready\n"
    } else {
        "not ready\n"
    })
}
