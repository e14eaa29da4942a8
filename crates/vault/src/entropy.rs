use imapmcp_core::random::Entropy;
use ring::rand::{SecureRandom, SystemRandom};

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        SystemRandom::new().fill(buffer).expect("the operating system gives randomness");
    }
}
