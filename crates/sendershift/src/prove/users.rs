//! Who uses a domain: whose addresses its SPF record is there for, and which names are read for mail that is declared.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::aliases::Aliases;
use super::binding::{Sent, Sources, sent, sources};
use super::dane;
use super::explore::Bounds;
use super::promise::behind_macros;
use super::world::{Era, Flux};
use crate::dkim::{self, Selector};
use crate::dmarc;
use crate::dns::{Answer, Evidence, Question, RecordType, Records, Resolved, resolve};
use crate::error::{Error, Invalid};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::Plan;
use crate::plan::timeline::{Event, Timeline};
use crate::spf::{Policy, SpfResult};
use crate::suffix::PublicSuffix;

/// Messages that are delivered from some sources, as long as they are.
#[derive(Clone)]
pub(super) struct Used<'p> {
    author_domain: &'p DomainName,
    /// The domains that SPF is checked for: MAIL FROM, and the name that the sources greet with.
    spf_domains: [Option<&'p DomainName>; 2],
    sources: &'p [String],
    /// When the last of them is delivered: less than so long after these events; never where there are none.
    pub(super) until: Vec<(Event, u64)>,
}

impl<'p> Used<'p> {
    fn new(sent: &Sent<'p>, bounds: Bounds) -> Self {
        let (identity, delivered_by) = (sent.identity, sent.delivered_by);
        Self {
            author_domain: &identity.author_domain,
            spf_domains: [identity.mail_from.as_ref(), delivered_by.helo.as_ref()],
            sources: &delivered_by.sources,
            until: bounds.upper,
        }
    }

    fn spf_domains(&self) -> impl Iterator<Item = &'p DomainName> + use<'p> {
        self.spf_domains.into_iter().flatten()
    }

    /// Whether it goes on when all steps are done.
    pub(super) fn stays(&self) -> bool {
        self.until.is_empty()
    }
}

/// All uses of identities, and what they read.
pub(super) struct Users<'p> {
    pub(super) uses: Vec<Used<'p>>,
    /// For each domain that SPF is checked for, what its check may ask.
    reads: BTreeMap<DomainName, BTreeSet<Question>>,
    /// For each of these domains, the names at which its own record may be: the domain, and what that is an alias of.
    own: BTreeMap<DomainName, BTreeSet<DomainName>>,
    /// For each of these domains, the names below it that are aliases of it, as `www` often is: they cannot but have its record.
    below: BTreeMap<DomainName, BTreeSet<DomainName>>,
    /// The names that SPF reads once all is done, for the identities that stay.
    left: BTreeSet<DomainName>,
    /// The names that the includes of sources read: what stands there says what a source is.
    lists: BTreeSet<DomainName>,
    /// The addresses of the sources, with all that their includes ever list for any message.
    addresses: BTreeMap<&'p str, AddressSet>,
}

impl<'p> Users<'p> {
    pub(super) fn new(plan: &'p Plan, flux: &Flux, timeline: &Timeline, sources: &Sources<'p>) -> Self {
        let sent = plan.streams.iter().flat_map(|stream| sent(plan, flux, timeline, stream));
        let delivered = sent.map(|sent| (sent.delivery(plan), sent));
        let delivered = delivered.filter(|(bounds, _)| bounds.feasible(timeline));
        let uses: Vec<Used<'p>> = delivered.map(|(bounds, sent)| Used::new(&sent, bounds)).collect();
        let mut reads: BTreeMap<DomainName, BTreeSet<Question>> = BTreeMap::new();
        let mut own: BTreeMap<DomainName, BTreeSet<DomainName>> = BTreeMap::new();
        let mut below: BTreeMap<DomainName, BTreeSet<DomainName>> = BTreeMap::new();
        let aliases = Aliases::new(plan);
        for domain in uses.iter().flat_map(Used::spf_domains) {
            if !reads.contains_key(domain) {
                reads.insert(domain.clone(), read_by(plan, flux, domain));
                let names = own.entry(domain.clone()).or_default();
                flux.each_era(plan, |era| names.extend(followed(era, domain)));
                let names = aliases.leading_to([domain]).into_iter();
                let names = names.filter(|name| name.is_within(domain)).cloned().collect();
                below.insert(domain.clone(), names);
            }
        }
        let last = flux.last_era(plan);
        let stay: BTreeSet<&DomainName> =
            uses.iter().filter(|used| used.stays()).flat_map(Used::spf_domains).collect();
        let left = stay.into_iter().flat_map(|domain| names(read_in(&last, domain))).collect();
        let mut addresses = BTreeMap::new();
        for source in &plan.sources {
            let mut all =
                sources.addresses.get(source.id.as_str()).cloned().unwrap_or_else(AddressSet::empty);
            if let Some(include) = &source.include {
                flux.each_era(plan, |era| {
                    if let Ok(policy) = Policy::compile(era, include) {
                        all = all.union(&policy.intended().sometimes(SpfResult::Pass));
                    }
                });
            }
            addresses.insert(source.id.as_str(), all);
        }
        let includes = plan.sources.iter().filter_map(|source| source.include.as_ref());
        let lists = includes.flat_map(|include| names(read_by(plan, flux, include))).collect();
        Self { uses, reads, own, below, left, lists, addresses }
    }

    /// Those of a whole plan, for what is judged of it in parts.
    pub(super) fn whole(plan: &'p Plan) -> Result<Self, Error> {
        let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
        let order: Vec<usize> = timeline.steps().collect();
        let flux = Flux::new(plan, &order);
        let sources = sources(plan, &flux, &timeline)?;
        Ok(Self::new(plan, &flux, &timeline, &sources))
    }

    /// Adds what else is declared, in a course of events that does not happen: its addresses are declared all the same.
    pub(super) fn add(&mut self, other: &Self) {
        self.uses.extend(other.uses.iter().cloned());
        for (domain, names) in &other.reads {
            self.reads.entry(domain.clone()).or_default().extend(names.iter().cloned());
        }
        for (all, others) in [(&mut self.own, &other.own), (&mut self.below, &other.below)] {
            for (domain, names) in others {
                all.entry(domain.clone()).or_default().extend(names.iter().cloned());
            }
        }
        self.lists.extend(other.lists.iter().cloned());
        for (source, addresses) in &other.addresses {
            let all = self.addresses.entry(source).or_insert_with(AddressSet::empty);
            *all = all.union(addresses);
        }
    }

    /// The uses that the SPF record of a name is there for: those that have it, or an alias of it, or what it is an alias of and below, as
    /// MAIL FROM or HELO. A record that stands at a name for others to include, one without mail exchanges, is there for those who do.
    pub(super) fn of(&self, plan: &Plan, name: &DomainName) -> Vec<&Used<'p>> {
        let has_mail = matches!(resolve(&plan.evidence, name, RecordType::Mx), Resolved::Records(_));
        let is_own = |domain| {
            [&self.own, &self.below].iter().any(|of| of.get(domain).is_some_and(|names| names.contains(name)))
        };
        let own: Vec<_> = self.uses.iter().filter(|used| used.spf_domains().any(is_own)).collect();
        if has_mail || !own.is_empty() {
            return own;
        }
        let reads =
            |domain| self.reads.get(domain).is_some_and(|asked| asked.iter().any(|of| of.name == *name));
        self.uses.iter().filter(|used| used.spf_domains().any(reads)).collect()
    }

    /// Whether the SPF record of a name is there to list a source, and no mail has the name: it authorises nobody, but where it is
    /// included.
    pub(super) fn only_lists(&self, plan: &Plan, name: &DomainName) -> bool {
        let has_mail = matches!(resolve(&plan.evidence, name, RecordType::Mx), Resolved::Records(_));
        self.lists.contains(name) && !has_mail && !self.reads.contains_key(name)
    }

    /// Whether SPF of declared mail may ask for a name that depends on the message, or for one that leads to it.
    pub(super) fn may_ask(&self, plan: &Plan, flux: &Flux, name: &DomainName) -> bool {
        let names = Aliases::new(plan).leading_to([name]);
        let asks = |evidence: &Era<'_>, domain| {
            let unknowns = Policy::compile(evidence, domain).map(|policy| policy.unknowns().to_vec());
            let mut open = unknowns.into_iter().flatten().filter(|unknown| unknown.target.contains("%{"));
            open.any(|unknown| {
                behind_macros(&unknown).is_some_and(|behind| names.iter().any(|name| name.is_within(&behind)))
            })
        };
        self.spf_domains().any(|domain| {
            let mut may_ask = false;
            flux.each_era(plan, |era| may_ask |= asks(era, domain));
            may_ask
        })
    }

    /// The addresses that declared mail of a domain comes from, in From or where SPF looks.
    pub(super) fn declared_for(&self, plan: &Plan, name: &DomainName) -> AddressSet {
        let authors = self.uses.iter().filter(|used| used.author_domain == name);
        self.addresses(self.of(plan, name).into_iter().chain(authors))
    }

    /// Whether SPF of mail that is declared still reads the name once all is done.
    pub(super) fn keep(&self, name: &DomainName) -> bool {
        self.left.contains(name)
    }

    /// The addresses of uses.
    pub(super) fn addresses<'u>(&self, uses: impl IntoIterator<Item = &'u Used<'p>>) -> AddressSet
    where
        'p: 'u,
    {
        let mut ids = BTreeSet::new();
        for used in uses {
            ids.extend(used.sources.iter().map(String::as_str));
        }
        let addresses = ids.into_iter().filter_map(|id| self.addresses.get(id));
        addresses.fold(AddressSet::empty(), |all, some| all.union(some))
    }

    /// Those of some addresses that none of the uses needs.
    pub(super) fn without<'u>(
        &self,
        addresses: AddressSet,
        uses: impl IntoIterator<Item = &'u Used<'p>>,
    ) -> AddressSet
    where
        'p: 'u,
    {
        let sources: BTreeSet<&str> =
            uses.into_iter().flat_map(|used| used.sources).map(String::as_str).collect();
        let needed = sources.into_iter().filter_map(|id| self.addresses.get(id));
        needed.fold(addresses, |left, some| left.difference(some))
    }

    /// The addresses of a source.
    pub(super) fn listed(&self, source: &str) -> AddressSet {
        self.addresses.get(source).cloned().unwrap_or_else(AddressSet::empty)
    }

    /// The domains that SPF is checked for, sorted.
    pub(super) fn spf_domains(&self) -> impl Iterator<Item = &DomainName> {
        self.reads.keys()
    }

    /// Whether an identity has the name as author domain, MAIL FROM or HELO.
    pub(super) fn declare(plan: &Plan, name: &DomainName) -> bool {
        let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
        let mut names = identities.flat_map(|identity| {
            [Some(&identity.author_domain), identity.mail_from.as_ref(), identity.helo.as_ref()]
        });
        names.any(|declared| declared == Some(name))
    }

    /// All names that mail of the identities leads to: those of their domains, keys and policies, what SPF reads, and the hosts for
    /// bounces, answers and reports.
    pub(super) fn names(&self, plan: &Plan, flux: &Flux) -> BTreeSet<DomainName> {
        let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
        let signing = identities.flat_map(|identity| &identity.dkim).map(|signature| &signature.domain);
        names(self.asked(plan, flux)).chain(signing.cloned()).collect()
    }

    /// All that somebody asks who gets mail of the identities, returns it or answers it: keys, policies, what SPF reads, the hosts for
    /// bounces, answers and reports, and whether the name that it greets with is that of a host (RFC 5321 section 2.3.5).
    pub(super) fn asked(&self, plan: &Plan, flux: &Flux) -> BTreeSet<Question> {
        let mut asked: BTreeSet<Question> = self.reads.values().flatten().cloned().collect();
        let identities = || plan.streams.iter().flat_map(|stream| &stream.identities);
        let mut read = |look: &dyn Fn(&Noting<&Era<'_>>)| {
            flux.each_era(plan, |era| {
                let noting = Noting::new(era);
                look(&noting);
                asked.extend(noting.asked());
            });
        };
        let authors: BTreeSet<&DomainName> = identities().map(|identity| &identity.author_domain).collect();
        for author in &authors {
            read(&|noting| {
                let applied = dmarc::discover(noting, author).applied;
                let hosts = applied.iter().flat_map(|applied| {
                    applied.record.rua().iter().filter_map(move |uri| Some((applied, uri.host.clone()?)))
                });
                for (applied, host) in hosts {
                    dmarc::report_authorisation(noting, &applied.domain, &host);
                    mail_hosts(noting, &host);
                }
            });
        }
        let senders = identities().filter_map(|identity| identity.mail_from.as_ref());
        let receiving: BTreeSet<&DomainName> = authors.iter().copied().chain(senders).collect();
        for domain in receiving {
            read(&|noting| mail_hosts(noting, domain));
        }
        let signatures: BTreeSet<(&DomainName, &Selector)> =
            identities().flat_map(|identity| &identity.dkim).map(|of| (&of.domain, &of.selector)).collect();
        for (domain, selector) in &signatures {
            read(&|noting| drop(dkim::key(noting, domain, selector)));
        }
        let greetings: BTreeSet<&DomainName> =
            identities().filter_map(|identity| identity.helo.as_ref()).collect();
        for helo in greetings {
            read(&|noting| addresses(noting, helo));
        }
        asked
    }
}

/// Asks for what leads to a domain's mail hosts, and which certificates these may have; without mail exchanges it is its own
/// (RFC 5321 section 5.1).
fn mail_hosts(evidence: &dyn Evidence, domain: &DomainName) {
    let ask = |host: &DomainName| {
        addresses(evidence, host);
        dane::ask(evidence, host);
    };
    match resolve(evidence, domain, RecordType::Mx) {
        Resolved::Records(rrset) => {
            if let Records::Mx(exchanges) = rrset.records() {
                for mx in exchanges {
                    ask(&mx.exchange);
                }
            }
        }
        _ => ask(domain),
    }
}

fn addresses(evidence: &dyn Evidence, host: &DomainName) {
    resolve(evidence, host, RecordType::A);
    resolve(evidence, host, RecordType::Aaaa);
}

fn names(asked: BTreeSet<Question>) -> impl Iterator<Item = DomainName> {
    asked.into_iter().map(|question| question.name)
}

/// What checking SPF for a domain may ask, at any time.
fn read_by(plan: &Plan, flux: &Flux, domain: &DomainName) -> BTreeSet<Question> {
    let mut asked = BTreeSet::new();
    flux.each_era(plan, |era| asked.extend(read_in(era, domain)));
    asked
}

fn read_in(evidence: &dyn Evidence, domain: &DomainName) -> BTreeSet<Question> {
    let noting = Noting::new(evidence);
    // What cannot be compiled has read what it could.
    let _ = Policy::compile(&noting, domain);
    noting.asked()
}

/// Evidence that notes every question.
struct Noting<E> {
    base: E,
    asked: RefCell<BTreeSet<Question>>,
}

impl<E: Evidence> Noting<E> {
    fn new(base: E) -> Self {
        Self { base, asked: RefCell::default() }
    }

    fn asked(self) -> BTreeSet<Question> {
        self.asked.into_inner()
    }
}

impl<E: Evidence> Evidence for Noting<E> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        self.asked.borrow_mut().insert(Question::new(name.clone(), record_type));
        self.base.answer(name, record_type)
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.base.public_suffix(name)
    }
}

/// The names that somebody asks who looks for a TXT record, aliases followed.
pub(super) fn followed(evidence: &dyn Evidence, name: &DomainName) -> BTreeSet<DomainName> {
    let noting = Noting::new(evidence);
    resolve(&noting, name, RecordType::Txt);
    names(noting.asked()).collect()
}
