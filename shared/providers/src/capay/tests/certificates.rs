//! Mutual TLS 1.3 with certificates that are made here, and certificates that do not count.

use super::server::Server;
use super::tls::Files as Pem;
use super::*;
use crate::testing::{Gate, card, say};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};
use tokio_rustls::TlsAcceptor;

const DAY_S: u64 = 86_400;
/// 2030-01-01 and 2031-01-01, by which the certificates below begin and end.
const BEGIN_S: u64 = 1_893_456_000;
const END_S: u64 = 1_924_992_000;

/// An authority, and a directory for what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    dir: TempDir,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), &pem).unwrap();
        Authority { issuer: Issuer::new(params, key), pem, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Signs a certificate; gives it and its key in PEM.
    fn sign(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut params = CertificateParams::default();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Writes a client's certificate and key.
    fn client(&self, change: impl FnOnce(&mut CertificateParams)) -> Pem {
        let (certificate, key) = self.sign(|params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            change(params);
        });
        std::fs::write(self.path("client.pem"), certificate).unwrap();
        std::fs::write(self.path("client.key"), key).unwrap();
        Pem {
            certificate: self.path("client.pem"),
            key: self.path("client.key"),
            authority: Some(self.path("ca.pem")),
        }
    }

    /// A server that lets nobody in but clients of this authority.
    fn acceptor(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
        let (certificate, key) = self.sign(|params| {
            params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
        });
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            );
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

fn adapter_with(port: u16, pem: &Pem) -> Result<Capay, String> {
    adapter_on_clock(port, pem, Arc::new(TestClock::default()))
}

fn adapter_on_clock(port: u16, pem: &Pem, clock: Arc<TestClock>) -> Result<Capay, String> {
    let authority = pem.authority.as_ref();
    let ca = authority.map(|path| format!("ca_file = \"{}\"\n", path.display()));
    let more = format!(
        "{PM}certificate_file = \"{}\"\nkey_file = \"{}\"\n{}",
        pem.certificate.display(),
        pem.key.display(),
        ca.unwrap_or_default()
    );
    let keys = Files::new();
    let table = keys.settings(&format!("https://127.0.0.1:{port}"), &more);
    let context = BuildContext { request_timeout_ms: 2_000, ..testing::context() };
    Capay::to_pay(table, context, clock).map_err(|e| e.to_string())
}

async fn answer_of(server: &Server, pem: &Pem) -> Answer {
    let adapter = adapter_with(server.port(), pem).unwrap();
    submit(&adapter, &card("INV-1", "10.00"), Gate::new(true)).await
}

#[tokio::test]
async fn who_shows_the_right_certificate_under_tls_1_3_is_let_in() {
    let authority = Authority::new();
    let server =
        Server::behind(authority.acceptor(&[&version::TLS13]), say(201, r#"{"id": "p-1"}"#)).await;
    let answer = answer_of(&server, &authority.client(|_| {})).await;
    assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
    assert_eq!((server.requests().len(), server.tokens()), (1, 1));
}

#[tokio::test]
async fn a_stranger_on_either_side_or_an_older_tls_gets_no_token_and_no_payout() {
    let ours = Authority::new();
    let others = Authority::new();
    let taken = || say(201, r#"{"id": "p-1"}"#);
    let server = Server::behind(ours.acceptor(&[&version::TLS13]), taken()).await;
    // A client of another authority, who believes the server.
    let mut stranger = others.client(|_| {});
    stranger.authority = Some(ours.path("ca.pem"));
    // A client who is right, and does not believe the server.
    let mut doubter = ours.client(|_| {});
    doubter.authority = Some(others.path("ca.pem"));
    for pem in [&stranger, &doubter] {
        let answer = answer_of(&server, pem).await;
        let Answer::Later { text, .. } = answer else { panic!("{answer:?}") };
        assert!(text.contains("no access token"), "{text}");
    }
    let old = Server::behind(ours.acceptor(&[&version::TLS12]), taken()).await;
    let answer = answer_of(&old, &ours.client(|_| {})).await;
    assert!(matches!(answer, Answer::Later { .. }), "{answer:?}");
    for server in [server, old] {
        assert_eq!((server.requests().len(), server.tokens()), (0, 0));
    }
}

fn dated(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2030, 1, 1);
    params.not_after = date_time_ymd(2031, 1, 1);
}

/// What is said when the certificate is read at this second, as error or warning.
fn told_at(pem: &Pem, second: u64) -> (Result<(), String>, Option<String>) {
    let mut warning = None;
    let now = UNIX_EPOCH + Duration::from_secs(second);
    let loaded = pem.load(now, |text| warning = Some(text)).map(|_| ());
    (loaded, warning)
}

#[test]
fn a_certificate_that_ended_or_has_not_begun_is_told_with_file_and_date() {
    let authority = Authority::new();
    let pem = authority.client(dated);
    for (second, date) in [
        (END_S + 1, "ended on Wed, 01 Jan 2031 00:00:00 GMT"),
        (BEGIN_S - 1, "counts from Tue, 01 Jan 2030 00:00:00 GMT"),
    ] {
        let error = told_at(&pem, second).0.unwrap_err();
        assert!(error.contains("client.pem") && error.contains(date), "{error}");
    }
}

/// The worker may run for longer than its certificate counts.
#[tokio::test]
async fn a_certificate_that_ends_while_the_lane_runs_stops_it_at_the_next_token() {
    const END_2100_S: u64 = 4_102_444_800;
    let authority = Authority::new();
    let server =
        Server::behind(authority.acceptor(&[&version::TLS13]), say(201, r#"{"id": "p-1"}"#)).await;
    let pem = authority.client(|params| params.not_after = date_time_ymd(2100, 1, 1));
    let clock = Arc::new(TestClock::default());
    let adapter = adapter_on_clock(server.port(), &pem, Arc::clone(&clock)).unwrap();
    let payment = card("INV-1", "10.00");
    clock.advance_s(END_2100_S - TODAY_S);
    let answer = submit(&adapter, &payment, Gate::new(true)).await;
    assert!(matches!(answer, Answer::Accepted { .. }), "its last second: {answer:?}");
    clock.advance_s(3_600);
    let answer = submit(&adapter, &payment, Gate::new(true)).await;
    let Answer::StopLane { text, retry_after_ms: None } = answer else { panic!("{answer:?}") };
    assert!(text.contains("client.pem: the certificate ended on Fri, 01 Jan 2100"), "{text}");
    assert!(matches!(ask(&adapter, &payment).await, Found::StopLane { .. }));
    assert_eq!((server.requests().len(), server.tokens()), (1, 1), "nothing else has left");
}

#[test]
fn people_are_warned_thirty_days_before_the_end() {
    let authority = Authority::new();
    let pem = authority.client(dated);
    assert_eq!(told_at(&pem, END_S - 31 * DAY_S), (Ok(()), None));
    let (loaded, warning) = told_at(&pem, END_S - 29 * DAY_S);
    assert_eq!(loaded, Ok(()));
    let warning = warning.unwrap();
    assert!(warning.contains("client.pem") && warning.contains("01 Jan 2031"), "{warning}");
}

#[test]
fn a_lane_whose_files_are_missing_unreadable_or_do_not_fit_does_not_start() {
    let authority = Authority::new();
    let good = authority.client(|_| {});
    let (_, other_key) = authority.sign(|_| {});
    std::fs::write(authority.path("other.key"), &other_key).unwrap();
    std::fs::write(authority.path("text"), "no PEM").unwrap();
    let path = |name: &str| authority.path(name);
    for (pem, words) in [
        (Pem { certificate: path("none"), ..good.clone() }, "certificate_file"),
        (Pem { key: path("none"), ..good.clone() }, "key_file"),
        (Pem { authority: Some(path("none")), ..good.clone() }, "ca_file"),
        (Pem { certificate: path("text"), ..good.clone() }, "no readable certificate"),
        (Pem { key: path("text"), ..good.clone() }, "key_file"),
        (Pem { authority: Some(path("text")), ..good.clone() }, "ca_file"),
        (Pem { key: path("other.key"), ..good.clone() }, "HTTP client cannot be built"),
    ] {
        let error = adapter_with(1, &pem).unwrap_err();
        assert!(error.starts_with("[lanes.main.settings]") && error.contains(words), "{error}");
        assert!(!error.contains("PRIVATE KEY") && !error.contains(other_key.trim()), "{error}");
    }
    assert!(adapter_with(1, &good).is_ok());
}
