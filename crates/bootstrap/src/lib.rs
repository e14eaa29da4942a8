#![doc = include_str!("../README.md")]

mod keys;
mod services;
mod settings;

pub use keys::{KeyError, open_vault};
pub use services::{Services, StartError, open_database};
pub use imapmcp_vault::SystemEntropy;
pub use settings::{Listen, LogFormat, Settings, SettingsError};
