//! Drawn trees, and what `compact` is asked about them.

use std::collections::BTreeSet;

use sendershift::spf::{CompactRequest, Subject};
use sendershift_tests::oracle::draw::Draw;
use sendershift_tests::oracle::rewrite::Wish;
use sendershift_tests::oracle::tree::{Domain, Mechanism, Name, Term, Tree};

/// What is drawn, and what is asked of it.
pub(crate) struct Asked {
    pub(crate) tree: Tree,
    pub(crate) lookups: u32,
    pub(crate) octets: Option<usize>,
    pub(crate) wish: Wish,
}

/// The domain whose record it is about.
pub(crate) fn subject() -> Subject {
    Subject::parse("d0.example", None).unwrap()
}

impl Asked {
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let tree = draw.orderly();
        // Mostly fewer than the record needs.
        let lookups = u32::try_from((draw.below(5) + draw.below(3)).saturating_sub(1)).unwrap();
        let octets = draw.percent(35).then(|| 50 + draw.below(90));
        let mut wish = Wish::default();
        if draw.percent(25) {
            for n in 1..tree.domains.len() {
                match draw.below(6) {
                    0 => wish.keep.insert(n),
                    1 => wish.flatten.insert(n),
                    _ => continue,
                };
            }
            wish.hosts.extend((0..tree.hosts.len()).filter(|_| draw.percent(30)));
        }
        let mut asked = Self { tree, lookups, octets, wish };
        asked.wish_for_what_is_there();
        asked
    }

    /// What nothing refers to cannot be asked for.
    fn wish_for_what_is_there(&mut self) {
        let (mut domains, mut hosts) = (BTreeSet::new(), BTreeSet::new());
        let mut open = vec![0];
        while let Some(n) = open.pop() {
            let Some(Domain::Record(terms)) = self.tree.domains.get(n) else { continue };
            let has_all = terms.iter().any(|term| matches!(term, Term::Directive(_, Mechanism::All)));
            for term in terms {
                match term {
                    Term::Directive(_, Mechanism::Include(Name::Domain(n))) => {
                        domains.insert(*n).then(|| open.push(*n))
                    }
                    Term::Redirect(Name::Domain(n)) if !has_all => domains.insert(*n).then(|| open.push(*n)),
                    Term::Directive(_, Mechanism::A(Name::Host(host), ..)) => {
                        hosts.insert(*host).then_some(())
                    }
                    _ => None,
                };
            }
        }
        self.wish.keep.retain(|n| domains.contains(n));
        self.wish.flatten.retain(|n| domains.contains(n));
        self.wish.hosts.retain(|host| hosts.contains(host));
    }

    /// The request.
    pub(crate) fn request(&self) -> CompactRequest {
        let named = |letter: char, numbers: &BTreeSet<usize>| {
            let name = |n: &usize| format!("{letter}{n}.example").parse().unwrap();
            numbers.iter().map(name).collect::<Vec<_>>()
        };
        CompactRequest {
            reserve: 10 - self.lookups,
            octets: self.octets,
            keep: named('d', &self.wish.keep),
            flatten: [named('d', &self.wish.flatten), named('h', &self.wish.hosts)].concat(),
            ..CompactRequest::default()
        }
    }
}
