//! `check_host()`, one client and one world at a time.

use std::collections::BTreeSet;

use super::tree::{Answered, Client, Domain, Mechanism, Name, Term, Tree, VERSION, has_version};
use super::{Answer, Kind, Outcome, Question, World};

/// The limits of a receiver.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Lookups.
    pub lookups: u32,
    /// Whether all terms of a record count when it is entered.
    pub written: bool,
    /// Void lookups.
    pub voids: u32,
    /// Whether every void query counts, and not every term with one.
    pub queries: bool,
    /// Hosts of an `mx`.
    pub mx_names: u32,
    /// Addresses of one such host.
    pub mx_addresses: u32,
}

/// What an evaluation found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The result.
    pub outcome: Outcome,
    /// What was met on the way.
    pub met: BTreeSet<&'static str>,
    /// The names that were asked about: that of the record, and those of its terms; none is the reverse mapping. An error of any of them would have
    /// been the result.
    pub asked: BTreeSet<Option<Name>>,
}

enum Stop {
    Ends(Outcome),
    Asks(Question),
}

/// Every world that makes a difference, with what is found in it; `None` where there are more than `most`.
pub fn explore<T>(most: usize, find: impl Fn(&World) -> Result<T, Question>) -> Option<Vec<(World, T)>> {
    let (mut open, mut found) = (vec![World::new()], Vec::new());
    while let Some(world) = open.pop() {
        match find(&world) {
            Ok(value) => found.push((world, value)),
            Err(question) => {
                for answer in question.answers() {
                    let mut next = world.clone();
                    next.insert(question.clone(), answer);
                    open.push(next);
                }
            }
        }
        if open.len() + found.len() > most {
            return None;
        }
    }
    Some(found)
}

/// The result for a client in a world, or what the world does not say.
///
/// # Errors
///
/// The question that the world has no answer to.
pub fn check(tree: &Tree, client: Client, limits: &Limits, world: &World) -> Result<Found, Question> {
    let mut run = Run {
        tree,
        client,
        limits,
        world,
        lookups: 0,
        voids: 0,
        term_is_void: false,
        stack: Vec::new(),
        met: BTreeSet::new(),
        asked: BTreeSet::from([Some(Name::Domain(0))]),
    };
    match run.domain(0) {
        Ok(outcome) | Err(Stop::Ends(outcome)) => Ok(Found { outcome, met: run.met, asked: run.asked }),
        Err(Stop::Asks(question)) => Err(question),
    }
}

struct Run<'a> {
    tree: &'a Tree,
    client: Client,
    limits: &'a Limits,
    world: &'a World,
    lookups: u32,
    voids: u32,
    term_is_void: bool,
    stack: Vec<usize>,
    met: BTreeSet<&'static str>,
    asked: BTreeSet<Option<Name>>,
}

const PERM: Stop = Stop::Ends(Outcome::PermError);
const TEMP: Stop = Stop::Ends(Outcome::TempError);

impl Run<'_> {
    fn domain(&mut self, n: usize) -> Result<Outcome, Stop> {
        let terms = match self.tree.domains.get(n) {
            Some(Domain::Record(terms)) => terms,
            Some(Domain::Nothing | Domain::Other) | None => return Ok(Outcome::None),
            Some(Domain::Several | Domain::Invalid) => return Err(PERM),
            Some(Domain::Failed) => return Err(self.failed()),
        };
        let all = terms.iter().position(|term| matches!(term, Term::Directive(_, Mechanism::All)));
        if self.limits.written {
            let counts = |(at, term): &(usize, &Term)| match term {
                Term::Redirect(_) => all.is_none(),
                Term::Directive(_, mechanism) if mechanism.is_free() => false,
                Term::Directive(..) => all.is_none_or(|all| *at < all),
            };
            for _ in terms.iter().enumerate().filter(counts) {
                self.lookup()?;
            }
        }
        self.stack.push(n);
        let outcome = self.record(n, terms, all.is_some())?;
        self.stack.pop();
        Ok(outcome)
    }

    fn record(&mut self, n: usize, terms: &[Term], has_all: bool) -> Result<Outcome, Stop> {
        if has_all && terms.iter().any(|term| matches!(term, Term::Redirect(_))) {
            self.met.insert("redirect beside all");
        }
        for term in terms {
            let Term::Directive(qualifier, mechanism) = term else { continue };
            self.term_is_void = false;
            if self.matches(n, *qualifier, mechanism)? {
                if self.stack.len() > 1 && *qualifier != '+' && *mechanism != Mechanism::All {
                    self.met.insert("negative term in an include");
                    if self.stack.len() > 2 {
                        self.met.insert("nested negative term");
                    }
                }
                return Ok(match qualifier {
                    '-' => Outcome::Fail,
                    '~' => Outcome::SoftFail,
                    '?' => Outcome::Neutral,
                    _ => Outcome::Pass,
                });
            }
        }
        for term in terms {
            let Term::Redirect(name) = term else { continue };
            // An `all` matches whatever comes to it, so there is none here (section 6.1).
            debug_assert!(!has_all, "somebody came past `all`");
            self.met.insert("redirect without all");
            self.term_is_void = false;
            self.count_evaluated()?;
            self.asked.insert(Some(name.at(n)));
            if name.is_open() {
                let answer = self.ask("redirect", name.written_at(n))?;
                self.spend(answer)?;
                return match answer.kind {
                    Kind::Result(outcome @ (Outcome::TempError | Outcome::PermError)) => {
                        Err(Stop::Ends(outcome))
                    }
                    Kind::Result(outcome) => Ok(outcome),
                    Kind::Match | Kind::NoMatch => Err(PERM),
                };
            }
            return match self.refer(n, *name)? {
                Outcome::None => Err(PERM),
                outcome => Ok(outcome),
            };
        }
        Ok(Outcome::Neutral)
    }

    fn matches(&mut self, n: usize, qualifier: char, mechanism: &Mechanism) -> Result<bool, Stop> {
        let (v6, host) = (self.client.v6, self.client.host);
        let within = |net: u8, bits: u8| host.is_some_and(|host| (host ^ net) >> (4 - bits.min(4)) == 0);
        match mechanism {
            Mechanism::All => return Ok(true),
            Mechanism::Ip4(net, bits) => return Ok(!v6 && within(*net, *bits)),
            Mechanism::Ip6(net, bits) => return Ok(v6 && within(*net, *bits)),
            Mechanism::Wide { v6: of, inside, outside } => {
                return Ok(v6 == *of && if host.is_some() { *inside } else { *outside });
            }
            _ => {}
        }
        self.count_evaluated()?;
        self.asked.insert(mechanism.name().map(|name| name.at(n)));
        match mechanism {
            Mechanism::Include(name) => {
                if qualifier != '+' {
                    self.met.insert("qualified include");
                }
                if name.is_open() {
                    self.met.insert("include of an unknown name");
                    let answer = self.ask("include", name.written_at(n))?;
                    self.spend(answer)?;
                    return match answer.kind {
                        Kind::Match => Ok(true),
                        Kind::NoMatch => Ok(false),
                        Kind::Result(outcome) => Err(Stop::Ends(outcome)),
                    };
                }
                match self.refer(n, *name)? {
                    Outcome::Pass => Ok(true),
                    Outcome::None => {
                        self.met.insert("missing include");
                        Err(PERM)
                    }
                    _ => Ok(false),
                }
            }
            Mechanism::Exists(name) => {
                self.met.insert("exists");
                match name {
                    Name::Message(text, _) | Name::MessageCurrent(text) | Name::MessageAt(text, _) => {
                        self.met.insert(match *text {
                            "%{i}" => "%{i}",
                            "%{ir}" => "%{ir}",
                            "%{v}" => "%{v}",
                            _ => "%{l}",
                        });
                        self.met_current(*name);
                        if *text == VERSION {
                            let (letter, number) = match name {
                                Name::Message(_, number) => ('u', *number),
                                Name::MessageAt(_, number) => ('d', *number),
                                _ => ('d', n),
                            };
                            let found = has_version(letter, number, v6);
                            return if found { Ok(true) } else { self.void().map(|()| false) };
                        }
                        let answer = self.ask("exists", name.written_at(n))?;
                        self.spend(answer)?;
                        Ok(answer.kind == Kind::Match)
                    }
                    Name::BelowCurrent => {
                        self.met_current(*name);
                        if n.is_multiple_of(2) { Ok(true) } else { self.void().map(|()| false) }
                    }
                    Name::BelowAt(n) if n.is_multiple_of(2) => Ok(true),
                    Name::BelowAt(_) => self.void().map(|()| false),
                    Name::Host(host) => match self.tree.hosts.get(*host).map(|host| &host.a) {
                        Some(Answered::Records(_)) => Ok(true),
                        Some(Answered::Failed) => Err(self.failed()),
                        Some(Answered::Absent) | None => self.void().map(|()| false),
                    },
                    Name::Domain(_) | Name::Current | Name::Mx(_) => self.void().map(|()| false),
                }
            }
            Mechanism::A(name, v4, v6) => match name {
                name if name.is_open() => {
                    self.met_current(*name);
                    let answer = self.ask("a", name.written_at(n))?;
                    self.spend(answer)?;
                    Ok(answer.kind == Kind::Match)
                }
                Name::Host(host) => self.host(*host, *v4, *v6).map(|(matches, _)| matches),
                _ => self.void().map(|()| false),
            },
            Mechanism::Mx(name, v4, v6) => self.mx(n, *name, *v4, *v6),
            Mechanism::Ptr(target) => {
                self.met.insert("ptr");
                let voids = self.ask("reverse", String::new())?;
                self.spend(voids)?;
                Ok(self.ask("ptr", format!("p{target}.example"))?.kind == Kind::Match)
            }
            Mechanism::All | Mechanism::Ip4(..) | Mechanism::Ip6(..) | Mechanism::Wide { .. } => Ok(false),
        }
    }

    fn mx(&mut self, n: usize, name: Name, v4: u8, v6: u8) -> Result<bool, Stop> {
        if name.is_open() {
            let answer = self.ask("mx", name.written_at(n))?;
            if answer.cost > self.limits.mx_names {
                return Err(PERM);
            }
            self.spend(Answer { cost: 0, ..answer })?;
            return Ok(answer.kind == Kind::Match);
        }
        let Name::Mx(exchange) = name else { return self.void().map(|()| false) };
        let hosts = match self.tree.exchanges.get(exchange) {
            Some(Answered::Records(hosts)) => hosts,
            Some(Answered::Failed) => return Err(self.failed()),
            Some(Answered::Absent) | None => return self.void().map(|()| false),
        };
        if too_many(hosts.len(), self.limits.mx_names) {
            return Err(PERM);
        }
        for host in hosts {
            let (matches, addresses) = self.host(*host, v4, v6)?;
            if too_many(addresses, self.limits.mx_addresses) {
                return Err(PERM);
            }
            if matches {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the client is within the prefixes of a host's addresses, and how many there are.
    fn host(&mut self, host: usize, v4: u8, v6: u8) -> Result<(bool, usize), Stop> {
        let found = self.tree.hosts.get(host).map(|host| if self.client.v6 { &host.aaaa } else { &host.a });
        match found {
            Some(Answered::Records(addresses)) => {
                let bits = if self.client.v6 { v6 } else { v4 };
                let client = self.client.host;
                let within = |net: &u8| client.is_some_and(|host| (host ^ net) >> (4 - bits.min(4)) == 0);
                Ok((addresses.iter().any(within), addresses.len()))
            }
            Some(Answered::Failed) => Err(self.failed()),
            Some(Answered::Absent) | None => self.void().map(|()| (false, 0)),
        }
    }

    /// The result of another record.
    fn refer(&mut self, n: usize, name: Name) -> Result<Outcome, Stop> {
        self.met_current(name);
        let target = match name {
            Name::Domain(target) => target,
            Name::Current => n,
            _ => return Ok(Outcome::None),
        };
        if self.stack.contains(&target) {
            self.met.insert("loop");
            return Err(PERM);
        }
        self.domain(target)
    }

    fn met_current(&mut self, name: Name) {
        if let Name::Current | Name::BelowCurrent | Name::MessageCurrent(_) = name {
            self.met.insert("%{d}");
        }
    }

    fn ask(&self, mechanism: &'static str, target: String) -> Result<Answer, Stop> {
        let question = Question { mechanism, target };
        self.world.get(&question).copied().ok_or(Stop::Asks(question))
    }

    /// Void queries and lookups of an answer.
    fn spend(&mut self, answer: Answer) -> Result<(), Stop> {
        for _ in 0..answer.voids {
            self.void()?;
        }
        for _ in 0..answer.cost {
            self.lookup()?;
        }
        Ok(())
    }

    fn failed(&mut self) -> Stop {
        self.met.insert("temperror from a failed answer");
        TEMP
    }

    fn count_evaluated(&mut self) -> Result<(), Stop> {
        if self.limits.written { Ok(()) } else { self.lookup() }
    }

    fn lookup(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > self.limits.lookups {
            self.met.insert("too many lookups");
            return Err(PERM);
        }
        Ok(())
    }

    fn void(&mut self) -> Result<(), Stop> {
        self.met.insert("void");
        if self.term_is_void && !self.limits.queries {
            return Ok(());
        }
        self.term_is_void = true;
        self.voids += 1;
        if self.voids > self.limits.voids {
            self.met.insert("too many voids");
            return Err(PERM);
        }
        Ok(())
    }
}

fn too_many(count: usize, most: u32) -> bool {
    u32::try_from(count).is_ok_and(|count| count > most)
}

impl Name {
    /// The name that it is in the record of `d<n>.example`.
    fn written_at(self, n: usize) -> String {
        self.written().replace("%{d}", &format!("d{n}.example"))
    }
}
