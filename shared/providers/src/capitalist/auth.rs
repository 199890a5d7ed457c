//! Who we are, and that a batch is ours.
//!
//! SHA-1, MD5, RC4 and PKCS#1 v1.5 are the provider's choice, not ours, and stay in this folder.
//! The `rsa` crate leaks timing when it decrypts for a peer (RUSTSEC-2023-0071); here it encrypts
//! with a public key, and signs what we wrote ourselves, for nobody who could measure it.

use super::data::TokenData;
use super::key_file;
use crate::told::text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs1v15::SigningKey;
use rsa::rand_core::OsRng;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::{BigUint, Pkcs1v15Encrypt, RsaPublicKey};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use std::fmt;

/// How a batch is shown to be ours: `verification_type` and what goes with it.
pub(super) enum Verification {
    /// A signature over the batch, by the key of our certificate.
    Signature(Box<SigningKey<Sha1>>),
    /// The PIN's digest, the same for every batch.
    Pin(SecretString),
    /// Nothing yet: a person enters a code afterwards.
    Mobile,
}

impl Verification {
    /// From the certificate file's text.
    pub(super) fn by_key(
        file: &SecretString,
        login: &str,
        password: Option<&SecretString>,
    ) -> Result<Verification, String> {
        let key = key_file::read(file, login, password)?;
        Ok(Verification::Signature(Box::new(SigningKey::new(key))))
    }

    /// The PIN's MD5 in lower-case hex, and not the PIN, is what is sent and kept.
    pub(super) fn by_pin(pin: &SecretString) -> Verification {
        let digest = Md5::digest(pin.expose_secret());
        Verification::Pin(SecretString::from(hex::encode(digest)))
    }

    /// `verification_type`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Verification::Signature(_) => "SIGNATURE",
            Verification::Pin(_) => "PIN",
            Verification::Mobile => MOBILE,
        }
    }

    /// `verification_data` of a batch; `None` where nothing is sent.
    pub(super) fn data(&self, batch: &[u8]) -> Result<Option<String>, String> {
        match self {
            Verification::Signature(key) => {
                let signature = key.try_sign(batch).map_err(|_| "the batch cannot be signed")?;
                Ok(Some(STANDARD.encode(signature.to_bytes())))
            }
            Verification::Pin(digest) => Ok(Some(digest.expose_secret().to_owned())),
            Verification::Mobile => Ok(None),
        }
    }

    /// Whether money waits for a second step.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Verification::Mobile)
    }
}

/// The `verification_type` of a code that a person has received.
pub(super) const MOBILE: &str = "MOBILE";

impl fmt::Debug for Verification {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// What `get_token` gave: it goes with every call until the provider takes it no more.
pub(super) struct Session {
    pub(super) token: SecretString,
    /// In hex.
    pub(super) encrypted_password: SecretString,
}

impl Session {
    /// From the answer to `get_token`.
    pub(super) fn new(data: &TokenData<'_>, password: &SecretString) -> Result<Session, String> {
        let token = text(data.token).ok_or("the answer has no token")?;
        let key = public_key(data).ok_or("the answer has no readable public key")?;
        let password = password.expose_secret().as_bytes();
        let hidden = key.encrypt(&mut OsRng, Pkcs1v15Encrypt, password);
        let hidden = hidden.map_err(|_| "the password does not fit the provider's key")?;
        Ok(Session {
            token: SecretString::from(token.into_owned()),
            encrypted_password: SecretString::from(hex::encode(hidden)),
        })
    }
}

fn public_key(data: &TokenData<'_>) -> Option<RsaPublicKey> {
    let number = |told| BigUint::parse_bytes(text(told)?.trim().as_bytes(), 16);
    let by_numbers = || RsaPublicKey::new(number(data.modulus)?, number(data.exponent)?).ok();
    let by_pem = || RsaPublicKey::from_pkcs1_pem(&text(data.rsa_public_key_pkcs1_pem)?).ok();
    by_numbers().or_else(by_pem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::pkcs1::EncodeRsaPublicKey;
    use rsa::pkcs8::LineEnding;
    use rsa::traits::PublicKeyParts;
    use rsa::{Pkcs1v15Sign, RsaPrivateKey};

    fn key() -> RsaPrivateKey {
        // Small, to be made fast: nothing is kept secret by it.
        RsaPrivateKey::new(&mut OsRng, 1024).unwrap()
    }

    #[test]
    fn a_signature_is_pkcs1_v1_5_with_sha1_over_the_bytes_of_the_batch() {
        let key = key();
        let verification = Verification::Signature(Box::new(SigningKey::new(key.clone())));
        let batch = "CAPITALIST;U1;1.00;USD;abcd-1;за работу".as_bytes();
        let data = verification.data(batch).unwrap().unwrap();
        let signature = STANDARD.decode(data).unwrap();
        let check = |batch: &[u8]| {
            let hash = <Sha1 as sha1::Digest>::digest(batch);
            key.to_public_key().verify(Pkcs1v15Sign::new::<Sha1>(), &hash, &signature)
        };
        assert!(check(batch).is_ok());
        assert!(check(&batch[1..]).is_err());
    }

    #[test]
    fn a_pin_is_sent_as_its_md5_and_mobile_sends_nothing() {
        let pin = Verification::by_pin(&SecretString::from("1234"));
        let digest = "81dc9bdb52d04dc20036dbd8313ed055";
        assert_eq!(pin.data(b"any").unwrap().as_deref(), Some(digest));
        assert!(!format!("{pin:?}").contains(digest));
        assert_eq!(Verification::Mobile.data(b"any"), Ok(None));
        assert!(Verification::Mobile.waits() && !pin.waits());
    }

    #[test]
    fn the_password_is_encrypted_with_the_key_of_the_token_in_either_form() {
        let key = key();
        let public = key.to_public_key();
        let pem = public.to_pkcs1_pem(LineEnding::LF).unwrap();
        let (n, e) = (public.n().to_str_radix(16), public.e().to_str_radix(16));
        for data in [
            serde_json::json!({"token": "t", "modulus": n, "exponent": e}),
            serde_json::json!({"token": "t", "rsa_public_key_pkcs1_pem": pem}),
        ] {
            let data = data.to_string();
            let data: TokenData<'_> = serde_json::from_str(&data).unwrap();
            let session = Session::new(&data, &SecretString::from("pässword")).unwrap();
            let hidden = hex::decode(session.encrypted_password.expose_secret()).unwrap();
            let plain = key.decrypt(Pkcs1v15Encrypt, &hidden).unwrap();
            assert_eq!(plain, "pässword".as_bytes());
        }
    }

    #[test]
    fn a_token_without_a_key_is_none() {
        for data in ["{}", r#"{"token": "t"}"#, r#"{"token": "t", "modulus": "g", "exponent": 3}"#]
        {
            let data: TokenData<'_> = serde_json::from_str(data).unwrap();
            assert!(Session::new(&data, &SecretString::from("p")).is_err());
        }
    }
}
