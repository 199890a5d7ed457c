//! JSON pointers (RFC 6901): where the profile says that a field stands.
//!
//! What is read is the text as it stands in the body: no float comes near an amount. What is
//! written never replaces what stands there already: two fields at one place are an error.

use crate::told::Told;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The deepest place that a pointer may name.
const DEPTH_MAX: usize = 8;

/// A place in a JSON document; `""` is the whole of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pointer(Vec<String>);

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Pointer, String> {
        if text.is_empty() {
            return Ok(Pointer(Vec::new()));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(format!("\"{text}\" is not a JSON pointer; expected one such as \"/id\""));
        };
        let names: Vec<_> =
            rest.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        if names.len() > DEPTH_MAX || names.iter().any(String::is_empty) {
            return Err(format!(
                "\"{text}\" is not a usable JSON pointer; expected 1 to {DEPTH_MAX} names"
            ));
        }
        Ok(Pointer(names))
    }
}

impl Pointer {
    /// The whole document.
    pub(super) fn whole() -> Pointer {
        Pointer(Vec::new())
    }

    /// What stands there.
    pub(super) fn find<'a>(&self, whole: &'a RawValue) -> Option<Told<'a>> {
        self.0.iter().try_fold(Told::of(whole), |told, name| child(told, name))
    }

    /// The innermost name, by which errors call the field.
    pub(super) fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

/// A field that may be left out: `""` says that it is not there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Slot(Option<Pointer>);

impl TryFrom<String> for Slot {
    type Error = String;

    fn try_from(text: String) -> Result<Slot, String> {
        Ok(Slot(if text.is_empty() { None } else { Some(Pointer::try_from(text)?) }))
    }
}

impl Slot {
    /// A slot at a place that the code itself names.
    pub(super) fn at(names: &[&str]) -> Slot {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Slot((!names.is_empty()).then_some(Pointer(names)))
    }

    pub(super) fn pointer(&self) -> Option<&Pointer> {
        self.0.as_ref()
    }

    /// What stands there, as text.
    pub(super) fn text<'a>(&self, whole: &'a RawValue) -> Option<Cow<'a, str>> {
        self.find(whole)?.text()
    }

    /// What stands there.
    pub(super) fn find<'a>(&self, whole: &'a RawValue) -> Option<Told<'a>> {
        self.0.as_ref()?.find(whole)
    }
}

/// A body as one value, if it is JSON.
pub(super) fn whole(body: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(body).ok()
}

fn child<'a>(told: Told<'a>, name: &str) -> Option<Told<'a>> {
    match told.raw().get().as_bytes().first()? {
        b'{' => told.fields()?.remove(name),
        b'[' => {
            let is_index = name.bytes().all(|b| b.is_ascii_digit());
            let index = name.parse::<usize>().ok().filter(|_| is_index)?;
            told.items()?.get(index).copied()
        }
        _ => None,
    }
}

/// A document that is being written. No `Debug`: it holds a whole destination.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Node {
    Object(BTreeMap<String, Node>),
    Text(String),
    /// Digits as they shall stand.
    Number(Box<RawValue>),
}

impl Node {
    pub(super) fn empty() -> Node {
        Node::Object(BTreeMap::new())
    }

    /// Writes `value` at a place where nothing stands yet, making the objects around it.
    pub(super) fn put(&mut self, at: &Pointer, value: Node) -> Result<(), String> {
        let taken = || format!("two fields stand at \"{}\"", at.name());
        let (last, around) = at.0.split_last().ok_or("a field cannot be the whole body")?;
        let mut node = self;
        for name in around {
            let Node::Object(members) = node else { return Err(taken()) };
            node = members.entry(name.clone()).or_insert_with(Node::empty);
        }
        let Node::Object(members) = node else { return Err(taken()) };
        match members.insert(last.clone(), value) {
            None => Ok(()),
            Some(_) => Err(taken()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::try_from(text.to_owned()).unwrap()
    }

    fn text_at(at: &str, body: &str) -> Option<String> {
        pointer(at).find(whole(body.as_bytes()).unwrap())?.text().map(Cow::into_owned)
    }

    #[test]
    fn a_pointer_finds_members_and_items_and_nothing_else() {
        let body = r#"{"a": {"b/c": [1.50, {"~": "x"}], "": 1}, "n": null, "t": true}"#;
        assert_eq!(text_at("/a/b~1c/0", body).unwrap(), "1.50");
        assert_eq!(text_at("/a/b~1c/1/~0", body).unwrap(), "x");
        for nothing in ["/a", "/b", "/a/b~1c/2", "/a/b~1c/+0", "/n", "/t", "/n/x", "/a/b~1c/0/x"] {
            assert_eq!(text_at(nothing, body), None, "{nothing}");
        }
        assert!(pointer("").find(whole(b" [] ").unwrap()).unwrap().items().unwrap().is_empty());
        assert!(pointer("").find(whole(b"{}").unwrap()).unwrap().items().is_none());
    }

    #[test]
    fn what_is_written_is_read_back_and_never_overwritten() {
        let mut node = Node::empty();
        node.put(&pointer("/a/b"), Node::Text("1".into())).unwrap();
        node.put(&pointer("/a/c~1d"), Node::Text("2".into())).unwrap();
        for taken in ["/a", "/a/b", "/a/b/c", ""] {
            let put = node.put(&pointer(taken), Node::Text("3".into()));
            assert!(put.is_err(), "{taken}");
            if taken == "/a" {
                // The error leaves no body behind that anybody may send.
                node = Node::empty();
                node.put(&pointer("/a/b"), Node::Text("1".into())).unwrap();
            }
        }
        let number = RawValue::from_string("10.00".to_owned()).unwrap();
        node.put(&pointer("/n"), Node::Number(number)).unwrap();
        assert!(serde_json::to_string(&node).unwrap().contains("\"n\":10.00"));
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for bad in ["id", "/", "//a", "/a/", "/1/2/3/4/5/6/7/8/9"] {
            assert!(Pointer::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(Slot::try_from(String::new()).unwrap().pointer().is_none());
    }

    proptest! {
        #[test]
        fn no_body_makes_reading_panic(body in ".{0,80}", at in "(/[a-z0-9~]{1,3}){0,3}") {
            if let (Some(whole), Ok(at)) = (whole(body.as_bytes()), Pointer::try_from(at)) {
                at.find(whole).map(|told| (told.text(), told.amount()));
            }
        }
    }
}
