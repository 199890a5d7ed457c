//! Lists of several pages: what moves while they are read, and servers that page otherwise.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A payment of which the site knows nothing, and a list of which each page is `say`.
async fn listed(
    more: &str,
    say: impl Fn(usize, usize) -> Vec<Value> + Send + Sync + 'static,
) -> (Found, Site) {
    let site = Site::start(move |_, given| {
        let number = |name: &str| given.get(name).map(|text| text.parse::<usize>().unwrap());
        match (number("offset"), number("limit")) {
            (Some(offset), Some(limit)) => page(&say(offset, limit)),
            _ => page(&[]),
        }
    })
    .await;
    let adapter = adapter_at(&site.base(), more);
    let found = ask(&adapter, &site, vec![card("OURS", "10.00")]).await.remove(0);
    (found, site)
}

fn orders(from: u64, until: u64) -> Vec<Value> {
    (from..until).rev().map(|id| item(id, &format!("{}", id + 1_000_000), "payed", "1")).collect()
}

fn ours() -> Value {
    item(5, number("OURS").as_str(), "success", "10")
}

fn cut(list: &[Value], offset: usize, limit: usize) -> Vec<Value> {
    list.iter().skip(offset).take(limit).cloned().collect()
}

#[tokio::test]
async fn a_list_is_read_to_its_end_however_short_the_pages_are() {
    for most in [30, 100, 500] {
        let mut list = orders(100, 350);
        let (found, site) =
            listed("", move |offset, limit| cut(&orders(100, 350), offset, limit.min(most))).await;
        assert_eq!(found, Found::Absent, "pages of {most}");
        assert!(site.calls().iter().all(|call| call.given["limit"] == "500"));
        list.push(ours());
        let (found, _) = listed("", move |offset, limit| cut(&list, offset, limit.min(most))).await;
        assert!(matches!(found, Found::Is { .. }), "pages of {most}: {found:?}");
    }
}

#[tokio::test]
async fn pages_of_a_handful_are_read_to_the_end_too() {
    // Ours is the very last one, and no page has room for more than a few.
    for most in [1, 2, 3, 10, 19, 20, 21, 40] {
        let length = u64::try_from(most).unwrap() * 12;
        let list = move || {
            let mut list = orders(100, 100 + length);
            list.push(ours());
            list
        };
        let (found, _) =
            listed("", move |offset, limit| cut(&list(), offset, limit.min(most))).await;
        assert!(matches!(found, Found::Is { .. }), "pages of {most}: {found:?}");
    }
}

#[tokio::test]
async fn an_order_that_moves_from_behind_the_only_page_to_its_top_is_not_missed() {
    // As many leave as move up, so that the second page looks like the end.
    for gone in [0, 1] {
        let asked = AtomicUsize::new(0);
        let (found, _) = listed("", move |offset, limit| {
            let mut list = orders(100, 200);
            if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                list.push(ours());
            } else {
                list.drain(50..50 + gone);
                list.insert(0, ours());
            }
            cut(&list, offset, limit.min(100))
        })
        .await;
        assert!(matches!(found, Found::Is { .. }), "{gone} gone: {found:?}");
    }
}

#[tokio::test]
async fn an_offset_that_is_ignored_proves_nothing() {
    let (found, _) = listed("", |_, _| orders(100, 200)).await;
    assert!(matches!(&found, Found::Unclear { text } if text.contains("offset")), "{found:?}");
}

#[tokio::test]
async fn orders_that_come_or_move_up_while_we_read_are_not_missed() {
    // Ours lies on the last page; as soon as the first was read, it changes and moves to the top,
    // and new orders come with each page.
    let asked = AtomicUsize::new(0);
    let (found, _) = listed("page_size = 50", move |offset, limit| {
        let asked = asked.fetch_add(1, Ordering::SeqCst);
        let mut list = orders(100, 250 + u64::try_from(asked).unwrap());
        list.insert(if asked == 0 { list.len() } else { 0 }, ours());
        cut(&list, offset, limit)
    })
    .await;
    assert!(matches!(found, Found::Is { .. }), "{found:?}");
}

#[tokio::test]
async fn orders_that_leave_while_we_read_make_the_list_unclear() {
    let asked = AtomicUsize::new(0);
    let (found, _) = listed("page_size = 50", move |offset, limit| {
        let gone = 15 * asked.fetch_add(1, Ordering::SeqCst);
        cut(&orders(100, 300)[gone..], offset, limit)
    })
    .await;
    assert!(matches!(&found, Found::Unclear { text } if text.contains("left")), "{found:?}");
}

#[tokio::test]
async fn more_changes_than_a_page_shows_make_the_list_unclear() {
    let asked = AtomicUsize::new(0);
    let (found, _) = listed("page_size = 50", move |offset, limit| {
        // The first page again, at the end, shows nothing that it showed before.
        let again = offset == 0 && asked.fetch_add(1, Ordering::SeqCst) > 0;
        cut(&if again { orders(900, 1_000) } else { orders(100, 200) }, offset, limit)
    })
    .await;
    assert!(
        matches!(&found, Found::Unclear { text } if text.contains("more changed")),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let (found, site) = listed("page_size = 25", |offset, limit| {
        let last = u64::try_from(1_000_000 - offset).unwrap();
        orders(last - u64::try_from(limit).unwrap(), last)
    })
    .await;
    assert!(matches!(&found, Found::Unclear { text } if text.contains("too many")), "{found:?}");
    assert_eq!(site.calls().len(), 41);
}
