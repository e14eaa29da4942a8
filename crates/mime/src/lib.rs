#![doc = include_str!("../README.md")]

pub mod attachment;
pub mod authentication;
pub mod body;
pub mod budget;
pub mod calendar;
pub mod compose;
pub mod header;
pub mod html;
pub mod locate;
pub mod provenance;
pub mod quotes;
pub mod shown;
pub mod view;

mod colour;
mod css;
mod decode;
mod host;
mod link;
mod markdown;
mod structure;
mod style;
mod tree;
