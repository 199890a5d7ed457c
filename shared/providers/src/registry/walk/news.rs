//! Callbacks: a real one of the sandbox arrives where it is declared to, and is understood.

use super::*;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest};
use crate::limits::Calls;
use crate::testing::until;

impl World {
    /// What the adapter makes of the calls that came to the lane about `payment`.
    fn heard(&self, payment: &Payment) -> Vec<Heard> {
        self.ear.requests().iter().filter_map(|call| self.read(call, payment)).collect()
    }

    fn read(&self, call: &str, payment: &Payment) -> Option<Heard> {
        let (head, body) = call.split_once("\r\n\r\n").unwrap();
        let path = head.split(' ').nth(1).unwrap();
        let signed_in = self.adapter.notices().and_then(|notices| notices.signature_header());
        let signature = signed_in.and_then(|name| header(head, name));
        let request = |kind| CallbackRequest { kind, signature, body: body.as_bytes().to_vec() };
        let request = match self.limits.callbacks {
            Calls::None => return None,
            Calls::OurUrls => {
                let target = self.urls.read(path).filter(|target| target.lane == self.lane)?;
                assert_eq!(target.place, payment.place, "{}: callbacks: the place", self.name);
                request(target.kind)
            }
            Calls::OneUrl => {
                self.urls.read_lane(path).filter(|lane| *lane == self.lane)?;
                let request = request(CallbackKind::Status);
                let told = self.adapter.notices()?.reference(&request);
                let told = told.unwrap_or_else(|| panic!("{}: callbacks: whose?", self.name));
                assert_eq!(told, payment.reference.as_str(), "{}: callbacks", self.name);
                request
            }
        };
        Some(self.adapter.callbacks()?.read(&request, payment))
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let (_, value) = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))?;
    Some(value.to_owned())
}

#[tokio::test]
async fn a_callback_comes_where_it_is_declared_and_settles_or_hints_at_the_truth() {
    let mut all = Vec::new();
    for world in worlds().await {
        let (name, declared) = (world.name, world.limits.callbacks);
        let is_read = world.adapter.callbacks().is_some();
        assert_eq!(is_read, declared != Calls::None, "{name}: callbacks: callbacks()");
        let is_one = world.adapter.notices().is_some();
        assert_eq!(is_one, declared == Calls::OneUrl, "{name}: callbacks: notices()");
        let taken = world.take_one("INV-1").await;
        let done = world.finish(taken).await;
        all.push((world, done));
    }
    for (world, done) in all.iter().filter(|(world, _)| world.limits.callbacks != Calls::None) {
        told(world, done).await;
    }
    // By now the others' have come.
    for (world, done) in all.iter().filter(|(world, _)| world.limits.callbacks == Calls::None) {
        let (name, found) = (world.name, world.look_up(done).await);
        assert!(is_paid(&found), "{name}: callbacks: {found:?}");
        assert_eq!(world.counters().callbacks_sent, 0, "{name}: callbacks: none is declared");
    }
}

async fn told(world: &World, done: &Payment) {
    let name = world.name;
    let is_told = || {
        let entries = world.entries(done);
        entries.len() == 1 && entries[0].acknowledged
    };
    until(&format!("{name}: callbacks: the final state is told"), is_told).await;
    let heard = world.heard(done);
    assert!(!heard.is_empty(), "{name}: callbacks: none at the URL that is declared");
    let is_right = |heard: &Heard| match heard {
        Heard::Fact { news, .. } => matches!(news, News::Paid | News::InProgress),
        Heard::Hint { text } => !text.is_empty(),
    };
    assert!(heard.iter().all(is_right), "{name}: callbacks: {heard:?}");
    let settles = |heard: &Heard| matches!(heard, Heard::Fact { news: News::Paid, .. });
    let hints = |heard: &Heard| matches!(heard, Heard::Hint { .. });
    assert!(heard.iter().any(|h| settles(h) || hints(h)), "{name}: callbacks: {heard:?}");
    let found = world.look_up(done).await;
    assert!(is_paid(&found), "{name}: callbacks: {found:?} after {heard:?}");
}
