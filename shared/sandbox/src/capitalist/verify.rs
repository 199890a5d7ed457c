//! How a batch is confirmed: by signature, by PIN, or by a code that comes later.
//!
//! SHA-1 and MD5 are the platform's choice, not ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha1::{Digest as _, Sha1};

use super::answer::{No, Refusal};
use super::code::Code;
use super::form::Form;
use super::office::Office;
use crate::dial::Fault;

/// What a batch that was taken does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmed {
    Now,
    /// It waits for `process_batch`.
    Later,
}

/// The registered key, in either PEM form.
pub(super) fn public_key(pem: &str) -> Option<RsaPublicKey> {
    RsaPublicKey::from_pkcs1_pem(pem).or_else(|_| RsaPublicKey::from_public_key_pem(pem)).ok()
}

impl Office {
    /// Checks `verification_data` over the bytes of `batch`.
    pub(super) fn verify(&self, form: &Form) -> Result<Confirmed, No> {
        let data = form.get("verification_data");
        let is_right = match form.get("verification_type") {
            "MOBILE" => return Ok(Confirmed::Later),
            "PIN" | "SIGNATURE" if data.is_empty() => return Err(Refusal::of(Code::UNSIGNED)),
            "PIN" => data == hex::encode(Md5::digest(&self.config.pin)),
            "SIGNATURE" => {
                let key = self.registered.as_ref().ok_or_else(|| Refusal::of(Code::METHOD_OFF))?;
                is_signed(key, form.get("batch"), data)
            }
            _ => return Err(Refusal::of(Code::METHOD)),
        };
        if is_right && !self.dial.strikes(Fault::WrongSignKey) {
            return Ok(Confirmed::Now);
        }
        self.counters.bad_signatures.add();
        Err(Refusal::of(Code::SIGNATURE))
    }
}

fn is_signed(key: &RsaPublicKey, batch: &str, signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(batch), &signature).is_ok()
}
