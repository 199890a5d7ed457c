//! What `reqwest` alone does: the bodies that the adapter sends, to the same sandbox, with
//! nothing written down anywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::measure::{line, usage};
use crate::setup::IN_FLIGHT;

type Problem = Box<dyn std::error::Error>;

/// Sends `rows` creates, as many at once as the worker does, and prints its line.
#[tokio::main]
pub async fn client(base: &str, rows: u32) -> Result<(), Problem> {
    // Plain http needs no TLS, but the client wants a provider all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(1024)
        .tcp_nodelay(true)
        .timeout(Duration::from_secs(30))
        .build()?;
    let url = reqwest::Url::parse(&format!("{base}/api/merchant/sandbox/create_pay_out/"))?;
    let next = Arc::new(AtomicU32::new(0));
    let start = Instant::now();
    let senders: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (client, url, next) = (client.clone(), url.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= rows {
                        return Ok(());
                    }
                    let request = client
                        .post(url.clone())
                        .header("content-type", "application/json")
                        .body(body(number));
                    let answer = request.send().await?.error_for_status()?;
                    answer.bytes().await?;
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await?.map_err(|error: reqwest::Error| error.to_string())?;
    }
    line("reqwest alone", rows, start.elapsed(), &[("client", usage(std::process::id()))]);
    Ok(())
}

fn body(number: u32) -> String {
    let callback = "http://127.0.0.1:1/cb/main/01JABCDEFGHJKMNPQRSTVWXYZ0.3.17/1/success.\
                    0123456789abcdef0123456789abcdef";
    format!(
        "{{\"order_id\":\"abcd-INV-{number}\",\"payment_method\":\"card\",\"fiat_amount\":\"15.00\",\
         \"fiat_currency\":\"rub\",\"timeout\":30,\"number_card\":\"4111111111111111\",\
         \"full_name\":\"Anna Ivanova {number}\",\"success_callback_url\":\"{callback}\",\
         \"error_callback_url\":\"{callback}\",\"sign\":\"{:064x}\"}}",
        number
    )
}
