//! The certificate file: a PEM private key (PKCS#1 or PKCS#8), or the provider's older form: a
//! line with a salt, then base64 of the PEM under RC4, keyed with SHA-1(salt + login + password).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};

const PEM: &str = "-----BEGIN";

/// Reads the key. No error repeats a part of the file.
pub(super) fn read(
    file: &SecretString,
    login: &str,
    password: Option<&SecretString>,
) -> Result<RsaPrivateKey, String> {
    let text = file.expose_secret();
    if text.trim_start().starts_with(PEM) {
        return pem(text);
    }
    let password = password.map_or("", ExposeSecret::expose_secret);
    let wrong = "neither a PEM private key nor the provider's encrypted file; for the latter, \
                 check login and key_password";
    pem(&decrypt(text, login, password).ok_or(wrong)?)
}

fn pem(text: &str) -> Result<RsaPrivateKey, String> {
    let text = text.trim();
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        return Err("the PEM is encrypted; expected an unencrypted PKCS#1 or PKCS#8 key".into());
    }
    RsaPrivateKey::from_pkcs1_pem(text)
        .ok()
        .or_else(|| RsaPrivateKey::from_pkcs8_pem(text).ok())
        .ok_or_else(|| "not an RSA private key; expected PEM in PKCS#1 or PKCS#8".into())
}

/// The PEM of an encrypted file; `None` where what comes out is none.
fn decrypt(text: &str, login: &str, password: &str) -> Option<Zeroizing<String>> {
    let (salt, rest) = text.trim_start().split_once('\n')?;
    let base64: String = rest.split_whitespace().collect();
    let mut bytes = Zeroizing::new(STANDARD.decode(base64).ok()?);
    let key = Sha1::new().chain_update(salt.trim()).chain_update(login).chain_update(password);
    rc4(&key.finalize(), &mut bytes);
    let plain = std::str::from_utf8(&bytes).ok()?;
    plain.trim_start().starts_with(PEM).then(|| Zeroizing::new(plain.to_owned()))
}

/// RC4, in place; the same call encrypts and decrypts. Long broken, and here only because the
/// provider's older files are written so.
pub(super) fn rc4(key: &[u8], bytes: &mut [u8]) {
    let mut state: [u8; 256] = std::array::from_fn(|i| i.to_le_bytes()[0]);
    let mut j = 0u8;
    for i in 0..state.len() {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0u8, 0u8);
    for byte in bytes {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        let at = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        *byte ^= state[usize::from(at)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::pkcs1::EncodeRsaPrivateKey;
    use rsa::pkcs8::{EncodePrivateKey, LineEnding};
    use rsa::rand_core::OsRng;

    fn key() -> RsaPrivateKey {
        RsaPrivateKey::new(&mut OsRng, 1024).unwrap()
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn rc4_gives_the_published_answer() {
        let mut bytes = *b"Plaintext";
        rc4(b"Key", &mut bytes);
        assert_eq!(hex::encode(bytes), "bbf316e8d940af0ad3");
    }

    #[test]
    fn both_pems_are_read() {
        let key = key();
        let pkcs1 = key.to_pkcs1_pem(LineEnding::LF).unwrap();
        let pkcs8 = key.to_pkcs8_pem(LineEnding::CRLF).unwrap();
        assert_eq!(read(&secret(&pkcs1), "l", None).unwrap(), key);
        assert_eq!(read(&secret(&pkcs8), "l", None).unwrap(), key);
    }

    #[test]
    fn the_older_file_is_read_with_login_and_password_and_not_without() {
        let key = key();
        let mut bytes = key.to_pkcs1_pem(LineEnding::LF).unwrap().as_bytes().to_vec();
        rc4(&Sha1::digest("salt42shopfile-password"), &mut bytes);
        let file = secret(&format!("salt42\r\n{}\n", STANDARD.encode(bytes)));
        let password = secret("file-password");
        assert_eq!(read(&file, "shop", Some(&password)).unwrap(), key);
        for (login, password) in [("shop", None), ("shup", Some(&password))] {
            let error = read(&file, login, password).unwrap_err();
            assert!(error.contains("check login and key_password"), "{error}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for text in ["hunter2", "-----BEGIN X-----\nhunter2", "salt\nhunter2", "a\n!hunter2"] {
            let error = read(&secret(text), "l", None).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let error = read(&secret("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "l", None).unwrap_err();
        assert!(error.contains("unencrypted"), "{error}");
    }
}
