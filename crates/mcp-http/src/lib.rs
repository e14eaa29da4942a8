#![doc = include_str!("../README.md")]

pub mod era;
pub mod gate;
pub mod hosts;

mod answer;
mod base64_text;
mod direct;
mod handler;
mod inflight;
mod intake;
mod lift;
mod room;
mod route;

pub use handler::MailHandler;
pub use inflight::{Call, Inflight};
pub use route::{AddressOf, Endpoint, EndpointConfig, configure};
