//! What a person sees of what waits for a decision.

use crate::desk::{Desk, is, lane};
use crate::world::{World, card, iban};
use domain::{BatchId, News, State};
use producer::review::list::{Page, Pages, Wanted};
use producer::review::{Decision, asked};
use producer::show;
use providers::Found;

async fn pages(world: &World, wanted: Wanted) -> (Vec<Page>, String) {
    let mut pages = Pages::new(&*world.ledger, wanted);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        all.push(page);
    }
    let sums = show::review::sums(pages.sums());
    (all, sums)
}

fn references(pages: &[Page]) -> Vec<&str> {
    let all = pages.iter().flat_map(|page| &page.payouts);
    all.map(|one| one.row.reference.as_str()).collect()
}

#[tokio::test]
async fn what_waits_for_a_decision_is_listed_with_its_version_and_why() {
    let desk = Desk::doubtful().await;
    let (all, sums) = pages(&desk.world, Wanted::default()).await;
    assert_eq!(
        show::review::page(&all[0]),
        format!(
            "batch {} (a.csv), lane main\n\
             reference    amount  destination  line  since                 version\n\
             A          1.50 RUB  4111…1111       2  2023-11-14T22:13:20Z  3.0\n  \
             why:  no answer, and no look-up could tell what became of it\n\n",
            desk.batch
        )
    );
    assert_eq!(
        sums,
        "currency  payouts  amount  why\n\
         RUB             1    1.50  no answer, and no look-up could tell what became of it\n\
         `producer review show REFERENCE` tells all of one, and how it can be decided\n"
    );
    let json = &show::review::page_json(&all[0])[0];
    assert_eq!((&json["version"], &json["cause"]), (&"3.0".into(), &"cannot_be_known".into()));
    assert!(!json.to_string().contains("4111111111111111"), "{json}");
    let batch = desk.world.batch(desk.batch).await;
    let words = format!("`producer review list {}` shows what is known\n", desk.batch);
    assert!(show::batches::one(&batch).ends_with(&words), "{}", show::batches::one(&batch));
    assert!(show::batches::list(&[batch]).ends_with(&words));
}

#[tokio::test]
async fn the_newest_batch_comes_first_and_a_lane_or_a_batch_can_be_chosen() {
    let world = World::new();
    let mut batches: Vec<BatchId> = Vec::new();
    for (name, references) in [("one", ["A", "B", "C"]), ("two", ["D", "E", "F"])] {
        let [first, second, third] = references;
        let rows = [card(first, "1"), iban(second, "2"), card(third, "4")];
        let id = world.taken(&world.rows(&format!("{name}.csv"), &rows)).await;
        for (place, row) in world.rows_of(id).await {
            match row.reference.as_str() {
                "C" | "F" => world.settle(place, State::Paid).await,
                _ => world.settle(place, State::Review).await,
            }
        }
        batches.push(id);
        world.pass(1_000);
    }
    let (all, sums) = pages(&world, Wanted::default()).await;
    let mut found = references(&all);
    assert_eq!((found.len(), all[0].batch, all.last().unwrap().batch), (4, batches[1], batches[0]));
    found.sort_unstable();
    assert_eq!(found, ["A", "B", "D", "E"]);
    assert!(sums.contains("EUR             2    4.00  the provider's record differs"), "{sums}");
    let (of_lane, _) = pages(&world, Wanted { lane: Some(lane()), batch: None }).await;
    assert_eq!(references(&of_lane), ["D", "A"]);
    let (of_batch, sums) = pages(&world, Wanted { batch: Some(batches[0]), lane: None }).await;
    assert_eq!(of_batch.len(), 2);
    assert!(sums.contains("EUR             1    2.00"), "{sums}");
}

#[tokio::test]
async fn what_is_settled_is_not_listed() {
    let desk = Desk::accepted_then(News::Paid).await;
    let (all, _) = pages(&desk.world, Wanted::default()).await;
    assert!(all.is_empty());
}

#[tokio::test]
async fn the_whole_story_of_a_payout_is_told_with_what_can_be_decided() {
    let desk = Desk::doubtful().await;
    desk.news(1, News::Failed).await;
    desk.provider_says(Found::Absent);
    let (story, asked) = (desk.story().await, desk.asked().await);
    let name = story.attempts().next().unwrap().1;
    assert_eq!(
        show::review::story(&story, &asked),
        format!(
            "reference      A\n\
             batch          {} (a.csv), active\n\
             row            line 2, card 4111…1111\n\
             amount         1.50 RUB\n\
             lane           main\n\
             state          review since 2023-11-14T22:13:20Z: no answer, and no look-up could tell what became\n               \
             of it\n\
             version        3.1\n\
             requests       1; the newest create not after 2023-11-14T22:13:21Z\n\
             attempt        1: {}\n\
             note           evidence: News {{ attempt: 1, news: Failed }} while review\n\
             provider says  of attempt 1: not found; by itself this proves nothing\n",
            desk.batch,
            name.as_str()
        )
    );
    let decisions = show::review::decisions(&story, &asked);
    assert_eq!(
        decisions,
        "what can be decided:\n  \
         --paid   it counts as paid, for good; nothing is sent; amount and reference are typed\n  \
         --failed it counts as not paid; nothing is sent; amount and reference are typed\n  \
         --again  it is sent again as attempt 2, under a provider reference of its own: this moves money;\n           \
         amount and reference are typed\n\
         producer review resolve A --version 3.1 --paid --reason TEXT\n\
         producer review resolve A --version 3.1 --failed --reason TEXT\n\
         producer review resolve A --version 3.1 --again --reason TEXT\n"
    );
    let json = show::review::story_json(&story, &asked);
    assert_eq!(json["decisions"][2]["typed"], true);
    assert_eq!(json["told"], "attempt 1: not found; by itself this proves nothing");
    assert!(!json.to_string().contains("4111111111111111"), "{json}");
}

#[tokio::test]
async fn a_payout_in_any_state_has_its_story_and_what_is_not_possible_says_why() {
    let desk = Desk::new().await;
    let story = desk.story().await;
    let text = show::review::story(&story, &asked::nobody(&story, "offline"));
    assert!(
        text.contains("state          accepted since") && text.contains("never sent"),
        "{text}"
    );
    let desk = Desk::accepted_then(News::Failed).await;
    let story = desk.story().await;
    let decisions = show::review::decisions(&story, &asked::nobody(&story, "offline"));
    let words =
        "--again  not possible: the provider had it, and what has failed there may still turn";
    assert!(decisions.contains(words), "{decisions}");
    assert!(!decisions.contains("producer review resolve"), "{decisions}");
}

#[tokio::test]
async fn what_was_paid_twice_is_told_with_what_to_do() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    desk.resolve(Decision::Again).await.unwrap();
    desk.send().await;
    desk.news(1, News::Paid).await;
    desk.provider_says(is(News::Paid));
    let (story, asked) = (desk.story().await, desk.asked().await);
    let decisions = show::review::decisions(&story, &asked);
    let words = "beware: the provider says that 2 attempts were paid: ask for one of them back\n";
    assert!(decisions.contains(words), "{decisions}");
}
