//! The sandbox as a process of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use rust_decimal::Decimal;
use sandbox::{
    API_KEY, BadSign, CapayConfig, CapitalistConfig, DialChange, ExchangerConfig, MERCHANT_NAME,
    MerchantConfig, SIGN_KEY, Sandbox, SandboxConfig, StatusId,
};
use tokio::signal::unix::{SignalKind, signal};

/// Payment providers, simulated over real HTTP, with a fault dial.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen: SocketAddr,
    /// Where to listen with mutual TLS, for Capay; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen_tls: SocketAddr,
    /// Keeps the sandbox's id, its ledgers and its certificates.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// For benchmarks: bodies are read but not parsed; no signatures, no disk, no callbacks.
    #[arg(long)]
    fast: bool,
    /// Seed of the fault dial's draws.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The merchant's name in the path.
    #[arg(long, default_value = MERCHANT_NAME, value_name = "NAME")]
    merchant: String,
    /// The key of creates and callbacks.
    #[arg(long, default_value = SIGN_KEY, value_name = "KEY")]
    sign_key: String,
    /// What X-Api-Key must say.
    #[arg(long, default_value = API_KEY, value_name = "KEY")]
    api_key: String,
    /// Template of `standart_sign`, or "off". Default: {order_id}:{sign_key}
    #[arg(long, value_name = "TEMPLATE")]
    callback_sign: Option<String>,
    /// From an accepted create to its final state, in milliseconds.
    #[arg(long, value_name = "N")]
    settle_after_ms: Option<u64>,
    /// From an accepted create on until a look-up needs no other reason, in milliseconds.
    /// What is said last holds.
    #[arg(long, value_name = "N", overrides_with = "look_ups_after_ms")]
    look_ups_after_ms: Option<u64>,
    /// What look-ups ask by.
    #[arg(long, value_enum, default_value = "order-id")]
    status_id: StatusIdArg,
    /// Answer a wrong signature like any other refusal, not with 401.
    #[arg(long)]
    bad_sign_refused: bool,
    /// HTTP status of refusals: 200 or 400 to 499.
    #[arg(long, value_name = "STATUS")]
    refusal_status: Option<u16>,
    /// Refuse a repeated `order_id` instead of paying again.
    #[arg(long)]
    refuse_repeated_order_id: bool,
    /// USDT that a new ledger starts with.
    #[arg(long, value_name = "USDT")]
    balance: Option<Decimal>,
    /// The cents of an amount mean nothing.
    #[arg(long)]
    no_magic: bool,
    /// Capay takes the caller for a Program Manager: each create must name a `clientId`.
    #[arg(long)]
    capay_pm: bool,
    /// The certificate's public key that Capitalist has registered, as PEM: `SIGNATURE` is possible.
    #[arg(long, value_name = "FILE")]
    capitalist_public_key: Option<PathBuf>,
    /// Callbacks under way at once.
    #[arg(long, value_name = "N")]
    callback_connections: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StatusIdArg {
    OrderId,
    InternalTransactionId,
}

impl Args {
    fn into_config(self) -> Result<SandboxConfig, std::io::Error> {
        let (default, capay) = (MerchantConfig::default(), CapayConfig::default());
        let capay = CapayConfig {
            listen_tls: self.listen_tls,
            persona_pm: self.capay_pm,
            settle_after_ms: self.settle_after_ms.unwrap_or(capay.settle_after_ms),
            magic: !self.no_magic,
            ..capay
        };
        let callback_sign = match self.callback_sign.as_deref() {
            Some("off") => None,
            Some(template) => Some(template.to_owned()),
            None => default.callback_sign,
        };
        let merchant = MerchantConfig {
            name: self.merchant,
            sign_key: self.sign_key,
            api_key: self.api_key,
            callback_sign,
            settle_after_ms: self.settle_after_ms.unwrap_or(default.settle_after_ms),
            look_ups_after_ms: self.look_ups_after_ms.unwrap_or(default.look_ups_after_ms),
            status_id: match self.status_id {
                StatusIdArg::OrderId => StatusId::OrderId,
                StatusIdArg::InternalTransactionId => StatusId::InternalTransactionId,
            },
            bad_sign: if self.bad_sign_refused { BadSign::Refusal } else { BadSign::Unauthorized },
            refusal_status: self.refusal_status.unwrap_or(default.refusal_status),
            refuse_repeated_order_id: self.refuse_repeated_order_id,
            balance: self.balance.unwrap_or(default.balance),
            magic: !self.no_magic,
            callback_connections: self.callback_connections.unwrap_or(default.callback_connections),
            ..default
        };
        let default = CapitalistConfig::default();
        let capitalist = CapitalistConfig {
            public_key_pem: self.capitalist_public_key.map(std::fs::read_to_string).transpose()?,
            settle_after_ms: self.settle_after_ms.unwrap_or(default.settle_after_ms),
            magic: !self.no_magic,
            ..default
        };
        let default = ExchangerConfig::default();
        let exchanger = ExchangerConfig {
            settle_after_ms: self.settle_after_ms.unwrap_or(default.settle_after_ms),
            magic: !self.no_magic,
            ..default
        };
        Ok(SandboxConfig {
            listen: self.listen,
            data_dir: self.data,
            merchant,
            capitalist,
            exchanger,
            capay,
            fast: self.fast,
        })
    }
}

/// Some threads to spare: those that write to a disk keep nobody from stamping what arrives.
#[tokio::main(worker_threads = 8)]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    // Before the ready line: whoever reads it may send the signal at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let seed = args.seed;
    let sandbox = Sandbox::start(args.into_config()?).await?;
    let others = ["capitalist", "exchanger", "capay"].map(|provider| sandbox.dial_of(provider));
    for dial in [Some(sandbox.dial())].into_iter().chain(others).flatten() {
        dial.apply(&DialChange { seed, ..DialChange::default() })?;
    }
    let mut stdout = std::io::stdout();
    // Before the ready line, which is the last: whoever has read it has read these.
    if let Some(tls) = sandbox.tls() {
        writeln!(stdout, "sandbox tls on {}", tls.url)?;
        writeln!(stdout, "  ca          {}", tls.ca_file.display())?;
        writeln!(stdout, "  certificate {}", tls.certificate_file.display())?;
        writeln!(stdout, "  key         {}", tls.key_file.display())?;
    }
    writeln!(stdout, "sandbox listening on http://{}", sandbox.addr())?;
    stdout.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    sandbox.shutdown().await;
    Ok(())
}
