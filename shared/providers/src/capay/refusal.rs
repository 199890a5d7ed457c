//! What a refusal says, and what it may be about. Pure.
//!
//! A refusal that may speak of a payout that exists is never taken for "nothing was created". Too
//! wide a net there costs a look-up, too narrow a one costs a second payment.

use super::pointer::whole;
use super::profile::{ErrorFields, Profile};
use crate::told::Told;

/// Fragments of descriptions, and of the names of properties, about a payout that exists already.
const EXISTING: [&str; 6] = ["already", "duplicat", "repeated", "exists", "idempoten", "unique"];
/// Likewise, but words of their own: "main user" holds the letters too.
const IN_USE: &str = " in use ";
/// Those that leave no doubt, also where our credentials are refused: the document's own words for
/// a 403 are "if resource exists but calling user does not have rights".
const CLEARLY_EXISTING: [&str; 3] = ["duplicat", "idempoten", "already exist"];
/// Words of descriptions of our credentials.
const CREDENTIALS: [&str; 8] = [
    "key",
    "apikey",
    "apiuser",
    "token",
    "signature",
    "certificate",
    "unauthorized",
    "unauthenticated",
];
/// Names of what shows who we are; plain. A mere "key" may be a beneficiary's.
const CREDENTIAL_NAMES: [&str; 9] = [
    "authorization",
    "apikey",
    "xapikey",
    "apiuser",
    "accesstoken",
    "token",
    "signature",
    "certificate",
    "clientcertificate",
];

/// What a refusal says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) description: String,
    /// What is wrong, by name.
    pub(super) properties: Vec<String>,
}

impl Refusal {
    /// Reads what there is; a body that is none says nothing.
    pub(super) fn read(body: &[u8], fields: &ErrorFields) -> Refusal {
        let Some(whole) = whole(body) else { return Refusal::default() };
        let description = fields.description.text(whole).unwrap_or_default().into_owned();
        let properties = fields.properties.find(whole).map(|told| names(told, fields));
        Refusal { description, properties: properties.unwrap_or_default() }
    }

    /// Whether it may speak of a payout that exists: it says so, or what it complains about is the
    /// reference, which is ours to choose and always well formed.
    pub(super) fn may_be_of_existing(&self, profile: &Profile) -> bool {
        let said = spaced(&self.description);
        self.names_reference(profile) || holds(&said, &EXISTING) || said.contains(IN_USE)
    }

    /// Whether it does beyond doubt: loose words such as "already expired" are not enough, unless
    /// they stand with the reference.
    pub(super) fn is_of_existing(&self, profile: &Profile, reference: &str) -> bool {
        let said = spaced(&self.description);
        let names_ours = [reference, profile.request.reference.name()]
            .into_iter()
            .any(|name| said.contains(&spaced(name)));
        let says_so = holds(&said, &EXISTING) || said.contains(IN_USE);
        self.names_reference(profile) || holds(&said, &CLEARLY_EXISTING) || (names_ours && says_so)
    }

    /// Whether its description is about what shows who we are.
    pub(super) fn speaks_of_credentials(&self) -> bool {
        spaced(&self.description).split(' ').any(|word| CREDENTIALS.contains(&word))
    }

    /// Whether what it complains about is what shows who we are.
    pub(super) fn names_credentials(&self) -> bool {
        let is_one = |part: String| CREDENTIAL_NAMES.contains(&part.as_str());
        self.properties.iter().any(|name| parts(name).any(is_one))
    }

    /// Whether a property is the reference, its header, or named after a payout that exists.
    fn names_reference(&self, profile: &Profile) -> bool {
        let ours = [profile.request.reference.name(), &profile.idempotency_header].map(plain);
        self.properties.iter().any(|name| {
            holds(&plain(name), &EXISTING) || parts(name).any(|part| ours.contains(&part))
        })
    }
}

fn holds(text: &str, fragments: &[&str]) -> bool {
    fragments.iter().any(|fragment| text.contains(fragment))
}

/// Letters and digits alone, in lower case: `Idempotency-Key` and `idempotencyKey` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The names on the way to a property such as `headers.Idempotency-Key`, plain; none is empty.
fn parts(name: &str) -> impl Iterator<Item = String> {
    let belongs = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    name.split(move |c| !belongs(c)).map(plain).filter(|part| !part.is_empty())
}

/// The words in lower case, each with one space on either side.
fn spaced(text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(" ".to_owned(), |said, word| said + word + " ")
}

/// The names in whichever form they came.
fn names(told: Told<'_>, fields: &ErrorFields) -> Vec<String> {
    let name = |told: Told<'_>| {
        let text = told.text().or_else(|| fields.property_name.text(told.raw()))?;
        Some(text.trim().to_owned())
    };
    let all: Vec<_> = match (told.items(), told.fields()) {
        (Some(items), _) => items.into_iter().filter_map(name).collect(),
        (None, Some(fields)) => fields.into_keys().collect(),
        (None, None) => name(told).into_iter().collect(),
    };
    all.into_iter().filter(|name| !name.is_empty()).collect()
}
