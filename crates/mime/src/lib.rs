#![doc = include_str!("../README.md")]

pub mod attachment;
pub mod body;
pub mod budget;
pub mod compose;
pub mod header;
pub mod html;
pub mod quotes;

mod tree;
