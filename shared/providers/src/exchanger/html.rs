//! The site's texts are fragments of its pages: what is left of them for people is plain text.

/// Characters that its texts write as entities.
const ENTITIES: [(&str, &str); 8] = [
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#039;", "'"),
    ("&#39;", "'"),
    ("&apos;", "'"),
    // Last, so that "&amp;lt;" stays the text that it is.
    ("&amp;", "&"),
];

/// `text` on one line, without tags and with its entities read.
pub(super) fn plain(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        bare.push_str(before);
        let is_tag = tail.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tail.split_once('>') {
            Some((_, after)) if is_tag => {
                bare.push(' ');
                rest = after;
            }
            _ => {
                bare.push('<');
                rest = tail;
            }
        }
    }
    bare.push_str(rest);
    for (entity, character) in ENTITIES {
        if bare.contains('&') {
            bare = bare.replace(entity, character);
        }
    }
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::plain;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_grow(text in ".{0,300}") {
            prop_assert!(plain(&text).len() <= text.len());
        }
    }

    #[test]
    fn tags_go_and_words_stay() {
        assert_eq!(
            plain("<span class=\"js_amount\" data-id=\"sum2\">min.:&nbsp;100 RUB</span><br />max"),
            "min.: 100 RUB max"
        );
        assert_eq!(plain("1 < 2 &amp;&lt; 3 <b>x"), "1 < 2 &< 3 x");
        assert_eq!(plain("open <a href"), "open <a href");
    }
}
