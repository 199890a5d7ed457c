//! Whether a profile is consistent: each path has an id where it needs one, each status name one
//! meaning, and no two fields of a request stand at one place. Checked when the lane starts, so
//! that no create is ever found impossible to write.

use super::pointer::{Node, Pointer};
use super::profile::{Profile, Request, Statuses};
use domain::Method;
use std::ops::RangeInclusive;

/// Records in a page of a list.
const PAGE_SIZE: RangeInclusive<u16> = 1..=1_000;

impl Profile {
    /// Whether the profile is consistent.
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, path) in [("status_path", &self.status_path), ("cancel_path", &self.cancel_path)]
        {
            if !path.takes_id() {
                return Err(format!("{key}: has no {{id}}; expected one such as /payouts/{{id}}"));
            }
        }
        for (key, path) in [
            ("token_path", &self.token_path),
            ("create_path", &self.create_path),
            ("list_path", &self.list_path),
            ("businesses_path", &self.businesses_path),
            ("individuals_path", &self.individuals_path),
        ] {
            if path.takes_id() {
                return Err(format!("{key}: must not have an {{id}}"));
            }
        }
        for (key, name) in [
            ("reference_parameter", &self.reference_parameter),
            ("skip_parameter", &self.skip_parameter),
            ("limit_parameter", &self.limit_parameter),
        ] {
            if name.is_empty() {
                return Err(format!("{key}: empty; a list is asked for with it"));
            }
        }
        if !PAGE_SIZE.contains(&self.page_size) {
            let (least, most) = PAGE_SIZE.into_inner();
            return Err(format!(
                "page_size: {} is not possible; expected {least} to {most}",
                self.page_size
            ));
        }
        if self.item.reference.pointer().is_none() || self.webhook.reference.pointer().is_none() {
            return Err("item.reference, webhook.reference: a payout is found by it".to_owned());
        }
        if self.payout.id.pointer().is_none() && self.payout.reference.pointer().is_none() {
            return Err("payout.id, payout.reference: an answer must tell whose it is".to_owned());
        }
        if self.created.id.pointer().is_none() {
            return Err("created.id: a payout that was taken is known by it".to_owned());
        }
        self.idempotency()?;
        self.statuses.check()?;
        self.request.check().map_err(|error| format!("request: {error}"))
    }
}

impl Request {
    /// A body of every field at once can be written, whatever the method.
    fn check(&self) -> Result<(), String> {
        if self.registered_methods.contains(&Method::Sbp) {
            return Err("registered_methods: sbp is not offered".to_owned());
        }
        for method in Method::ALL {
            let Some(destination) = self.destination(method) else { continue };
            let mut body = Node::empty();
            let mut put = |at: &Pointer| body.put(at, Node::Text(String::new()));
            let own = [&self.reference, &self.amount, &self.currency, destination];
            let kind = self.kind_of(method).map(|(at, _)| at);
            let columns = self.columns_of(method).map(|(_, at)| at);
            let all = own.into_iter().chain(kind).chain(self.client_id.pointer()).chain(columns);
            all.into_iter().try_for_each(&mut put)?;
            for at in self.fixed.keys() {
                put(&Pointer::try_from(at.clone())?)?;
            }
        }
        Ok(())
    }
}

impl Statuses {
    fn check(&self) -> Result<(), String> {
        let names: Vec<_> = self.all().into_iter().flat_map(|(names, _)| names).collect();
        for (place, name) in names.iter().enumerate() {
            let again = names[..place].iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
            if again || name.trim() != name.as_str() || name.is_empty() {
                return Err(format!(
                    "statuses: \"{name}\" cannot stand there; a name has one meaning, once"
                ));
            }
        }
        if self.paid.is_empty() {
            return Err("statuses.paid: empty; without it no payout would ever be paid".to_owned());
        }
        Ok(())
    }
}
