//! Settings: what is missing or wrong is named, and no key is ever shown.

use super::*;
use secrecy::ExposeSecret;
use settings::Settings;

fn read(text: &str) -> Result<Settings, String> {
    Settings::read(text.parse().unwrap(), &testing::lane()).map_err(|error| error.to_string())
}

const ACCOUNT: &str = "base_url = \"https://api.example.com/v1\"\nenvironment = \"production\"\n\
                       persona = \"client\"\ncertificate_file = \"c\"\nkey_file = \"k\"\n";

#[test]
fn the_sandbox_needs_nothing_but_its_name() {
    let settings = read("base_url = \"sandbox\"").unwrap();
    let keys = settings.keys(&testing::lane()).unwrap();
    assert_eq!(keys.user, sandbox::CAPAY_API_USER);
    assert_eq!(keys.api.expose_secret(), sandbox::CAPAY_API_KEY);
    assert_eq!(keys.webhook.as_ref().unwrap().expose_secret(), sandbox::CAPAY_WEBHOOK_SECRET);
    assert_eq!(settings.webhook_header.as_str(), sandbox::CAPAY_SIGNATURE_HEADER);
    assert_eq!(settings.client_id.as_deref(), Some(sandbox::CAPAY_CLIENT_ID));
    assert!(!format!("{keys:?}").contains("sandbox-api-key"));
}

#[test]
fn a_real_account_needs_its_keys_its_certificate_and_its_persona() {
    let error = read(ACCOUNT).unwrap().keys(&testing::lane()).unwrap_err().to_string();
    assert!(error.contains("api_user: missing"), "{error}");
    for key in ["environment", "persona", "certificate_file", "key_file"] {
        let without: String =
            ACCOUNT.lines().filter(|l| !l.starts_with(key)).flat_map(|l| [l, "\n"]).collect();
        let error = read(&without).unwrap_err();
        assert!(error.contains(key) && error.contains("missing"), "{key}: {error}");
    }
}

#[test]
fn every_wrong_setting_is_named_with_what_would_be_accepted() {
    for (setting, words) in [
        ("connect_timeout_ms = 1", "connect_timeout_ms: 1 is not possible; expected 100"),
        ("api_kye = 1", "unknown field `api_kye`, expected one of `base_url`"),
        ("api_key = \"hunter2\"", "a secret never stands in the config itself"),
        ("persona = \"boss\"", "expected `pm` or `client`"),
        ("client_id = \"a:b\"", "client_id: expected"),
        ("webhook_header = \"a b\"", "webhook_header: not the name"),
        ("proxy = \"http://proxy.example.com\"", "proxy: only https"),
        ("certificate_file = \"c\"", "\"sandbox\" brings its own"),
        ("environment = \"production\"", "environment: \"production\" has a base_url"),
        ("[profile]\ncreate_path = \"payouts\"", "is not a path"),
        ("[profile]\nstatus_path = \"/payouts\"", "status_path: has no {id}"),
        ("[profile]\nlist_path = \"/payouts/{id}\"", "list_path: must not have"),
        ("[profile]\npage_size = 1001", "page_size: 1001 is not possible; expected 1 to 1000"),
        ("[profile]\nidempotency_header = \"a b\"", "idempotency_header"),
        ("[profile]\nskip_parameter = \"\"", "skip_parameter: empty"),
        ("[profile.request]\namount = \"amount\"", "is not a JSON pointer"),
        ("[profile.request]\namount = \"/currency\"", "two fields stand at \"currency\""),
        ("[profile.request]\namount = \"/beneficiary\"", "two fields stand at"),
        ("[profile.request]\nfixed = { \"/amount\" = \"1\" }", "two fields stand at \"amount\""),
        ("[profile.request]\nclient_id = \"\"", "request.client_id"),
        ("[profile.created]\nid = \"\"", "created.id"),
        ("[profile.item]\nreference = \"\"", "item.reference"),
        ("[profile.payout]\nid = \"\"\nreference = \"\"", "payout.id, payout.reference"),
        ("[profile.statuses]\npaid = [\"PENDING\"]", "a name has one meaning"),
        ("[profile.statuses]\npaid = []", "statuses.paid: empty"),
        ("[profile.statuses]\ndone = [\"x\"]", "unknown field `done`"),
    ] {
        let error = read(&format!("base_url = \"sandbox\"\n{setting}")).unwrap_err();
        assert!(error.contains(words), "{setting}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn production_is_https_and_http_has_no_certificate() {
    let plain = "base_url = \"http://127.0.0.1:1\"\npersona = \"client\"\n";
    let error = read(&format!("{plain}environment = \"production\"")).unwrap_err();
    assert!(error.contains("base_url: production is https"), "{error}");
    assert!(read(&format!("{plain}environment = \"sandbox\"")).is_ok());
    for file in ["certificate_file", "key_file", "ca_file"] {
        let more = format!("{plain}environment = \"sandbox\"\n{file} = \"c\"");
        assert!(read(&more).unwrap_err().contains("of no use with http"), "{file}");
    }
}

#[test]
fn the_fingerprint_names_the_account_and_not_the_port_of_the_sandbox() {
    let clock = || Arc::new(TestClock::default());
    let of = |table: toml::Table| Capay::to_pay(table, testing::context(), clock()).unwrap();
    let sandbox = of(testing::settings("capay"));
    assert_eq!(sandbox.fingerprint(), "capay:sandbox:box:sandbox-user:pm:client-1");
    let keys = Files::new();
    let real = keys.settings("http://LOCALHOST:81/v1/", "persona = \"client\"");
    assert_eq!(of(real).fingerprint(), "capay:localhost:81/v1:api-user@example.com:client:-");
}

#[test]
fn a_profile_that_deduplicates_says_so_in_the_limits() {
    let limits = adapter("[profile]\ndeduplicates = true").limits().clone();
    let refuses = Deduplication::Refuses { for_ms: None, scope: "account" };
    assert_eq!(limits.idempotency.deduplication, refuses);
    assert!(limits.idempotency.absence.proves);
    assert_eq!(LIMITS.idempotency.deduplication, Deduplication::None);
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let adapter = adapter("");
    let line = adapter.line.as_ref().unwrap();
    let printed = format!("{adapter:?} {:?} {:?}", adapter.settings, line.keys);
    for key in [KEY, WEBHOOK_SECRET] {
        assert!(!printed.contains(key), "{printed}");
    }
}

#[test]
fn one_payout_is_asked_for_at_most_once_in_five_minutes() {
    let policy = &LIMITS.policy;
    assert!(policy.overdue_ms >= 300_000);
    assert!((0..20).all(|asked| policy.look_up_pause_ms(asked) >= 300_000));
}

#[tokio::test]
async fn an_adapter_for_intake_reads_no_key_validates_and_sends_nothing() {
    let more = "api_user = { env = \"NO_SUCH_VARIABLE_EVER\" }";
    let settings = read(&format!("{ACCOUNT}{more}")).unwrap();
    let adapter = Capay::new(settings, testing::lane(), "-", None, None);
    let payment = testing::card("INV-1", "10.00");
    assert_eq!(adapter.validate(&payment.row), []);
    let answer = submit(&adapter, &payment, testing::Gate::new(true)).await;
    assert!(matches!(answer, Answer::StopLane { .. }), "{answer:?}");
    let found = ask(&adapter, &payment).await;
    assert!(matches!(found, Found::Unclear { .. }), "{found:?}");
}
