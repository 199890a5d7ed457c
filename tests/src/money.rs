//! Sums in hundredths: files and the sandbox write amounts with up to two decimals.

/// `12`, `12.3` and `12.34` in hundredths.
#[track_caller]
pub fn cents(text: &str) -> u64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part:0<2}");
    assert!(part.len() <= 2, "an amount with more than two decimals: {text:?}");
    digits.parse().unwrap_or_else(|_| panic!("not an amount: {text:?}"))
}
