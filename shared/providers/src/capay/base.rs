//! Where Capay is, and what it takes to be let in.
//!
//! Production is https. Without the two PEM files of mutual TLS, only http to this machine is
//! possible, and that for tests alone.

use super::LIMITS;
use super::tls::{Files, Shown};
use crate::http::ProviderUrl;
use crate::registry::SandboxAddress;
use crate::settings::{self, SANDBOX};
use domain::LaneName;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::SystemTime;

/// Which of Capay's two environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Environment {
    /// For tests; http to this machine is possible.
    Sandbox,
    /// Where money moves.
    Production,
}

/// The files of mutual TLS as the settings name them.
pub(super) struct PemFiles {
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) authority: Option<PathBuf>,
}

/// Where Capay is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The sandbox built into the worker, wherever it listens.
    Sandbox,
    /// Here; with the files of mutual TLS, without which only http to this machine is possible.
    At(ProviderUrl, Option<Files>),
}

impl Base {
    /// Checks what the settings say; no file is read yet.
    pub(super) fn read(
        base_url: &str,
        environment: Option<Environment>,
        pem: PemFiles,
    ) -> Result<Base, String> {
        let has_files = [&pem.certificate, &pem.key, &pem.authority];
        let has_files = has_files.into_iter().any(Option::is_some);
        let settings::Base::At(url) = settings::Base::read(base_url)? else {
            return match environment {
                Some(Environment::Production) => {
                    Err("environment: \"production\" has a base_url of its own".into())
                }
                _ if has_files => Err(format!(
                    "certificate_file, key_file, ca_file: leave them out; \"{SANDBOX}\" brings its \
                     own"
                )),
                _ => Ok(Base::Sandbox),
            };
        };
        let environment =
            environment.ok_or("environment: missing; expected \"sandbox\" or \"production\"")?;
        match (environment, url.is_plain(), pem.certificate, pem.key) {
            (Environment::Production, true, ..) => {
                Err("base_url: production is https, also on this machine".into())
            }
            (_, true, ..) if has_files => {
                Err("certificate_file: of no use with http; expected a base_url with https".into())
            }
            (_, true, ..) => Ok(Base::At(url, None)),
            (_, false, Some(certificate), Some(key)) => {
                Ok(Base::At(url, Some(Files { certificate, key, authority: pem.authority })))
            }
            (_, false, ..) => Err("certificate_file, key_file: missing; Capay takes mutual TLS \
                                   only, expected two PEM files"
                .into()),
        }
    }

    /// The URL, and what is shown there; `None` where the sandbox does not run.
    pub(super) fn open(
        &self,
        sandbox: Option<&SandboxAddress>,
        lane: &LaneName,
    ) -> Result<Option<(ProviderUrl, Option<Shown>)>, String> {
        let load = |files: &Files| {
            files.load(SystemTime::now(), |text| tracing::warn!(lane = %lane, text, "act in time"))
        };
        let of_sandbox = sandbox.and_then(|sandbox| sandbox.tls.as_ref());
        match (self, of_sandbox) {
            (Base::At(url, files), _) => {
                Ok(Some((url.clone(), files.as_ref().map(load).transpose()?)))
            }
            (Base::Sandbox, None) => Ok(None),
            (Base::Sandbox, Some(sandbox)) => {
                let url = ProviderUrl::parse(&format!("{}/{}", sandbox.url, LIMITS.provider));
                let url = url.map_err(|error| format!("the sandbox's address: {error}"))?;
                let files = Files {
                    certificate: sandbox.certificate_file.clone(),
                    key: sandbox.key_file.clone(),
                    authority: Some(sandbox.ca_file.clone()),
                };
                Ok(Some((url, Some(load(&files)?))))
            }
        }
    }
}
