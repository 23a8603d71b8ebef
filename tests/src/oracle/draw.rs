//! Random trees.

#![expect(clippy::indexing_slicing, reason = "places are drawn within the list")]

use super::tree::{Answered, Domain, Host, Mechanism, Name, Term, Tree};

/// Numbers that look random, the same for the same seed (`SplitMix64`, Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub struct Draw(u64);

const DOMAINS: usize = 6;
const HOSTS: usize = 5;
const EXCHANGES: usize = 3;

impl Draw {
    /// Numbers from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(self.next() % limit).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn nibble(&mut self) -> u8 {
        u8::try_from(self.below(16)).unwrap_or(0)
    }

    /// How many of the last four bits count; mostly all.
    fn bits(&mut self) -> u8 {
        self.of(&[0, 1, 2, 2, 3, 3, 4, 4, 4])
    }

    fn answered<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Answered<T> {
        match self.below(20) {
            0 => Answered::Failed,
            1..=6 => Answered::Absent,
            7 => Answered::Records((0..11).map(|_| one(self)).collect()),
            _ => {
                let count = 1 + self.below(3);
                Answered::Records((0..count).map(|_| one(self)).collect())
            }
        }
    }

    /// A tree.
    pub fn tree(&mut self) -> Tree {
        // Most trees are shallow, so that most evaluations get somewhere.
        let domains = (0..DOMAINS)
            .map(|n| match self.below(30) {
                0 if n > 0 => Domain::Nothing,
                1 if n > 0 => Domain::Other,
                2 if n > 0 => Domain::Several,
                3 => Domain::Invalid,
                4 => Domain::Failed,
                5 if n == 0 && self.percent(50) => Domain::Nothing,
                _ => Domain::Record(self.record(n)),
            })
            .collect();
        let address = |hosts: Answered<u8>| match hosts {
            // One RRset holds each address once.
            Answered::Records(mut hosts) => {
                hosts.sort_unstable();
                hosts.dedup();
                Answered::Records(hosts)
            }
            other => other,
        };
        let hosts = (0..HOSTS)
            .map(|_| Host {
                a: address(self.answered(Self::nibble)),
                aaaa: address(self.answered(Self::nibble)),
            })
            .collect();
        let exchange = |hosts: Answered<usize>| match hosts {
            // Eleven different hosts need eleven names: those beyond the hosts that there are do not exist.
            Answered::Records(hosts) if hosts.len() > 10 => Answered::Records((0..11).collect()),
            Answered::Records(mut hosts) => {
                hosts.sort_unstable();
                hosts.dedup();
                Answered::Records(hosts)
            }
            other => other,
        };
        let exchanges =
            (0..EXCHANGES).map(|_| exchange(self.answered(|draw| draw.below(HOSTS + 2)))).collect();
        Tree { domains, hosts, exchanges }
    }

    /// A record of the domain with that number.
    pub fn record(&mut self, n: usize) -> Vec<Term> {
        let count = self.below(6);
        let mut terms: Vec<Term> = (0..count).map(|_| self.term(n)).collect();
        if self.percent(10) {
            // Limits are met by records that repeat themselves.
            let term = self.term(n);
            let times = 2 + self.below(10);
            terms.extend(vec![term; times]);
        }
        if self.percent(55) {
            terms.push(Term::Directive(self.of(&['-', '-', '~', '?', '+']), Mechanism::All));
        }
        if self.percent(5) {
            terms.push(self.term(n));
        }
        if self.percent(20) {
            let name = if self.percent(5) { Name::Message("%{i}", 9) } else { self.domain(n) };
            let at = self.below(terms.len() + 1);
            terms.insert(at, Term::Redirect(name));
        }
        terms
    }

    /// Another domain; mostly a later one, or every tree would be a loop.
    fn domain(&mut self, n: usize) -> Name {
        match self.below(20) {
            0 => Name::Domain(self.below(DOMAINS)),
            1 if self.percent(40) => Name::Current,
            _ => Name::Domain((n + 1 + self.below(DOMAINS - 1)).min(DOMAINS + 1 - self.below(3))),
        }
    }

    fn message(&mut self) -> Name {
        let text = self.of(&["%{i}", "%{i}", "%{ir}", "%{v}", "%{l}"]);
        if self.percent(25) { Name::MessageCurrent(text) } else { Name::Message(text, self.below(2)) }
    }

    /// A term of the domain with that number.
    pub fn term(&mut self, n: usize) -> Term {
        let qualifier = self.of(&['+', '+', '+', '+', '-', '~', '?']);
        let mechanism = match self.below(40) {
            0..=10 => Mechanism::Ip4(self.nibble(), self.bits()),
            11..=17 => Mechanism::Ip6(self.nibble(), self.bits()),
            18..=25 => Mechanism::Include(self.domain(n)),
            26..=28 => Mechanism::A(Name::Host(self.below(HOSTS + 2)), self.bits(), self.bits()),
            29..=30 => Mechanism::Mx(Name::Mx(self.below(EXCHANGES + 1)), self.bits(), self.bits()),
            31 => Mechanism::Exists(Name::Host(self.below(HOSTS + 2))),
            32 => Mechanism::Exists(Name::BelowCurrent),
            33..=36 => Mechanism::Exists(self.message()),
            37 => Mechanism::Ptr(self.below(2)),
            38 if self.percent(50) => Mechanism::Include(Name::Message("%{i}", self.below(2))),
            38 => Mechanism::A(Name::Message("%{i}", 5), 4, 4),
            _ if self.percent(30) => Mechanism::Mx(Name::Message("%{i}", 7), 4, 4),
            _ => Mechanism::Ip4(self.nibble(), 4),
        };
        Term::Directive(qualifier, mechanism)
    }

    /// A tree as it should be: nothing fails or leads back, and little is missing.
    pub fn orderly(&mut self) -> Tree {
        let count = 3 + self.below(4);
        let domains = (0..count).map(|n| Domain::Record(self.orderly_record(n, count))).collect();
        let hosts = (0..HOSTS)
            .map(|_| {
                let mut addresses = || match self.below(6) {
                    0 => Answered::Absent,
                    more => Answered::Records((0..=more / 5).map(|_| self.nibble()).collect()),
                };
                Host { a: addresses(), aaaa: addresses() }
            })
            .collect();
        let exchanges = (0..EXCHANGES).map(|n| Answered::Records(vec![n])).collect();
        Tree { domains, hosts, exchanges }
    }

    fn orderly_record(&mut self, n: usize, count: usize) -> Vec<Term> {
        let most = if n == 0 { 6 } else { 4 };
        let mut terms: Vec<Term> = (0..=self.below(most)).map(|_| self.orderly_term(n, count)).collect();
        let redirects = n + 1 < count && self.percent(12);
        if redirects {
            terms.push(Term::Redirect(self.later(n, count)));
        } else if self.percent(85) {
            let qualifier = if self.percent(12) { '+' } else { self.of(&['-', '-', '~', '~', '?']) };
            terms.push(Term::Directive(qualifier, Mechanism::All));
        }
        terms
    }

    fn later(&mut self, n: usize, count: usize) -> Name {
        // A few are missing.
        if self.percent(1) {
            return Name::Domain(count);
        }
        Name::Domain(n + 1 + self.below(count.saturating_sub(n + 1)))
    }

    fn orderly_term(&mut self, n: usize, count: usize) -> Term {
        let qualifier = self.of(&['+', '+', '+', '+', '+', '+', '+', '-', '~', '?']);
        let mechanism = match self.below(40) {
            0..=15 if n + 1 < count => Mechanism::Include(self.later(n, count)),
            0..=5 | 16..=28 => Mechanism::Ip4(self.nibble(), self.of(&[1, 2, 3, 3, 4, 4, 4])),
            6..=15 | 29..=32 => Mechanism::Ip6(self.nibble(), self.of(&[1, 2, 3, 3, 4, 4, 4])),
            33..=34 => Mechanism::Exists(Name::Message("%{i}", self.below(3))),
            35 => Mechanism::Exists(Name::MessageCurrent("%{i}")),
            36..=37 => Mechanism::A(Name::Host(self.below(HOSTS)), 4, 4),
            38 => Mechanism::Mx(Name::Mx(self.below(EXCHANGES)), 4, 4),
            _ => Mechanism::Ptr(self.below(2)),
        };
        Term::Directive(qualifier, mechanism)
    }

    /// A record with one small change, as people and programs make them.
    pub fn changed(&mut self, tree: &Tree, terms: &[Term]) -> Vec<Term> {
        let mut terms = terms.to_vec();
        if terms.is_empty() {
            return vec![self.term(0)];
        }
        let at = self.below(terms.len());
        match self.below(8) {
            0 => {
                terms.remove(at);
            }
            1 => {
                let next = (at + 1) % terms.len();
                terms.swap(at, next);
            }
            2 if !matches!(terms[at], Term::Redirect(_)) => terms.push(terms[at]),
            3 | 4 => flatten(tree, &mut terms, at),
            5 => {
                if let Term::Directive(qualifier, _) = &mut terms[at] {
                    *qualifier = self.of(&['+', '-', '~', '?']);
                }
            }
            6 => terms.insert(at, self.term(0)),
            _ => {}
        }
        // Two redirects are an error of syntax.
        let mut redirects = 0;
        terms.retain(|term| {
            redirects += usize::from(matches!(term, Term::Redirect(_)));
            !matches!(term, Term::Redirect(_)) || redirects < 2
        });
        terms
    }
}

/// Puts the terms of an included record in the place of the include, as careless programs do.
fn flatten(tree: &Tree, terms: &mut Vec<Term>, at: usize) {
    let Some(Term::Directive(_, Mechanism::Include(Name::Domain(n)))) = terms.get(at) else { return };
    let Some(Domain::Record(inner)) = tree.domains.get(*n) else { return };
    let inner = inner
        .iter()
        .filter(|term| matches!(term, Term::Directive(_, mechanism) if *mechanism != Mechanism::All));
    let inner: Vec<Term> = inner.copied().collect();
    terms.splice(at..=at, inner);
}
