//! Webhooks: one URL for a lane, and what a notice about one payout means.
//!
//! Where the lane has a secret, the signature over the raw body is checked before anything of it
//! is read: a forged notice is nobody's. A notice is a fact only if its signature is right, and
//! reference, amount and currency are told and ours (S16). By the profile's defaults no amount is
//! told, so every notice is a hint: one look-up decides. A negative one is a hint in any case (S15).

use super::Capay;
use super::agree::{Field, Said};
use super::wire::Record;
use crate::answer::Heard;
use crate::api::{CallbackRequest, Callbacks, Notices, Payment};
use domain::News;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;

/// What must be told for a notice to be a fact.
const NEEDED: [Field; 3] = [Field::Reference, Field::Amount, Field::Currency];

/// What the signature of a notice says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signature {
    Right,
    /// Another one than the secret makes, or none.
    Wrong,
    /// The lane has no secret to check it with.
    Unchecked,
}

impl Notices for Capay {
    fn signature_header(&self) -> Option<&str> {
        let line = self.line.as_ref()?;
        line.keys.webhook.as_ref().map(|_| self.settings.webhook_header.as_str())
    }

    fn reference(&self, request: &CallbackRequest) -> Option<String> {
        if self.signature(request) == Signature::Wrong {
            self.warn_once("a notice has a wrong signature; is webhook_secret the right one?");
            return None;
        }
        let record = Record::of_body(&request.body, &self.settings.profile.webhook)?;
        record.reference().map(|told| told.trim().to_owned())
    }
}

impl Callbacks for Capay {
    fn read(&self, request: &CallbackRequest, payment: &Payment) -> Heard {
        let hint = |text: String| Heard::Hint { text };
        let signature = self.signature(request);
        if signature == Signature::Wrong {
            return hint("a notice with a wrong signature, or none".to_owned());
        }
        let Some(record) = Record::of_body(&request.body, &self.settings.profile.webhook) else {
            return hint("a notice that cannot be read".to_owned());
        };
        let told = record.status().unwrap_or_default();
        // Only the profile's own words are repeated.
        let Some((name, news)) = self.settings.profile.statuses.meaning(&told) else {
            return hint("a notice with a status that the profile does not list".to_owned());
        };
        let mut doubts = self.doubts(&record, payment);
        if signature == Signature::Unchecked {
            doubts.push("signatures are not checked on this lane (no webhook_secret)".to_owned());
        }
        if !doubts.is_empty() {
            return hint(format!("{name}, but {}", doubts.join("; ")));
        }
        match news {
            News::Paid | News::InProgress => Heard::Fact { news, provider_id: None, cost: None },
            _ => hint(name.to_owned()),
        }
    }
}

impl Capay {
    /// Everything that is missing or does not agree.
    fn doubts(&self, record: &Record<'_>, payment: &Payment) -> Vec<String> {
        let expected = self.expected(payment);
        let doubt = |field: Field| match expected.compare(field, record) {
            Said::Other => Some(format!("{} differs", field.name())),
            Said::Nothing if NEEDED.contains(&field) => {
                Some(format!("{} is not told", field.name()))
            }
            Said::Same | Said::Nothing => None,
        };
        Field::ALL.into_iter().filter_map(doubt).collect()
    }

    /// HMAC-SHA256 over the body as it came, in hex of either case; compared in constant time.
    fn signature(&self, request: &CallbackRequest) -> Signature {
        let secret = self.line.as_ref().and_then(|line| line.keys.webhook.as_ref());
        let Some(secret) = secret else { return Signature::Unchecked };
        let right = || {
            let told = hex::decode(request.signature.as_ref()?.trim()).ok()?;
            let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
            mac.chain_update(&request.body).verify_slice(&told).ok()
        };
        if right().is_some() { Signature::Right } else { Signature::Wrong }
    }
}
