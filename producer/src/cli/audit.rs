//! `producer audit`, and `producer report --verify`.

use super::commands::{Office, print_json};
use super::{AuditCommand, Failure};
use crate::audit::check::{self, Checked};
use crate::audit::pages::Pages;
use crate::audit::trust::{Trust, given_key};
use crate::audit::{AuditError, Chain};
use crate::report::proof;
use crate::{progress, show};
use domain::BatchId;
use std::path::Path;

impl Office {
    pub(super) async fn audit(&self, command: AuditCommand) -> Result<(), Failure> {
        match command {
            AuditCommand::Verify { batch, key, json } => self.verify_audit(batch, &key, json).await,
            AuditCommand::Show { chain, json } => self.show_audit(chain, json).await,
            AuditCommand::Key => {
                println!("{}", self.rules.clerk.public_key()?);
                Ok(())
            }
        }
    }

    async fn verify_audit(
        &self,
        only: Option<BatchId>,
        named: &[String],
        json: bool,
    ) -> Result<(), Failure> {
        let named = named.iter().map(|given| given_key(given)).collect::<Result<_, _>>()?;
        let trust = Trust::of(named, || self.rules.clerk.public_key_here())?;
        if let Some(id) = only
            && self.ledger.batch(id).await?.is_none()
        {
            return Err(Failure::NoBatch(id.to_string()));
        }
        let bar = progress::Counting::start();
        let shown = |seen: &Checked| bar.show(&show::audit::how_far(seen));
        let checked = check::check(&*self.ledger, only, &trust, &shown).await;
        bar.end();
        let checked = checked.map_err(AuditError::from)?;
        match json {
            true => print_json(&show::audit::to_json(&checked)),
            false => print!("{}", show::audit::checked(&checked)),
        }
        match checked.problems.is_empty() {
            true => Ok(()),
            false => Err(Failure::NotDone("the audit does not fit the ledger".to_owned())),
        }
    }

    async fn show_audit(&self, chain: Chain, json: bool) -> Result<(), Failure> {
        let mut pages = Pages::new(&*self.ledger, chain.clone());
        while let Some((entry, hash)) = pages.next().await.map_err(AuditError::from)? {
            match json {
                true => println!("{}", show::audit::entry_to_json(&entry, hash)),
                false => print!("{}", show::audit::entry(&entry)),
            }
        }
        if pages.length() == 0 {
            return Err(Failure::NotDone(format!("chain {chain} has no entries")));
        }
        match pages.found.as_slice() {
            [] => Ok(()),
            [first, ..] => Err(Failure::NotDone(format!("{first}; run `producer audit verify`"))),
        }
    }
}

/// Checks a result by its three files alone.
pub async fn prove(file: &Path, key: Option<&str>, json: bool) -> Result<(), Failure> {
    let proof = proof::prove(file, key)?;
    match json {
        true => print_json(&serde_json::json!({
            "proved": true,
            "key": proof.key.to_string(),
            "key_is_expected": proof.is_expected,
            "summary": proof.summary,
        })),
        false => print!("{proof}"),
    }
    Ok(())
}
