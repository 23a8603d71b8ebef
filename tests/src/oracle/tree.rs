//! Records and what they refer to, as trees, and how they are written.

use std::net::IpAddr;

use serde_json::{Value, json};

/// A client: the last four bits of `192.0.2.0/28` or `2001:db8::/124`; without them an address outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client {
    /// Whether it speaks IPv6.
    pub v6: bool,
    /// Its last four bits.
    pub host: Option<u8>,
}

impl Client {
    /// One client for every address of the small space, and one outside for each family.
    pub fn all() -> impl Iterator<Item = Self> {
        let hosts = || (0..16).map(Some).chain([None]);
        [false, true].into_iter().flat_map(move |v6| hosts().map(move |host| Self { v6, host }))
    }

    /// Its address.
    pub fn address(self) -> IpAddr {
        match (self.v6, self.host) {
            (false, Some(host)) => [192, 0, 2, host].into(),
            (false, None) => [192, 0, 1, 7].into(),
            (true, Some(host)) => [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(host)].into(),
            (true, None) => [0x2001, 0xdb7, 0, 0, 0, 0, 0, 7].into(),
        }
    }

    /// The client that stands for an address.
    pub fn at(ip: IpAddr) -> Self {
        let found = Self::all().find(|client| client.address() == ip);
        found.unwrap_or(Self { v6: ip.is_ipv6(), host: None })
    }
}

/// What DNS says: records, none, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered<T> {
    /// These.
    Records(Vec<T>),
    /// There are none.
    Absent,
    /// No answer.
    Failed,
}

/// A host with addresses in the small space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The last four bits of its IPv4 addresses.
    pub a: Answered<u8>,
    /// The last four bits of its IPv6 addresses.
    pub aaaa: Answered<u8>,
}

/// A name that a term refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// `d<n>.example`, the domain of a record.
    Domain(usize),
    /// `h<n>.example`, a host; beyond those that there are, nothing.
    Host(usize),
    /// `m<n>.example`, with MX records; beyond those that there are, nothing.
    Mx(usize),
    /// `%{d}`: the domain of the record itself.
    Current,
    /// `x.%{d}`: exists where the number of the domain is even.
    BelowCurrent,
    /// A macro about the message, before `u<n>.example`.
    Message(&'static str, usize),
    /// A macro about the message, before `%{d}`.
    MessageCurrent(&'static str),
    /// As `MessageCurrent`, for the domain with that number, whatever record it stands in.
    MessageAt(&'static str, usize),
    /// As `BelowCurrent`, for the domain with that number.
    BelowAt(usize),
}

/// A mechanism; networks have the last four bits of an address, and how many of them count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "RFC 7208 section 5 says what they mean")]
pub enum Mechanism {
    All,
    Ip4(u8, u8),
    Ip6(u8, u8),
    /// A network that is larger than the small space, or holds nothing of it.
    Wide {
        v6: bool,
        inside: bool,
        outside: bool,
    },
    A(Name, u8, u8),
    Mx(Name, u8, u8),
    Include(Name),
    Exists(Name),
    /// `ptr:p<n>.example`
    Ptr(usize),
}

impl Mechanism {
    /// Whether it costs no lookup.
    pub fn is_free(&self) -> bool {
        matches!(self, Self::All | Self::Ip4(..) | Self::Ip6(..) | Self::Wide { .. })
    }

    /// The name that it asks about, if it says one: `ptr` asks about the client.
    pub fn name(&self) -> Option<Name> {
        match self {
            Self::Include(name) | Self::Exists(name) | Self::A(name, ..) | Self::Mx(name, ..) => Some(*name),
            Self::All | Self::Ip4(..) | Self::Ip6(..) | Self::Wide { .. } | Self::Ptr(_) => None,
        }
    }
}

/// A term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// A qualifier and a mechanism.
    Directive(char, Mechanism),
    /// `redirect=`
    Redirect(Name),
}

/// What TXT holds at a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// One record.
    Record(Vec<Term>),
    /// No record.
    Nothing,
    /// Text that is no record.
    Other,
    /// Two records.
    Several,
    /// A record with an error of syntax.
    Invalid,
    /// No answer.
    Failed,
}

/// Everything that DNS says. Senders are at `d0.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// `d<n>.example`
    pub domains: Vec<Domain>,
    /// `h<n>.example`
    pub hosts: Vec<Host>,
    /// `m<n>.example`: the numbers of its hosts.
    pub exchanges: Vec<Answered<usize>>,
}

impl Name {
    /// Whether it depends on the message: `%{v}` is known as soon as the family is.
    pub fn is_open(self) -> bool {
        match self {
            Self::Message(text, _) | Self::MessageCurrent(text) | Self::MessageAt(text, _) => text != VERSION,
            _ => false,
        }
    }

    /// As any other record can have it, where it stands in the record of a domain.
    #[must_use]
    pub fn at(self, n: usize) -> Self {
        match self {
            Self::Current => Self::Domain(n),
            Self::BelowCurrent => Self::BelowAt(n),
            Self::MessageCurrent(text) => Self::MessageAt(text, n),
            other => other,
        }
    }

    /// As written in a record.
    pub fn written(self) -> String {
        match self {
            Self::Domain(n) => format!("d{n}.example"),
            Self::Host(n) => format!("h{n}.example"),
            Self::Mx(n) => format!("m{n}.example"),
            Self::Current => "%{d}".to_owned(),
            Self::BelowCurrent => "x.%{d}".to_owned(),
            Self::Message(text, n) => format!("{text}.u{n}.example"),
            Self::MessageCurrent(text) => format!("{text}.%{{d}}"),
            Self::MessageAt(text, n) => format!("{text}.d{n}.example"),
            Self::BelowAt(n) => format!("x.d{n}.example"),
        }
    }
}

/// The macro for the family.
pub const VERSION: &str = "%{v}";

/// Whether `in-addr.<letter><n>.example`, or `ip6.<letter><n>.example`, has an address: each of the four answers occurs.
pub fn has_version(letter: char, n: usize, v6: bool) -> bool {
    let number = n + usize::from(letter == 'u');
    if v6 { number.is_multiple_of(3) } else { number.is_multiple_of(2) }
}

/// A term as written.
pub fn written(term: &Term) -> String {
    let Term::Directive(qualifier, mechanism) = term else {
        let Term::Redirect(name) = term else { return String::new() };
        return format!("redirect={}", name.written());
    };
    let cidr = |v4: u8, v6: u8| {
        let v4 = if v4 == 4 { String::new() } else { format!("/{}", 28 + v4) };
        let v6 = if v6 == 4 { String::new() } else { format!("//{}", 124 + v6) };
        v4 + &v6
    };
    let text = match mechanism {
        Mechanism::All => "all".to_owned(),
        Mechanism::Ip4(host, bits) => format!("ip4:192.0.2.{host}/{}", 28 + bits),
        Mechanism::Ip6(host, bits) => format!("ip6:2001:db8::{host:x}/{}", 124 + bits),
        // Only read, never written.
        Mechanism::Wide { .. } => String::new(),
        Mechanism::A(name, v4, v6) => format!("a:{}{}", name.written(), cidr(*v4, *v6)),
        Mechanism::Mx(name, v4, v6) => format!("mx:{}{}", name.written(), cidr(*v4, *v6)),
        Mechanism::Include(name) => format!("include:{}", name.written()),
        Mechanism::Exists(name) => format!("exists:{}", name.written()),
        Mechanism::Ptr(n) => format!("ptr:p{n}.example"),
    };
    if *qualifier == '+' { text } else { format!("{qualifier}{text}") }
}

/// A record as written.
pub fn record(terms: &[Term]) -> String {
    let terms: Vec<String> = terms.iter().map(written).collect();
    format!("v=spf1 {}", terms.join(" ")).trim_end().to_owned()
}

impl Tree {
    /// All of it as a snapshot document, closed.
    pub fn snapshot(&self) -> String {
        let mut answers: Vec<Value> = Vec::new();
        let mut add = |name: String, kind: &str, answered: Answered<String>| {
            answers.push(match answered {
                Answered::Records(records) => json!({ "name": name, "type": kind, "records": records }),
                Answered::Absent => json!({ "name": name, "type": kind, "records": [] }),
                Answered::Failed => json!({ "name": name, "type": kind, "status": "timeout" }),
            });
        };
        let texts = |texts: &[&str]| Answered::Records(texts.iter().map(|text| (*text).to_owned()).collect());
        for (n, domain) in self.domains.iter().enumerate() {
            let answered = match domain {
                Domain::Record(terms) => Answered::Records(vec![record(terms)]),
                Domain::Nothing => Answered::Absent,
                Domain::Other => texts(&["v=spf10 all"]),
                Domain::Several => texts(&["v=spf1 -all", "v=spf1"]),
                Domain::Invalid => texts(&["v=spf1 nclude:d1.example -all"]),
                Domain::Failed => Answered::Failed,
            };
            add(format!("d{n}.example"), "TXT", answered);
            if n.is_multiple_of(2) {
                add(format!("x.d{n}.example"), "A", texts(&["127.0.0.2"]));
            }
        }
        let below = (0..self.domains.len()).map(|n| ('d', n)).chain((0..2).map(|n| ('u', n)));
        for (letter, n) in below {
            for (version, v6) in [("in-addr", false), ("ip6", true)] {
                if has_version(letter, n, v6) {
                    add(format!("{version}.{letter}{n}.example"), "A", texts(&["127.0.0.2"]));
                }
            }
        }
        for (n, host) in self.hosts.iter().enumerate() {
            let addresses = |of: &Answered<u8>, v6: bool| match of {
                Answered::Records(hosts) => {
                    let address = |host: &u8| Client { v6, host: Some(*host) }.address().to_string();
                    Answered::Records(hosts.iter().map(address).collect())
                }
                Answered::Absent => Answered::Absent,
                Answered::Failed => Answered::Failed,
            };
            add(format!("h{n}.example"), "A", addresses(&host.a, false));
            add(format!("h{n}.example"), "AAAA", addresses(&host.aaaa, true));
        }
        for (n, exchange) in self.exchanges.iter().enumerate() {
            let answered = match exchange {
                Answered::Records(hosts) => {
                    Answered::Records(hosts.iter().map(|host| format!("10 h{host}.example.")).collect())
                }
                Answered::Absent => Answered::Absent,
                Answered::Failed => Answered::Failed,
            };
            add(format!("m{n}.example"), "MX", answered);
        }
        json!({ "format": "sendershift-snapshot/1", "closed": true, "answers": answers }).to_string()
    }
}
