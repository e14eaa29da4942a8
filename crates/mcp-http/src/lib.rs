#![doc = include_str!("../README.md")]

pub mod era;
pub mod gate;
pub mod hosts;

mod answer;
mod base64_text;
mod bridge;
mod call;
mod cors;
mod endpoint;
mod inflight;
mod intake;
mod legacy;
mod lift;
mod result;
mod room;
mod route;
mod sdk;

pub use endpoint::{AddressOf, Endpoint, EndpointConfig};
pub use inflight::{Call, Inflight};
pub use route::configure;
pub use sdk::{MailHandler, ToolHandler};
