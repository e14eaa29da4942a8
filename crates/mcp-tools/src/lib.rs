#![doc = include_str!("../README.md")]

pub mod arguments;
pub mod context;
pub mod error;
pub mod reference;
pub mod registry;

mod fence;
mod present;
mod tools;
