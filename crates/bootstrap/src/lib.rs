#![doc = include_str!("../README.md")]

mod ground;
mod keys;
mod process;
mod services;
mod settings;

pub use ground::Ground;
pub use imapmcp_vault::SystemEntropy;
pub use keys::{KeyError, open_vault, read_key_ring};
pub use process::keep_memory_private;
pub use services::{Services, StartError, open_database};
pub use settings::{Listen, LogFormat, Settings, SettingsError};
