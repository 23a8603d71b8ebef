//! Every record that may stand for another one, made one by one: what `compact` has to find the best of.
//!
//! A candidate opens some of the records that the tree refers to and keeps the others. Which networks it needs is found by trying:
//! what it keeps is a question that may be answered either way, and a network is allowed where no answer tells the two
//! records apart.

use std::collections::{BTreeMap, BTreeSet};

use super::Outcome;
use super::cover::{Allowed, cover};
use super::evaluate::{Limits, check, explore};
use super::tree::{Answered, Client, Domain, Mechanism, Name, Term, Tree, written};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Records that stay.
    pub keep: BTreeSet<usize>,
    /// Records that are opened and do not count as frozen.
    pub flatten: BTreeSet<usize>,
    /// Hosts whose addresses are written out.
    pub hosts: BTreeSet<usize>,
}

/// A candidate, without a distribution to extra records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Records that are opened and that somebody else may change.
    pub frozen: usize,
    /// Its terms in their order, with the octets that each may save as part of an extra record and its qualifier.
    pub items: Vec<Item>,
}

/// A term of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As the record itself has it.
    pub text: String,
    /// The qualifier, and how an extra record has it; none for `all` and `redirect`.
    pub moved: Option<(char, String)>,
}

/// A part of a record whose includes are opened.
enum Node {
    Net { mechanism: Mechanism, qualifier: char, at: usize },
    Own(usize),
    Live { question: usize, qualifier: char },
    Open { qualifier: char, nodes: Vec<Node>, end: End, until: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Result(char),
    Question(usize),
}

/// A part of the new record that is not new.
enum Element {
    Own(Vec<(Mechanism, char)>),
    Live { question: usize, qualifier: char },
}

/// No such candidate: what is kept would mean something else.
struct Conflict;

struct Layout<'a> {
    tree: &'a Tree,
    wish: &'a Wish,
    opened: &'a BTreeSet<usize>,
    merged: bool,
    questions: Vec<Mechanism>,
    elements: Vec<(Element, Vec<Item>)>,
    /// The text of `all` or of the redirect.
    last: Option<String>,
}

impl Tree {
    fn terms(&self, n: usize) -> Option<&[Term]> {
        match self.domains.get(n) {
            Some(Domain::Record(terms)) => Some(terms),
            _ => None,
        }
    }

    /// The terms up to `all`, its result, and where the record goes on.
    fn parts(&self, n: usize) -> (Vec<(char, Mechanism)>, Option<char>, Option<usize>) {
        let terms = self.terms(n).unwrap_or_default();
        let directives = terms.iter().filter_map(|term| match term {
            Term::Directive(qualifier, mechanism) => Some((*qualifier, *mechanism)),
            Term::Redirect(_) => None,
        });
        let directives: Vec<(char, Mechanism)> = directives.collect();
        let all = directives.iter().position(|(_, mechanism)| *mechanism == Mechanism::All);
        let result = all.and_then(|at| directives.get(at)).map(|(qualifier, _)| *qualifier);
        let redirect = terms.iter().find_map(|term| match term {
            Term::Redirect(Name::Domain(n)) if result.is_none() => Some(*n),
            _ => None,
        });
        (directives.into_iter().take(all.unwrap_or(usize::MAX)).collect(), result, redirect)
    }

    /// The records that a record refers to.
    fn references(&self, n: usize) -> BTreeSet<usize> {
        let (terms, _, redirect) = self.parts(n);
        let included = terms.iter().filter_map(|(_, mechanism)| match mechanism {
            Mechanism::Include(Name::Domain(n)) => Some(*n),
            _ => None,
        });
        included.chain(redirect).filter(|n| self.terms(*n).is_some()).collect()
    }

    /// The records that can be reached from one through some of them.
    fn reached(&self, from: usize, through: &BTreeSet<usize>) -> BTreeSet<usize> {
        let (mut found, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(n) = open.pop() {
            for next in self.references(n) {
                if found.insert(next) && through.contains(&next) {
                    open.push(next);
                }
            }
        }
        found
    }

    /// Every candidate.
    pub fn candidates(&self, wish: &Wish) -> Vec<Candidate> {
        let everything: BTreeSet<usize> = (0..self.domains.len()).collect();
        // What leads back to itself is an error as it stands, and cannot be opened.
        let is_unit = |n: &usize| !wish.keep.contains(n) && !self.reached(*n, &everything).contains(n);
        let units: BTreeSet<usize> = self.reached(0, &everything).into_iter().filter(is_unit).collect();
        let forced: BTreeSet<usize> = units.intersection(&wish.flatten).copied().collect();
        let free: Vec<usize> = units.difference(&forced).copied().collect();
        let (mut found, mut states) = (Vec::new(), States::new());
        for choice in 0..1usize << free.len() {
            let chosen = free.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1).map(|(_, n)| *n);
            let chosen: BTreeSet<usize> = chosen.collect();
            let opened: BTreeSet<usize> = chosen.union(&forced).copied().collect();
            // What is not reached is not opened: that choice is another one.
            if !chosen.is_subset(&self.reached(0, &opened)) {
                continue;
            }
            for merged in [false, true] {
                let items = self.candidate(wish, &opened, merged, &mut states);
                found.extend(items.map(|items| Candidate { frozen: chosen.len(), items }));
            }
        }
        found
    }

    fn candidate(
        &self,
        wish: &Wish,
        opened: &BTreeSet<usize>,
        merged: bool,
        states: &mut States,
    ) -> Option<Vec<Item>> {
        let mut layout = Layout {
            tree: self,
            wish,
            opened,
            merged,
            questions: Vec::new(),
            elements: Vec::new(),
            last: None,
        };
        let (nodes, end) = layout.outermost(0).ok()?;
        let clients: Vec<Client> = Client::all().collect();
        let worlds = worlds(layout.questions.len(), end);
        let count = layout.elements.len();
        let mut places: BTreeSet<usize> = BTreeSet::new();
        let mut allowed: Vec<BTreeMap<Client, Allowed>> = vec![BTreeMap::new(); count + 1];
        for client in clients {
            let meant: Vec<char> = worlds
                .iter()
                .map(|world| {
                    run(&nodes, client, world, &layout.elements).unwrap_or_else(|| end.result(world))
                })
                .collect();
            let is_right = |net: Option<(usize, char)>| {
                worlds.iter().zip(&meant).all(|(world, meant)| {
                    decided(&layout.elements, client, world, net).unwrap_or_else(|| end.result(world))
                        == *meant
                })
            };
            let walk = layout.walk(&nodes, client, None);
            let meant_at = match walk {
                Walk::CutOff => return None,
                Walk::Ends { at, .. } => at,
                Walk::On => None,
            };
            // Where an opened record says it anyway, but something that stays live decides it today or ends with an error, its
            // networks are not left out.
            let unsettled = [State::Matches, State::Errs];
            let none = is_right(None)
                && !meant_at.is_some_and(|at| layout.does(at, count, client, states, &unsettled));
            // What comes to an error today would no longer.
            let end = if none { count } else { meant_at.unwrap_or(count) };
            let mut of = |at: usize| -> Vec<char> {
                if layout.does(at, end, client, states, &[State::Errs]) {
                    return Vec::new();
                }
                ['+', '-', '~', '?'].into_iter().filter(|one| is_right(Some((at, *one)))).collect()
            };
            let choices: Vec<Vec<char>> = (0..=count).map(&mut of).collect();
            let place = choices.iter().position(|choice| !choice.is_empty());
            if !none && place.is_none() {
                return None;
            }
            places.extend(place.filter(|_| !none));
            let is_named = layout.names(client);
            for ((at, allowed), choice) in allowed.iter_mut().enumerate().zip(choices) {
                let is_here = place == Some(at) && !none;
                let may_be = none && (is_named || meant_at.is_some() && place == Some(at));
                let qualifiers = if is_here || may_be { choice } else { Vec::new() };
                allowed.insert(client, Allowed { none: !is_here, qualifiers });
            }
        }
        let mut items = Vec::new();
        for (at, allowed) in allowed.iter().enumerate() {
            // An exception alone says nothing.
            if places.contains(&at) {
                items.extend(cover(allowed)?.into_iter().map(Item::of));
            }
            items.extend(layout.elements.get(at).into_iter().flat_map(|(_, items)| items.clone()));
        }
        items.extend(layout.last.map(|text| Item { text, moved: None }));
        Some(items)
    }
}

impl Item {
    fn of(text: String) -> Self {
        let qualifier = text.chars().next().filter(|first| "+-~?".contains(*first));
        let moved = text.strip_prefix(['+', '-', '~', '?']).unwrap_or(&text).to_owned();
        Self { text, moved: Some((qualifier.unwrap_or('+'), moved)) }
    }
}

impl End {
    fn result(self, world: &[char]) -> char {
        match self {
            Self::Result(result) => result,
            Self::Question(question) => world.get(question).copied().unwrap_or('?'),
        }
    }
}

/// Every way in which the questions can turn out.
fn worlds(questions: usize, end: End) -> Vec<Vec<char>> {
    let mut worlds: Vec<Vec<char>> = vec![Vec::new()];
    for question in 0..questions {
        let answers: &[char] =
            if end == End::Question(question) { &['+', '-', '~', '?'] } else { &['+', '-'] };
        worlds = worlds
            .iter()
            .flat_map(|world| answers.iter().map(|answer| [world.as_slice(), &[*answer]].concat()))
            .collect();
    }
    worlds
}

fn matches(mechanism: &Mechanism, client: Client) -> bool {
    let within = |net: u8, bits: u8| client.host.is_some_and(|host| (host ^ net) >> (4 - bits.min(4)) == 0);
    match mechanism {
        Mechanism::Ip4(net, bits) => !client.v6 && within(*net, *bits),
        Mechanism::Ip6(net, bits) => client.v6 && within(*net, *bits),
        _ => false,
    }
}

fn own(nets: &[(Mechanism, char)], client: Client) -> Option<char> {
    nets.iter().find(|(net, _)| matches(net, client)).map(|(_, qualifier)| *qualifier)
}

/// What the record that is meant says, with what is kept answered by a world; none where it comes to its end.
fn run(nodes: &[Node], client: Client, world: &[char], elements: &[(Element, Vec<Item>)]) -> Option<char> {
    nodes.iter().find_map(|node| match node {
        Node::Net { mechanism, qualifier, .. } => matches(mechanism, client).then_some(*qualifier),
        Node::Own(at) => match elements.get(*at) {
            Some((Element::Own(nets), _)) => own(nets, client),
            _ => None,
        },
        Node::Live { question, qualifier } => (world.get(*question) == Some(&'+')).then_some(*qualifier),
        Node::Open { qualifier, nodes, end, .. } => {
            let inner = run(nodes, client, world, elements).unwrap_or_else(|| end.result(world));
            (inner == '+').then_some(*qualifier)
        }
    })
}

/// What the new record says to a client that one network names, before the element of a number; none at its end.
fn decided(
    elements: &[(Element, Vec<Item>)],
    client: Client,
    world: &[char],
    net: Option<(usize, char)>,
) -> Option<char> {
    let new = |at: usize| net.filter(|(place, _)| *place == at).map(|(_, qualifier)| qualifier);
    let decides = |(at, (element, _)): (usize, &(Element, Vec<Item>))| {
        new(at).or_else(|| match element {
            Element::Own(nets) => own(nets, client),
            Element::Live { question, qualifier } => {
                (world.get(*question) == Some(&'+')).then_some(*qualifier)
            }
        })
    };
    elements.iter().enumerate().find_map(decides).or_else(|| new(elements.len()))
}

impl Layout<'_> {
    /// A record whose results are the results.
    fn outermost(&mut self, n: usize) -> Result<(Vec<Node>, End), Conflict> {
        let mut nodes = Vec::new();
        let (terms, all, redirect) = self.tree.parts(n);
        let mut is_after_net = false;
        for (qualifier, mechanism) in terms {
            let is_net = matches!(mechanism, Mechanism::Ip4(..) | Mechanism::Ip6(..));
            if is_net && n == 0 && !self.merged {
                let text = written(&Term::Directive(qualifier, mechanism));
                match self.elements.last_mut() {
                    Some((Element::Own(nets), items)) if is_after_net => {
                        nets.push((mechanism, qualifier));
                        items.push(Item::of(text));
                    }
                    _ => {
                        nodes.push(Node::Own(self.elements.len()));
                        self.elements
                            .push((Element::Own(vec![(mechanism, qualifier)]), vec![Item::of(text)]));
                    }
                }
            } else {
                let own = (n == 0).then(|| written(&Term::Directive(qualifier, mechanism)));
                nodes.push(self.node(n, qualifier, mechanism, Some(qualifier), own)?);
            }
            is_after_net = is_net;
        }
        if let Some(next) = redirect.filter(|next| self.opened.contains(next)) {
            let (more, end) = self.outermost(next)?;
            nodes.extend(more);
            if self.last.is_none()
                && let End::Result(result) = end
                && result != '?'
            {
                self.last = Some(written(&Term::Directive(result, Mechanism::All)));
            }
            return Ok((nodes, end));
        }
        if let Some(next) = redirect {
            self.last = Some(written(&Term::Redirect(Name::Domain(next))));
            return Ok((nodes, End::Question(self.question(Mechanism::Include(Name::Domain(next))))));
        }
        if n == 0 {
            self.last = all.map(|all| written(&Term::Directive(all, Mechanism::All)));
        }
        Ok((nodes, End::Result(all.unwrap_or('?'))))
    }

    /// A record that is included, and passes with `live` where that can be said outside.
    fn included(&mut self, n: usize, live: Option<char>) -> Result<(Vec<Node>, End), Conflict> {
        let mut nodes = Vec::new();
        let (terms, all, redirect) = self.tree.parts(n);
        for (qualifier, mechanism) in terms {
            let live = live.filter(|_| qualifier == '+');
            nodes.push(self.node(n, qualifier, mechanism, live, None)?);
        }
        match redirect {
            Some(next) if self.opened.contains(&next) => {
                let (more, end) = self.included(next, live)?;
                nodes.extend(more);
                Ok((nodes, end))
            }
            Some(next) => {
                let question = self.kept(Mechanism::Include(Name::Domain(next)), live.ok_or(Conflict)?, None);
                Ok((nodes, End::Question(question)))
            }
            None => Ok((nodes, End::Result(all.unwrap_or('?')))),
        }
    }

    fn node(
        &mut self,
        n: usize,
        qualifier: char,
        mechanism: Mechanism,
        live: Option<char>,
        own: Option<String>,
    ) -> Result<Node, Conflict> {
        let at = self.elements.len();
        match mechanism {
            Mechanism::Ip4(..) | Mechanism::Ip6(..) => Ok(Node::Net { mechanism, qualifier, at }),
            Mechanism::Include(Name::Domain(next)) if self.opened.contains(&next) => {
                let (nodes, end) = self.included(next, live)?;
                Ok(Node::Open { qualifier, nodes, end, until: self.elements.len() })
            }
            Mechanism::A(Name::Host(host), v4, v6) if self.wish.hosts.contains(&host) => {
                let known = self.tree.hosts.get(host);
                let net = |v6: bool, host: u8, bits: u8| {
                    let mechanism = if v6 { Mechanism::Ip6(host, bits) } else { Mechanism::Ip4(host, bits) };
                    Node::Net { mechanism, qualifier: '+', at }
                };
                let of = |answered: Option<&Answered<u8>>| match answered {
                    Some(Answered::Records(hosts)) => hosts.clone(),
                    _ => Vec::new(),
                };
                let mut nodes: Vec<Node> =
                    of(known.map(|host| &host.a)).into_iter().map(|host| net(false, host, v4)).collect();
                nodes.extend(of(known.map(|host| &host.aaaa)).into_iter().map(|host| net(true, host, v6)));
                Ok(Node::Open { qualifier, nodes, end: End::Result('?'), until: at })
            }
            _ => {
                let question = self.kept(moved(mechanism, n), live.ok_or(Conflict)?, own);
                Ok(Node::Live { question, qualifier })
            }
        }
    }

    fn question(&mut self, mechanism: Mechanism) -> usize {
        self.questions.iter().position(|known| *known == mechanism).unwrap_or_else(|| {
            self.questions.push(mechanism);
            self.questions.len() - 1
        })
    }

    /// A term that stays; one that asks the same a second time does not.
    fn kept(&mut self, mechanism: Mechanism, qualifier: char, own: Option<String>) -> usize {
        let question = self.question(mechanism);
        let is_same = |(element, _): &(Element, _)| matches!(element, Element::Live { question: known, .. } if *known == question);
        if !self.elements.iter().any(is_same) {
            let bare = written(&Term::Directive('+', mechanism));
            let text = own.unwrap_or_else(|| written(&Term::Directive(qualifier, mechanism)));
            let items = vec![Item { text, moved: Some((qualifier, bare)) }];
            self.elements.push((Element::Live { question, qualifier }, items));
        }
        question
    }

    /// Whether any record names a client.
    fn names(&self, client: Client) -> bool {
        let everything: BTreeSet<usize> = (0..self.tree.domains.len()).collect();
        self.tree
            .reached(0, &everything)
            .iter()
            .chain([&0])
            .any(|n| self.tree.parts(*n).0.iter().any(|(_, mechanism)| matches(mechanism, client)))
    }

    /// Whether a live term between two places does something with a client today; the record's own networks end the way.
    fn does(&self, from: usize, to: usize, client: Client, states: &mut States, what: &[State]) -> bool {
        let passed = self.elements.iter().take(to).skip(from).map(|(element, _)| element);
        passed
            .take_while(|element| !matches!(element, Element::Own(nets) if own(nets, client).is_some()))
            .any(|element| match element {
                Element::Own(_) => false,
                Element::Live { question, .. } => {
                    let mechanism = self.questions.get(*question).copied();
                    mechanism.is_some_and(|one| what.contains(&self.tree.state(one, client, states)))
                }
            })
    }

    /// The way of a client past everything that stays live; `until` is how many elements there are at the end of the record, if it
    /// is one that is included.
    fn walk(&self, nodes: &[Node], client: Client, until: Option<usize>) -> Walk {
        let is_inside = |at: usize| until.is_some_and(|until| at < until);
        for node in nodes {
            match node {
                Node::Live { .. } => {}
                Node::Own(at) => {
                    if let Some((Element::Own(nets), _)) = self.elements.get(*at)
                        && let Some(qualifier) = own(nets, client)
                    {
                        // The record itself decides, whatever comes.
                        return Walk::Ends { qualifier, at: None };
                    }
                }
                Node::Net { mechanism, qualifier, at } => {
                    if matches(mechanism, client) {
                        // What is excluded before something that stays live would go on to that outside.
                        let is_cut_off = *qualifier != '+' && is_inside(*at);
                        let at = Some(*at);
                        return if is_cut_off {
                            Walk::CutOff
                        } else {
                            Walk::Ends { qualifier: *qualifier, at }
                        };
                    }
                }
                Node::Open { qualifier, nodes, end, until: inner } => {
                    let walk = match self.walk(nodes, client, Some(*inner)) {
                        Walk::On if *end == End::Result('+') => {
                            Walk::Ends { qualifier: '+', at: Some(*inner) }
                        }
                        other => other,
                    };
                    match walk {
                        Walk::Ends { qualifier: '+', at } => {
                            let is_cut_off = *qualifier != '+' && is_inside(*inner);
                            return if is_cut_off {
                                Walk::CutOff
                            } else {
                                Walk::Ends { qualifier: *qualifier, at }
                            };
                        }
                        Walk::CutOff => return Walk::CutOff,
                        Walk::Ends { .. } | Walk::On => {}
                    }
                }
            }
        }
        Walk::On
    }
}

/// Where the way of a client ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    On,
    /// With a qualifier, at networks that are not there any more, before the element of that number.
    Ends {
        qualifier: char,
        at: Option<usize>,
    },
    CutOff,
}

/// What a term does with a client today.
type States = Vec<(Mechanism, Client, State)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The client may go on, and does not come to an error.
    MayGoOn,
    Matches,
    /// It may end with an error.
    Errs,
}

impl Tree {
    /// What a term does with a client today.
    fn state(&self, mechanism: Mechanism, client: Client, states: &mut States) -> State {
        let known = states.iter().find(|(one, other, _)| *one == mechanism && *other == client);
        if let Some((.., known)) = known {
            return *known;
        }
        let mut alone = self.clone();
        if let Some(root) = alone.domains.first_mut() {
            *root = Domain::Record(vec![Term::Directive('+', mechanism)]);
        }
        let most = 10_000;
        let (mx_names, mx_addresses) = (most, most);
        let lifted =
            Limits { lookups: most, written: false, voids: most, queries: false, mx_names, mx_addresses };
        let found = explore(100_000, |world| Ok(check(&alone, client, &lifted, world)?.outcome));
        let is = |one: Outcome| found.iter().flatten().any(|(_, outcome)| *outcome == one);
        let state = match (is(Outcome::Neutral), is(Outcome::PermError) || is(Outcome::TempError)) {
            (_, true) => State::Errs,
            (true, false) => State::MayGoOn,
            (false, false) => State::Matches,
        };
        states.push((mechanism, client, state));
        state
    }
}

/// A mechanism of the record of a domain, as any other record can have it.
fn moved(mechanism: Mechanism, n: usize) -> Mechanism {
    let name = |name: Name| match name {
        Name::Current => Name::Domain(n),
        Name::BelowCurrent => Name::BelowAt(n),
        Name::MessageCurrent(text) => Name::MessageAt(text, n),
        other => other,
    };
    match mechanism {
        Mechanism::Include(of) => Mechanism::Include(name(of)),
        Mechanism::Exists(of) => Mechanism::Exists(name(of)),
        Mechanism::A(of, v4, v6) => Mechanism::A(name(of), v4, v6),
        Mechanism::Mx(of, v4, v6) => Mechanism::Mx(name(of), v4, v6),
        other => other,
    }
}
