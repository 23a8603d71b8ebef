//! Terms into records of bounded size.

use std::collections::BTreeMap;

use super::cover::Net;
use super::draft::{Draft, Element};
use super::tree::{End, Tree, directive};
use crate::spf::{Qualifier, SpfResult};

/// Octets of all character-strings of a text in wire form.
pub(super) fn wire(text: usize) -> usize {
    text + text.div_ceil(255).max(1)
}

/// A term of the new record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) text: String,
    /// As another record below the domain has it; none for what has to stay.
    pub(super) moved: Option<String>,
    pub(super) qualifier: Option<Qualifier>,
    kind: Kind,
}

/// What is moved to extra records first stands last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Live,
    Own,
    Written,
}

/// The terms of a draft in their order, the networks included.
pub(super) fn items(draft: &Draft, tree: &Tree, all: Option<&str>, modifiers: &[String]) -> Vec<Item> {
    let mut items = Vec::new();
    for at in 0..=draft.elements.len() {
        let written = draft.written.get(&at).into_iter().flatten();
        items.extend(written.map(|net| Item::net(net, net.text(), Kind::Written)));
        match draft.elements.get(at) {
            Some(Element::Own(nets)) => {
                let nets = tree.nets.get(*nets).map(Vec::as_slice).unwrap_or_default();
                items.extend(nets.iter().map(|(net, written)| Item::net(net, written.clone(), Kind::Own)));
            }
            Some(Element::Live { term, qualifier, text }) => {
                let moved = tree.terms.get(*term).and_then(|term| term.moved.clone());
                let text = text.clone();
                items.push(Item { text, moved, qualifier: Some(*qualifier), kind: Kind::Live });
            }
            None => {}
        }
    }
    let fixed = |text: String| Item { text, moved: None, qualifier: None, kind: Kind::Live };
    match draft.end {
        End::Redirect(term) => {
            let target = tree.terms.get(term).and_then(|term| {
                let text = if draft.end_is_moved { term.moved.as_ref() } else { Some(&term.own.1) };
                text?.strip_prefix("include:").map(str::to_owned)
            });
            items.extend(target.map(|target| fixed(format!("redirect={target}"))));
        }
        End::Result(result) => {
            let all = match all {
                Some(all) if !draft.end_is_moved => Some(all.to_owned()),
                _ if result == SpfResult::Neutral => None,
                _ => super::cover::qualifier(result).map(|qualifier| directive(qualifier, "all")),
            };
            items.extend(all.map(fixed));
        }
    }
    items.extend(modifiers.iter().cloned().map(fixed));
    items
}

impl Item {
    /// Octets as part of an extra record, with the space before it.
    fn moved_octets(&self) -> usize {
        self.moved.as_ref().map_or(0, |moved| 1 + moved.len())
    }

    fn net(net: &Net, text: String, kind: Kind) -> Self {
        let moved = Net { qualifier: Qualifier::Pass, net: net.net }.text();
        Self { text, moved: Some(moved), qualifier: Some(net.qualifier), kind }
    }
}

/// The sizes that records may have, in octets of name and data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// The record itself, with the other strings at its name.
    pub(super) apex: usize,
    /// What these and the name take up.
    pub(super) apex_taken: usize,
    /// Each extra record.
    pub(super) extra: usize,
    /// What the name of an extra record takes up.
    pub(super) extra_taken: usize,
    /// Octets of the term that includes an extra record, with the space before it.
    pub(super) reference: usize,
}

impl Room {
    fn fits_apex(&self, text: usize) -> bool {
        self.apex_taken + wire(text) <= self.apex
    }

    /// The most text of terms, with a space before each, that an extra record holds.
    pub(super) fn held_by_extra(&self) -> usize {
        let text = (0..=self.extra).rev().find(|text| self.fits_extra(*text)).unwrap_or(0);
        text.saturating_sub(VERSION)
    }

    fn fits_extra(&self, text: usize) -> bool {
        self.extra_taken + wire(text) <= self.extra
    }
}

/// Which terms stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// The terms of the record itself; none where the extra records are included.
    pub(super) apex: Vec<Option<String>>,
    pub(super) extras: Vec<Vec<String>>,
    /// The qualifier of what the extra records hold.
    pub(super) qualifier: Qualifier,
}

/// What came of an attempt to pack.
pub(super) enum Packing {
    /// Ways that do, of which none need be better than another.
    Fits(Vec<Packed>),
    /// No distribution of the terms can fit.
    Never,
    /// None was found.
    Unknown,
}

const VERSION: usize = "v=spf1".len();

/// What is published today: the terms of the record itself, and of each of its extra records.
#[derive(Clone, Copy, Default)]
pub(super) struct Published<'p> {
    apex: &'p [String],
    extras: &'p [Vec<String>],
}

impl<'p> Published<'p> {
    /// Of the record itself and its extra records, in this order.
    pub(super) fn new(published: &'p [Vec<String>]) -> Self {
        let (apex, extras) =
            published.split_first().map_or((&[][..], &[][..]), |(apex, extras)| (apex.as_slice(), extras));
        Self { apex, extras }
    }

    /// Whether a term is written anew, and was not published before.
    fn is_new(&self, item: &Item) -> bool {
        item.kind == Kind::Written && !self.apex.contains(&item.text)
    }

    /// In which orders extra records may be filled, the first of a number: those that change anyway come first, then one
    /// of those that would stay as they are. Each that changes gets a new name.
    fn orders(&self, run: &[Item], count: usize) -> Vec<Vec<usize>> {
        let is_there = |text: &String| run.iter().any(|item| item.moved.as_ref() == Some(text));
        let stays = |at: &usize| self.extras.get(*at).is_some_and(|texts| texts.iter().all(is_there));
        let (stay, change): (Vec<usize>, Vec<usize>) = (0..count).partition(stays);
        let order = |first: Option<usize>| {
            let others = stay.iter().copied().filter(move |at| Some(*at) != first);
            change.iter().copied().chain(first).chain(others).collect()
        };
        if stay.is_empty() { vec![order(None)] } else { stay.iter().map(|at| order(Some(*at))).collect() }
    }
}

/// Packs terms into the record itself and a number of extra records, of which some may be published already.
pub(super) fn pack(items: &[Item], count: usize, room: &Room, published: Published<'_>) -> Packing {
    let length: usize = VERSION + items.iter().map(|item| 1 + item.text.len()).sum::<usize>();
    if count == 0 {
        if !room.fits_apex(length) {
            return Packing::Never;
        }
        let apex = items.iter().map(|item| Some(item.text.clone())).collect();
        return Packing::Fits(vec![Packed { apex, extras: Vec::new(), qualifier: Qualifier::Pass }]);
    }
    let Some((begin, end, qualifier)) = stretch(items) else { return Packing::Never };
    let run = items.get(begin..end).unwrap_or_default();
    // What must leave the record itself, at the least.
    let prefix = usize::from(qualifier != Qualifier::Pass);
    let stays = length + count * (room.reference + prefix);
    let movable: Vec<&Item> = run.iter().filter(|item| item.moved.is_some()).collect();
    let held = room.held_by_extra();
    // A term is shorter in an extra record by its qualifier, and by what was written and is the default anyway.
    let all: usize = movable.iter().map(|item| 1 + item.text.len()).sum();
    let gain: usize =
        movable.iter().map(|item| (1 + item.text.len()).saturating_sub(item.moved_octets())).sum();
    let least_left = stays.saturating_sub(all.min(count * held + gain));
    if !room.fits_apex(least_left) {
        return Packing::Never;
    }
    // What stands in extra records already stays there; then what is written anew leaves first, then own networks.
    // Of those that are there today the longest leave first, the fewest that have to; or of live terms the first ones.
    let leave = |least: Kind, is_in_order: bool| {
        let may_leave =
            |at: &usize| run.get(*at).is_some_and(|item| item.moved.is_some() && item.kind >= least);
        let mut order: Vec<usize> = (0..run.len()).filter(may_leave).collect();
        let rank = |item: &Item| match item.kind {
            Kind::Written => (Kind::Written, usize::from(published.is_new(item))),
            Kind::Live if is_in_order => (Kind::Live, 0),
            kind => (kind, item.text.len()),
        };
        order.sort_by_key(|at| std::cmp::Reverse(run.get(*at).map(rank)));
        order
    };
    let nothing = Published::default();
    for least in [Kind::Written, Kind::Own, Kind::Live] {
        let mut orders = vec![leave(least, true)];
        orders.extend((least == Kind::Live).then(|| leave(least, false)));
        let mut ways = Vec::new();
        for known in if published.extras.is_empty() {
            vec![nothing]
        } else {
            vec![published, Published { apex: &[], ..published }, nothing]
        } {
            for filled in known.orders(run, count) {
                for order in &orders {
                    let way = distribute(run, order, &filled, room, stays, known);
                    ways.extend(way.filter(|(places, _)| asks_no_more(run, places)));
                }
            }
        }
        if !ways.is_empty() {
            let packed = |(places, extras): Distributed| {
                let text = |item: &Item| Some(item.text.clone());
                let first = first_live_to_leave(run, &places);
                let kept = |is_ahead: bool| {
                    let kept = run.iter().enumerate().filter(|(at, _)| !places.contains_key(at));
                    kept.filter(move |(at, _)| (*at < first) == is_ahead).map(|(_, item)| text(item))
                };
                let apex =
                    items.iter().take(begin).map(text).chain(kept(true)).chain([None]).chain(kept(false));
                let apex = apex.chain(items.iter().skip(end).map(text)).collect();
                Packed { apex, extras, qualifier }
            };
            return Packing::Fits(ways.into_iter().map(packed).collect());
        }
    }
    // No extra record holds more than the best filled one.
    let sizes: Vec<usize> = movable.iter().map(|item| item.moved_octets()).collect();
    let filled: usize = fill(&sizes, held).iter().filter_map(|at| sizes.get(*at)).sum();
    let least_left = stays.saturating_sub(count * filled + gain);
    if room.fits_apex(least_left) { Packing::Unknown } else { Packing::Never }
}

/// Which of some sizes fill a capacity best.
fn fill(sizes: &[usize], capacity: usize) -> Vec<usize> {
    // For each sum that can be reached, the last size of one way to it; and the sums that can be, a bit each, as there may be thousands of sizes.
    let mut last: Vec<Option<usize>> = vec![None; capacity + 1];
    let mut reached: Vec<u64> = vec![0; capacity / 64 + 1];
    if let Some(nothing) = reached.first_mut() {
        *nothing = 1;
    }
    for (at, size) in sizes.iter().enumerate().filter(|(_, size)| **size > 0) {
        let (words, bits) = (size / 64, size % 64);
        // From the top, so that no size counts twice.
        for word in (words..reached.len()).rev() {
            let moved = |words: usize| {
                word.checked_sub(words).and_then(|from| reached.get(from)).copied().unwrap_or(0)
            };
            let carried = if bits == 0 { 0 } else { moved(words + 1) >> (64 - bits) };
            let sums = (moved(words) << bits) | carried;
            let Some(known) = reached.get_mut(word) else { continue };
            let mut new = sums & !*known;
            *known |= new;
            while new != 0 {
                let sum = word * 64 + usize::try_from(new.trailing_zeros()).unwrap_or(0);
                if let Some(place) = last.get_mut(sum) {
                    *place = Some(at);
                }
                new &= new - 1;
            }
        }
    }
    let mut chosen = Vec::new();
    let mut sum = (0..=capacity).rev().find(|sum| last.get(*sum).is_some_and(Option::is_some)).unwrap_or(0);
    while let Some(at) = last.get(sum).copied().flatten() {
        chosen.push(at);
        sum -= sizes.get(at).copied().unwrap_or(sum);
    }
    chosen
}

/// The most text in consecutive terms of one qualifier: in such a stretch the order makes no difference.
fn stretch(items: &[Item]) -> Option<(usize, usize, Qualifier)> {
    let mut best: Option<(usize, usize, usize, Qualifier)> = None;
    let mut begin = 0;
    while begin < items.len() {
        let qualifier = items.get(begin).and_then(|item| item.qualifier);
        let same = |item: &&Item| item.qualifier == qualifier;
        let run: Vec<&Item> = items.iter().skip(begin).take_while(same).collect();
        let end = begin + run.len().max(1);
        let length = run.iter().filter(|item| item.moved.is_some()).map(|item| item.text.len()).sum();
        if let Some(qualifier) = qualifier
            && best.is_none_or(|(most, ..)| length > most)
        {
            best = Some((length, begin, end, qualifier));
        }
        begin = end;
    }
    best.map(|(_, begin, end, qualifier)| (begin, end, qualifier))
}

/// The first live term of a stretch that leaves: what stays of those before it stands ahead of the extra records. Where none
/// does, nothing has to.
fn first_live_to_leave(run: &[Item], places: &BTreeMap<usize, usize>) -> usize {
    let is_live = |at: &&usize| run.get(**at).is_some_and(|item| item.kind == Kind::Live);
    places.keys().find(is_live).copied().unwrap_or(0)
}

/// Whether all that stands before a live term does so behind a distribution, too: else an error of that term would come to
/// decide what was decided before it.
fn asks_no_more(run: &[Item], places: &BTreeMap<usize, usize>) -> bool {
    let first = first_live_to_leave(run, places);
    let mut last = None;
    run.iter().enumerate().all(|(at, item)| {
        // Ahead of all extra records, the number of one of them, or behind them all.
        let place = match places.get(&at) {
            Some(extra) => (1, *extra),
            None => (if at < first { 0 } else { 2 }, 0),
        };
        let is_behind = item.kind != Kind::Live || last <= Some(place);
        last = last.max(Some(place));
        is_behind
    })
}

/// The terms that leave, with the extra record that each goes to, and the extra records.
type Distributed = (BTreeMap<usize, usize>, Vec<Vec<String>>);

fn distribute(
    run: &[Item],
    order: &[usize],
    filled: &[usize],
    room: &Room,
    mut left: usize,
    published: Published<'_>,
) -> Option<Distributed> {
    let count = filled.len();
    let mut places = BTreeMap::new();
    let mut extras: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut lengths = vec![VERSION; count];
    let moved = |at: usize| run.get(at).and_then(|item| item.moved.as_deref()).unwrap_or_default();
    let written = |at: usize| run.get(at).map_or(0, |item| 1 + item.text.len());
    let put = |at: usize, extra: usize, lengths: &mut Vec<usize>, extras: &mut Vec<Vec<usize>>| {
        let longer = lengths.get(extra)? + 1 + moved(at).len();
        if !room.fits_extra(longer) {
            return None;
        }
        *lengths.get_mut(extra)? = longer;
        extras.get_mut(extra)?.push(at);
        Some(())
    };
    let mut open: Vec<usize> = Vec::new();
    for at in order {
        let known =
            published.extras.iter().take(count).position(|texts| texts.iter().any(|text| text == moved(*at)));
        match known.and_then(|extra| put(*at, extra, &mut lengths, &mut extras).map(|()| extra)) {
            Some(extra) => {
                places.insert(*at, extra);
                left = left.saturating_sub(written(*at));
            }
            None => open.push(*at),
        }
    }
    // What is left fills one record after the other as well as can be.
    for extra in filled.iter().copied() {
        let all: usize = open.iter().map(|at| written(*at)).sum();
        let (Some(length), true) = (lengths.get(extra), !room.fits_apex(left)) else { continue };
        let free = (room.held_by_extra() + VERSION).saturating_sub(*length);
        let sizes: Vec<usize> = open.iter().map(|at| 1 + moved(*at).len()).collect();
        // Where everything fits, the order of the terms is the better one.
        let is_new = |at: &usize| run.get(*at).is_some_and(|item| published.is_new(item));
        let chosen = if all <= free || !open.iter().all(is_new) {
            (0..open.len()).collect()
        } else {
            fill(&sizes, free)
        };
        for at in chosen.iter().filter_map(|at| open.get(*at)).copied().collect::<Vec<_>>() {
            if !room.fits_apex(left) && put(at, extra, &mut lengths, &mut extras).is_some() {
                places.insert(at, extra);
                left = left.saturating_sub(written(at));
            }
        }
        open.retain(|at| !places.contains_key(at));
    }
    for at in open {
        if room.fits_apex(left) {
            break;
        }
        if let Some(extra) =
            filled.iter().copied().find(|extra| put(at, *extra, &mut lengths, &mut extras).is_some())
        {
            places.insert(at, extra);
            left = left.saturating_sub(written(at));
        }
    }
    if !room.fits_apex(left) || extras.iter().any(Vec::is_empty) {
        return None;
    }
    let texts = |extra: &Vec<usize>| {
        let mut extra = extra.clone();
        extra.sort_unstable();
        extra.into_iter().map(|at| moved(at).to_owned()).collect()
    };
    Some((places, extras.iter().map(texts).collect()))
}

#[cfg(test)]
mod tests {
    use super::{Item, Kind, Packing, Published, Room, fill, pack};
    use crate::spf::Qualifier;

    fn item(text: &str, qualifier: Option<Qualifier>) -> Item {
        let moved = qualifier.map(|_| text.to_owned());
        Item { text: text.to_owned(), moved, qualifier, kind: Kind::Written }
    }

    const ROOM: Room = Room { apex: 60, apex_taken: 12, extra: 60, extra_taken: 12, reference: 20 };

    fn many(count: usize) -> Vec<Item> {
        let nets = (0..count).map(|at| item(&format!("ip4:192.0.2.{at}"), Some(Qualifier::Pass)));
        nets.chain([item("~all", None)]).collect()
    }

    #[test]
    fn what_does_not_fit_goes_to_extra_records() {
        assert!(matches!(pack(&many(2), 0, &ROOM, Published::default()), Packing::Fits(_)));
        assert!(matches!(pack(&many(3), 0, &ROOM, Published::default()), Packing::Never));
        let Packing::Fits(ways) = pack(&many(3), 1, &ROOM, Published::default()) else {
            panic!("three fit into two records")
        };
        assert_eq!(ways[0].extras, [["ip4:192.0.2.0", "ip4:192.0.2.1"]]);
        assert_eq!(ways[0].apex, [None, Some("ip4:192.0.2.2".to_owned()), Some("~all".to_owned())]);
        assert!(matches!(pack(&many(9), 1, &ROOM, Published::default()), Packing::Never));
    }

    /// Beside all subsets of some sizes.
    #[test]
    fn nothing_fills_better() {
        let mut state = 7_u64;
        for _ in 0..300 {
            let mut next = |most: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                usize::try_from((state >> 33) % most).unwrap()
            };
            let sizes: Vec<usize> = (0..next(12)).map(|_| 1 + next(150)).collect();
            let capacity = next(500);
            let sum = |of: u32| -> usize {
                sizes.iter().enumerate().filter(|(at, _)| of >> at & 1 == 1).map(|(_, size)| size).sum()
            };
            let best = (0..1_u32 << sizes.len()).map(sum).filter(|sum| *sum <= capacity).max();
            let chosen = fill(&sizes, capacity);
            let distinct: std::collections::BTreeSet<usize> = chosen.iter().copied().collect();
            assert_eq!(distinct.len(), chosen.len());
            assert_eq!(Some(chosen.iter().map(|at| sizes[*at]).sum()), best, "{sizes:?} {capacity}");
        }
    }

    /// Beside all ways to distribute a few terms, which are shorter in extra records by up to two octets.
    #[test]
    fn what_can_be_distributed_is_never_ruled_out() {
        let mut state = 11_u64;
        let mut next = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((state >> 33) % most).unwrap()
        };
        let mut seen = [0, 0];
        for _ in 0..4_000 {
            let items: Vec<Item> = (0..=next(6))
                .map(|_| {
                    let moved = "m".repeat(4 + next(24));
                    let kind = [Kind::Live, Kind::Own, Kind::Written][next(3)];
                    let text = "+".repeat(next(3)) + &moved;
                    Item { text, moved: Some(moved), qualifier: Some(Qualifier::Pass), kind }
                })
                .collect();
            let room = Room {
                apex: 30 + next(60),
                apex_taken: 3,
                extra: 12 + next(60),
                extra_taken: 3,
                reference: 2 + next(6),
            };
            let count = 1 + next(2);
            let may_fit = (0..(count + 1).pow(u32::try_from(items.len()).unwrap())).any(|choice| {
                let mut lengths = vec![super::VERSION; count + 1];
                lengths[0] += count * room.reference;
                let mut rest = choice;
                for item in &items {
                    let place = rest % (count + 1);
                    rest /= count + 1;
                    lengths[place] += if place == 0 { 1 + item.text.len() } else { item.moved_octets() };
                }
                let fits = |length: &usize| *length > super::VERSION && room.fits_extra(*length);
                room.fits_apex(lengths[0]) && lengths[1..].iter().all(fits)
            });
            match pack(&items, count, &room, Published::default()) {
                Packing::Never => assert!(!may_fit, "{items:?} {room:?} {count}"),
                Packing::Fits(_) => assert!(may_fit, "{items:?} {room:?} {count}"),
                Packing::Unknown => {}
            }
            seen[usize::from(may_fit)] += 1;
        }
        assert!(seen.iter().all(|seen| *seen > 400), "{seen:?}");
    }

    #[test]
    fn what_is_published_stays_where_it_is() {
        let published = [Vec::new(), vec!["ip4:192.0.2.2".to_owned()]];
        let Packing::Fits(ways) = pack(&many(3), 1, &ROOM, Published::new(&published)) else {
            panic!("they fit")
        };
        assert_eq!(ways[0].extras, [["ip4:192.0.2.0", "ip4:192.0.2.2"]]);
    }
}
