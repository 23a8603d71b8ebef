//! `spf compact` beside every record that might do: never worse, and as good where all of its candidates are tried.

#![expect(clippy::print_stdout, reason = "what occurred how often belongs to the result")]
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use asked::Asked;
use sendershift::dns::Snapshot;
use sendershift::spf::{Compacted, compact};
use sendershift_tests::on_all_cores;
use sendershift_tests::oracle::evaluate::{Found, Limits, check, explore};
use sendershift_tests::oracle::read;
use sendershift_tests::oracle::rewrite::{Candidate, Item};
use sendershift_tests::oracle::tree::{Client, Domain, Name, Tree, record};
use sendershift_tests::oracle::{Outcome, World};

#[path = "asked.rs"]
mod asked;

/// Drawn cases where `SENDERSHIFT_REWRITE_CASES` says nothing.
const CASES: u64 = 1_500;

/// Cases that were once judged wrongly.
const ONCE_WRONG: [u64; 5] = [7_713, 15_149, 903_361, 1_005_707, 137_964_406_222_497];

/// Worlds of one address; where there are more, the case is left out.
const MOST_WORLDS: usize = 3_000;

/// A limit that nothing comes to.
const LIFTED: u32 = 10_000;

fn limits(lookups: u32, voids: u32) -> Limits {
    Limits { lookups, written: false, voids, queries: false, mx_names: 10.max(voids), mx_addresses: u32::MAX }
}

/// What is made small, in this order; where there are extra records, the last two are not compared, as a rule says which terms
/// stand there.
type Objective = (usize, usize, usize, usize);

/// The names and the texts of records, the domain's first.
type Rewritten = Vec<(String, String)>;

/// What the oracle says.
enum Best {
    Is(Objective, Vec<String>),
    /// No candidate does.
    None,
    /// There are too many.
    Unknown,
}

struct Trial {
    seed: u64,
    asked: Asked,
}

impl Trial {
    /// Whether some client comes to an error: what ends in permerror does so within limits and beyond, and so very much may
    /// stand for a record that always does.
    fn is_broken(&self) -> bool {
        Client::all().any(|client| {
            let outcome =
                |world: &World| Ok(check(&self.asked.tree, client, &limits(LIFTED, LIFTED), world)?.outcome);
            let found = explore(MOST_WORLDS, outcome);
            found.is_none_or(|found| found.iter().any(|(_, outcome)| *outcome == Outcome::PermError))
        })
    }

    fn told(&self, found: &Compacted) -> String {
        format!(
            "seed {}: {} lookups, {:?} octets, {:?}\n{}\nbecomes {:?}\n{:?}",
            self.seed,
            self.asked.lookups,
            self.asked.octets,
            self.asked.wish,
            self.asked.tree.snapshot(),
            texts(found),
            found.proof,
        )
    }

    /// The tree with records in place of the record and beside it.
    fn with(&self, records: &[(String, String)]) -> Tree {
        let mut new = self.asked.tree.clone();
        let first = new.domains.len() + 20;
        new.domains.resize(first, Domain::Nothing);
        let extras: Vec<(String, usize)> =
            records.iter().skip(1).enumerate().map(|(at, (name, _))| (name.clone(), first + at)).collect();
        for (at, (_, text)) in records.iter().enumerate() {
            let record = Domain::Record(read::record(text, &extras));
            match new.domains.first_mut() {
                Some(root) if at == 0 => *root = record,
                _ => new.domains.push(record),
            }
        }
        new
    }

    /// Whether a tree says the same for every client in every world, within the limits, and asks about no name that was not
    /// asked about before: an error there would be new. None where there are too many worlds.
    fn is_valid(&self, new: &Tree) -> Option<bool> {
        for client in Client::all() {
            let both = explore(MOST_WORLDS, |world: &World| {
                let before = check(&self.asked.tree, client, &limits(LIFTED, LIFTED), world)?;
                let after = check(new, client, &limits(LIFTED, LIFTED), world)?;
                let actual = check(new, client, &limits(self.asked.lookups, 2), world)?;
                Ok(before.outcome == after.outcome
                    && actual.outcome == after.outcome
                    && asks_no_more(&before, &after, self.asked.tree.domains.len()))
            });
            if both?.iter().any(|(_, is_same)| !is_same) {
                return Some(false);
            }
        }
        Some(true)
    }

    /// The best of all candidates.
    fn best(&self, room: usize) -> Best {
        let published = match self.asked.tree.domains.first() {
            Some(Domain::Record(terms)) => record(terms),
            _ => return Best::Unknown,
        };
        // What is frozen by candidates that were not looked at.
        let mut unknown_from = usize::MAX;
        let mut open: Vec<(Objective, Vec<Rewritten>)> = Vec::new();
        for Candidate { frozen, items } in self.asked.tree.candidates(&self.asked.wish) {
            let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
            let text = joined(&texts);
            if wire(APEX, text.len()) <= room {
                let changed = difference(&published, &text);
                let records = vec![(APEX.to_owned(), text.clone())];
                open.push(((frozen, 0, changed, text.len()), vec![records]));
                continue;
            }
            for count in 1..=2 {
                let Some(spread) = spread(&items, count, room) else {
                    unknown_from = unknown_from.min(frozen);
                    break;
                };
                if !spread.is_empty() {
                    open.push(((frozen, count, 0, 0), spread));
                }
            }
        }
        open.sort();
        for (objective, ways) in open {
            if objective.0 >= unknown_from {
                return Best::Unknown;
            }
            for records in ways {
                if records.iter().any(|(_, text)| divides_what_is_outside(text)) {
                    return Best::Unknown;
                }
                match self.is_valid(&self.with(&records)) {
                    Some(true) => {
                        return Best::Is(objective, records.into_iter().map(|(_, text)| text).collect());
                    }
                    Some(false) => {}
                    None => return Best::Unknown,
                }
            }
        }
        if unknown_from == usize::MAX { Best::None } else { Best::Unknown }
    }
}

/// Whether a client comes to no name that it did not come to before, but for extra records: they are behind the `known` domains.
fn asks_no_more(before: &Found, after: &Found, known: usize) -> bool {
    let is_extra = |name: &Option<Name>| matches!(name, Some(Name::Domain(n)) if *n >= known);
    after.asked.iter().all(|name| is_extra(name) || before.asked.contains(name))
}

const APEX: &str = "d0.example";

fn extra(number: usize) -> String {
    format!("_spf{number}-1.{APEX}")
}

/// Octets of a name and of one text in wire form.
fn wire(name: &str, text: usize) -> usize {
    name.len() + 2 + text + text.div_ceil(255).max(1)
}

fn joined(terms: &[&str]) -> String {
    [&["v=spf1"], terms].concat().join(" ")
}

/// Terms that are in one text and not in the other.
fn difference(old: &str, new: &str) -> usize {
    let mut balance: BTreeMap<&str, i32> = BTreeMap::new();
    for word in old.split(' ').skip(1) {
        *balance.entry(word).or_default() += 1;
    }
    for word in new.split(' ').skip(1) {
        *balance.entry(word).or_default() -= 1;
    }
    balance.values().map(|count| usize::try_from(count.unsigned_abs()).unwrap()).sum()
}

/// Some ways to put terms of the longest stretch into extra records; none where there are too many to look at.
fn spread(items: &[Item], count: usize, room: usize) -> Option<Vec<Rewritten>> {
    let qualifier = |item: &Item| item.moved.as_ref().map(|(qualifier, _)| *qualifier);
    let stretches: Vec<&[Item]> = items.chunk_by(|one, other| qualifier(one) == qualifier(other)).collect();
    let octets = |stretch: &[Item]| stretch.iter().map(|item| item.text.len()).sum::<usize>();
    let may = |stretch: &&[Item]| stretch.iter().all(|item| item.moved.is_some());
    let most = stretches.iter().copied().filter(may).map(octets).max().unwrap_or(0);
    let mut ways = Vec::new();
    let mut begin = 0;
    for stretch in stretches {
        let end = begin + stretch.len();
        if may(&stretch) && octets(stretch) == most {
            let all = (count + 1).checked_pow(u32::try_from(stretch.len()).unwrap())?;
            if all > 70_000 {
                return None;
            }
            let (before, after) = (items.get(..begin)?, items.get(end..)?);
            // Which live terms leave is a rule, and where they stand makes a difference: here they stay.
            let is_net = |item: &Item| {
                ["ip4:", "ip6:"]
                    .iter()
                    .any(|kind| item.moved.as_ref().is_some_and(|(_, text)| text.starts_with(kind)))
            };
            let prefix = stretch.first().and_then(qualifier).filter(|one| *one != '+');
            for choice in 0..all {
                let stays =
                    |at: usize| choice / (count + 1).pow(u32::try_from(at).unwrap()) % (count + 1) == 0;
                if !stretch.iter().enumerate().all(|(at, item)| is_net(item) || stays(at)) {
                    continue;
                }
                let place = |at: usize| choice / (count + 1).pow(u32::try_from(at).unwrap()) % (count + 1);
                let of = |extra: usize| {
                    stretch
                        .iter()
                        .enumerate()
                        .filter(move |(at, _)| place(*at) == extra)
                        .map(|(_, item)| item)
                };
                let references = (1..=count)
                    .map(|number| prefix.into_iter().collect::<String>() + "include:" + &extra(number));
                let apex: Vec<String> = before
                    .iter()
                    .map(|item| item.text.clone())
                    .chain(references)
                    .chain(of(0).chain(after).map(|item| item.text.clone()))
                    .collect();
                let apex: Vec<&str> = apex.iter().map(String::as_str).collect();
                let apex = joined(&apex);
                let extras: Vec<String> = (1..=count)
                    .map(|extra| {
                        let terms: Vec<&str> =
                            of(extra).filter_map(|item| Some(item.moved.as_ref()?.1.as_str())).collect();
                        joined(&terms)
                    })
                    .collect();
                let fits = |(at, text): (usize, &String)| {
                    text != "v=spf1" && wire(&extra(at + 1), text.len()) <= room.min(450)
                };
                if wire(APEX, apex.len()) <= room && extras.iter().enumerate().all(fits) {
                    let extras = extras.into_iter().enumerate().map(|(at, text)| (extra(at + 1), text));
                    ways.push(std::iter::once((APEX.to_owned(), apex)).chain(extras).collect());
                    if ways.len() == 20 {
                        return Some(ways);
                    }
                }
            }
        }
        begin = end;
    }
    Some(ways)
}

fn texts(compacted: &Compacted) -> Rewritten {
    let of = |rrset: &sendershift::spf::RrSetDocument| {
        (rrset.name.to_string(), rrset.records.first().map(sendershift::dns::Txt::text).unwrap_or_default())
    };
    compacted.records.iter().map(of).collect()
}

/// Whether a network holds some of what is outside of the small space: one client stands for all of that.
fn divides_what_is_outside(text: &str) -> bool {
    text.split(' ').any(|word| {
        let word = word.trim_start_matches(['-', '~', '?']);
        let small = if word.starts_with("ip4:") { 1..28 } else { 1..124 };
        let length = word.starts_with("ip").then(|| word.split_once('/')).flatten();
        length.is_some_and(|(_, length)| length.parse().is_ok_and(|length: u8| small.contains(&length)))
    })
}

#[derive(Default)]
struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }
}

/// Judges what is proposed.
///
/// # Errors
///
/// What is wrong with it, in words.
fn judge(trial: &Trial, tally: &mut Tally) -> Result<(), String> {
    tally.count("cases");
    let evidence = Snapshot::from_json(&trial.asked.tree.snapshot()).unwrap();
    let Ok(found) = compact(&evidence, &asked::subject(), &trial.asked.request()) else {
        tally.count("refused");
        return Ok(());
    };
    let is_proven = found.proof.minimal == "proven";
    if !found.records.is_empty() {
        match trial.is_valid(&trial.with(&texts(&found))) {
            Some(true) => {}
            Some(false) => {
                return Err(format!("it says something else, or asks about more: {}", trial.told(&found)));
            }
            None => {
                tally.count("too many worlds");
                return Ok(());
            }
        }
    }
    if found.unchanged {
        tally.count("unchanged");
        return Ok(());
    }
    if trial.is_broken() {
        if is_proven || found.proof.bound.frozen > 0 {
            return Err(format!("a claim about a record with errors: {}", trial.told(&found)));
        }
        tally.count("broken: not compared");
        return Ok(());
    }
    let room = found.before.octets.max(450).min(trial.asked.octets.unwrap_or(usize::MAX));
    let Some(objective) = found.proof.objective else {
        tally.count(if is_proven { "infeasible, proven" } else { "infeasible, not proven" });
        match trial.best(room) {
            Best::Is(..) if !is_proven => tally.count("infeasible, not proven, and a candidate fits"),
            Best::Is(objective, texts) => {
                return Err(format!("{objective:?} {texts:?} fits: {}", trial.told(&found)));
            }
            Best::None => tally.count("infeasible, and no candidate fits"),
            Best::Unknown => tally.count("infeasible, too many candidates"),
        }
        return Ok(());
    };
    if !found.idle.is_empty() {
        tally.count("rewritten, without terms that decide nothing");
    }
    tally.count(if is_proven { "rewritten, proven" } else { "rewritten, not proven" });
    if objective.extra_records > 0 {
        tally.count("rewritten, with extra records");
    }
    let ours = (objective.frozen, objective.extra_records, objective.changed_terms, objective.octets);
    match trial.best(room) {
        Best::Is(theirs, best) => {
            let is_plain = ours.1 == 0 && theirs.1 == 0;
            let ours = if is_plain { ours } else { (ours.0, ours.1, 0, 0) };
            let theirs = if is_plain { theirs } else { (theirs.0, theirs.1, 0, 0) };
            // The rule may put live terms there, which the oracle leaves where they are.
            let is_net = |word: &str| ["v=spf1", "ip4:", "ip6:"].iter().any(|kind| word.starts_with(kind));
            let ours_are_nets = texts(&found).iter().skip(1).all(|(_, text)| text.split(' ').all(is_net));
            if ours == theirs {
                tally.count("rewritten, as good as the best candidate");
            } else if ours < theirs && !ours_are_nets {
                tally.count("rewritten, better as live terms stand in extra records");
            } else if ours > theirs && !is_proven {
                // Where questions are shared, the search takes the worst for granted that they can do together.
                tally.count("rewritten, not proven, and worse than the best candidate");
            } else {
                let word = if ours > theirs { "worse" } else { "better" };
                return Err(format!("{ours:?} is {word} than {theirs:?} {best:?}: {}", trial.told(&found)));
            }
        }
        Best::None if objective.extra_records > 0 => {
            tally.count("rewritten, better as live terms stand in extra records");
        }
        Best::None => return Err(format!("no candidate fits: {}", trial.told(&found))),
        Best::Unknown => tally.count("rewritten, too many candidates"),
    }
    Ok(())
}

#[test]
fn no_candidate_is_better() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let first = number("PROPTEST_RNG_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    let cases = number("SENDERSHIFT_REWRITE_CASES").unwrap_or(CASES);
    let done = on_all_cores(&(first..first + cases).chain(ONCE_WRONG), |seeds| {
        let (mut tally, mut wrong) = (Tally::default(), Vec::new());
        for seed in seeds {
            let trial = Trial { seed, asked: Asked::drawn(seed) };
            wrong.extend(judge(&trial, &mut tally).err());
        }
        (tally, wrong)
    });
    let (mut all, mut wrong) = (Tally::default(), Vec::new());
    for (tally, more) in done {
        for (what, count) in tally.0 {
            *all.0.entry(what).or_default() += count;
        }
        wrong.extend(more);
    }
    println!("from seed {first}");
    for (what, count) in &all.0 {
        println!("{count:7} {what}");
    }
    assert_eq!(wrong.len(), 0, "{}", wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n\n"));
    for what in [
        "unchanged",
        "rewritten, proven",
        "rewritten, not proven",
        "rewritten, with extra records",
        "rewritten, as good as the best candidate",
        "infeasible, proven",
        "infeasible, and no candidate fits",
    ] {
        assert!(all.of(what) * 200 > all.of("cases"), "{what}: too few");
    }
    for what in ["infeasible, too many candidates", "rewritten, too many candidates", "too many worlds"] {
        assert!(all.of(what) * 33 < all.of("cases"), "{what}: too many");
    }
    let worse = "rewritten, not proven, and worse than the best candidate";
    assert!(all.of(worse) * 500 < all.of("cases"), "{worse}: too many");
}
