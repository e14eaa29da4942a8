#![doc = include_str!("../README.md")]

pub mod era;
pub mod gate;
pub mod hosts;

mod answer;
mod base64_text;
mod call;
mod inflight;
mod intake;
mod legacy;
mod lift;
mod result;
mod room;
mod route;
mod sdk;

pub use inflight::{Call, Inflight};
pub use route::{AddressOf, Endpoint, EndpointConfig, configure};
pub use sdk::{MailHandler, ToolHandler};
