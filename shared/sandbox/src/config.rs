//! What a sandbox is started with. Every field has a default that the embedded demo can use.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::capay::CapayConfig;
use crate::capitalist::CapitalistConfig;
use crate::exchanger::ExchangerConfig;
use crate::merchant::MerchantConfig;

/// Where the sandbox listens, where it keeps its promises, and how each provider behaves.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Port 0 takes a free one; [`crate::Sandbox::addr`] tells which.
    pub listen: SocketAddr,
    /// Holds the persistent id and the ledger of what was paid. One sandbox at a time.
    pub data_dir: PathBuf,
    /// The merchant gateway.
    pub merchant: MerchantConfig,
    /// Capitalist; there is none in fast mode.
    pub capitalist: CapitalistConfig,
    /// The exchange site.
    pub exchanger: ExchangerConfig,
    /// Capay, with the listener of its own that it needs.
    pub capay: CapayConfig,
    /// For benchmarks: bodies are read but not parsed; no signature, no disk, no callbacks,
    /// and no provider but the merchant gateway.
    pub fast: bool,
}

impl SandboxConfig {
    /// A sandbox on a free loopback port that keeps its data in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: data_dir.into(),
            merchant: MerchantConfig::default(),
            capitalist: CapitalistConfig::default(),
            exchanger: ExchangerConfig::default(),
            capay: CapayConfig::default(),
            fast: false,
        }
    }
}
