//! What the units that are not decided yet take at the least.

use super::bounds::Item;
use super::islands::Text;

/// For each item and each number of records of others that are to be opened from it on: the choices of which none takes
/// less of both, terms and octets.
///
/// The texts of units add up, so the best of a suffix of the order is that of a shorter one, with its first item opened or
/// skipped with all that stands below it.
pub(super) struct Fronts {
    /// By item, then by number.
    fronts: Vec<Vec<Vec<Text>>>,
}

/// With more items it is not worth the room.
const MOST_ITEMS: usize = 160;
/// Of more choices, neighbours become one that is as good as both.
const MOST_CHOICES: usize = 64;

impl Fronts {
    pub(super) fn new(order: &[Item]) -> Self {
        let mut fronts: Vec<Vec<Vec<Text>>> = vec![vec![vec![Text::default()]]];
        let is_exact = order.len() <= MOST_ITEMS;
        for (at, item) in order.iter().enumerate().rev() {
            // The last in `fronts` is that of the next item.
            let after = |items: usize| fronts.len().checked_sub(items).and_then(|index| fronts.get(index));
            let (opened, skipped) = (after(1), after(item.size.min(order.len() - at)));
            let of = |front: Option<&Vec<Vec<Text>>>, number: Option<usize>| -> Vec<Text> {
                front.and_then(|front| front.get(number?)).cloned().unwrap_or_default()
            };
            let most = opened.map_or(0, Vec::len).saturating_sub(1) + usize::from(item.is_volatile);
            let front = (0..=most).map(|number| {
                let before = number.checked_sub(usize::from(item.is_volatile));
                let mut choices: Vec<Text> =
                    of(opened, before).into_iter().map(|rest| rest.plus(item.text)).collect();
                if !item.is_forced {
                    choices.extend(of(skipped, Some(number)));
                }
                best(choices)
            });
            let front: Vec<Vec<Text>> = if is_exact { front.collect() } else { vec![loose(opened, item)] };
            fronts.push(front);
        }
        fronts.reverse();
        Self { fronts }
    }

    /// The choices from an item on; none where there are not so many to open.
    pub(super) fn at(&self, item: usize, number: usize) -> &[Text] {
        let Some(front) = self.fronts.get(item) else { return &[] };
        let is_exact = self.fronts.len() <= MOST_ITEMS + 1;
        front.get(if is_exact { number } else { 0 }).map_or(&[], Vec::as_slice)
    }
}

/// One choice as good as all.
fn loose(rest: Option<&Vec<Vec<Text>>>, item: &Item) -> Vec<Text> {
    let rest = rest.and_then(|rest| rest.first()?.first()).copied().unwrap_or_default();
    vec![rest.plus(item.text.least(Text::default()))]
}

/// The choices that no other beats, from few terms to few octets.
fn best(mut choices: Vec<Text>) -> Vec<Text> {
    choices.sort_unstable();
    let mut least = i64::MAX;
    choices.retain(|choice| {
        let is_less = choice.octets < least;
        least = least.min(choice.octets);
        is_less
    });
    while choices.len() > MOST_CHOICES {
        choices = choices.chunks(2).filter_map(|pair| pair.iter().copied().reduce(Text::least)).collect();
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::{MOST_CHOICES, Text, best};

    #[test]
    fn of_many_choices_none_is_better_than_what_is_left() {
        let choices: Vec<Text> = (0..200).map(|at| Text { terms: at, octets: 1_000 - 3 * at }).collect();
        let left = best(choices.clone());
        assert!(left.len() <= MOST_CHOICES, "{}", left.len());
        let is_bounded = |choice: &Text| {
            left.iter().any(|bound| bound.terms <= choice.terms && bound.octets <= choice.octets)
        };
        assert!(choices.iter().all(is_bounded), "{left:?}");
    }
}
