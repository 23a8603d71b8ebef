//! DNS messages (RFC 1035 section 4), as resolvers take and send them; over HTTPS they are the same octets (RFC 8484 section 6).
//!
//! [`Question::to_message`] asks, and [`Snapshot::from_message`](super::Snapshot::from_message) reads what is answered.

use std::collections::BTreeSet;

use hickory_proto::ProtoError;
use hickory_proto::op::{Edns, Header, HeaderCounts, MessageType, Metadata, OpCode, Query};
use hickory_proto::rr::Name;
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder};

use super::{MAX_TTL, Mx, Question, RecordType, Records, Soa, Txt};
use crate::error::Problem;
use crate::name::DomainName;

/// How large an answer may be that comes in a datagram: it passes where packets of 1280 octets do.
const MAX_PAYLOAD: u16 = 1232;
/// Octets in the longest message: its length is told in 16 bits (RFC 1035 section 4.2.2).
const MAX_OCTETS: usize = 65_535;
/// The class of the Internet.
const IN: u16 = 1;
/// The pseudo-record of EDNS, whose TTL begins with the upper bits of the response code (RFC 6891 section 6.1.3).
const OPT: u16 = 41;

impl Question {
    /// The message that asks a resolver: it wants recursion, has EDNS (RFC 6891), and the identifier 0, by which caches know a question
    /// again in DNS over HTTPS (RFC 8484 section 4.1). Who asks by datagrams sets one of their own in the first two octets.
    ///
    /// # Errors
    ///
    /// `dns.unread-type` for a type whose records are not read from messages.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::dns::{Question, RecordType};
    ///
    /// let message = Question::new("a.example".parse()?, RecordType::Txt).to_message()?;
    /// assert_eq!(message[..12], [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    /// assert_eq!(message[12..27], *b"\x01a\x07example\0\0\x10\0\x01");
    /// # Ok::<(), sendershift::error::Problem>(())
    /// ```
    pub fn to_message(&self) -> Result<Vec<u8>, Problem> {
        self.check_type()?;
        self.message().map_err(|_| Problem::new("dns.bad-name", format!("{} cannot be asked for", self.name)))
    }

    fn message(&self) -> Result<Vec<u8>, ProtoError> {
        let mut name = Name::root();
        for label in self.name.label_octets() {
            name = name.append_label(label.as_ref())?;
        }
        let mut metadata = Metadata::new(0, MessageType::Query, OpCode::Query);
        metadata.recursion_desired = true;
        let counts = HeaderCounts { queries: 1, additionals: 1, ..HeaderCounts::default() };
        let mut octets = Vec::new();
        let mut encoder = BinEncoder::new(&mut octets);
        Header { metadata, counts }.emit(&mut encoder)?;
        Query::query(name, self.record_type.number().into()).emit(&mut encoder)?;
        Edns::new().set_max_payload(MAX_PAYLOAD).emit(&mut encoder)?;
        Ok(octets)
    }

    pub(super) fn check_type(&self) -> Result<(), Problem> {
        let RecordType::Other(_) = self.record_type else { return Ok(()) };
        let message = format!("records of type {} are not read from messages", self.record_type);
        Err(Problem::new("dns.unread-type", message)
            .help("the types are A, AAAA, CNAME, MX, NS, PTR, SOA and TXT"))
    }
}

/// A message, its records not looked into.
pub(super) struct Message<'m> {
    pub(super) head: Metadata,
    pub(super) questions: Vec<Query>,
    pub(super) answers: Vec<Record<'m>>,
    pub(super) authorities: Vec<Record<'m>>,
    /// The upper bits of the response code.
    pub(super) extended_code: u32,
}

/// A record of class IN.
pub(super) struct Record<'m> {
    /// None where the text of names cannot say it.
    pub(super) owner: Option<DomainName>,
    number: u16,
    pub(super) ttl: u32,
    data: Data<'m>,
}

/// The data of a record: names in it may be completed by what stands before it in the message.
struct Data<'m> {
    message: BinDecoder<'m>,
    octets: &'m [u8],
}

impl<'m> Message<'m> {
    /// Reads a message; none if it is broken.
    pub(super) fn read(octets: &'m [u8]) -> Option<Self> {
        let mut decoder = BinDecoder::new(octets.get(..=MAX_OCTETS).is_none().then_some(octets)?);
        let Header { metadata: head, counts } = Header::read(&mut decoder).ok()?;
        let questions = (0..counts.queries).map(|_| Query::read(&mut decoder).ok()).collect::<Option<_>>()?;
        let mut extended_code = 0;
        let mut section = |count| -> Option<Vec<Record<'m>>> {
            let mut records = Vec::new();
            for _ in 0..count {
                let (class, record) = Record::read(&mut decoder)?;
                if record.number == OPT {
                    extended_code |= record.ttl >> 24;
                } else if class == IN {
                    // A larger TTL counts as 0 (RFC 2181 section 8).
                    records.push(Record { ttl: if record.ttl > MAX_TTL { 0 } else { record.ttl }, ..record });
                }
            }
            Some(records)
        };
        let (answers, authorities) = (section(counts.answers)?, section(counts.authorities)?);
        section(counts.additionals)?;
        Some(Self { head, questions, answers, authorities, extended_code })
    }
}

impl<'m> Record<'m> {
    /// A record of any class, and the class.
    fn read(decoder: &mut BinDecoder<'m>) -> Option<(u16, Self)> {
        let owner = domain_name(&Name::read(decoder).ok()?);
        let number = u16::read(decoder).ok()?;
        let class = u16::read(decoder).ok()?;
        let ttl = u32::read(decoder).ok()?;
        let length = u16::read(decoder).ok()?;
        let message = decoder.clone(u16::try_from(decoder.index()).ok()?);
        let octets = decoder.read_slice(length.into()).ok()?.unverified();
        Some((class, Self { owner, number, ttl, data: Data { message, octets } }))
    }

    /// Whether this is a record of a type at a name.
    pub(super) fn answers(&self, name: &DomainName, record_type: RecordType) -> bool {
        self.number == record_type.number() && self.owner.as_ref() == Some(name)
    }

    pub(super) fn is_of(&self, record_type: RecordType) -> bool {
        self.number == record_type.number()
    }

    pub(super) fn soa(&self) -> Option<Soa> {
        self.data.read_names(|decoder| {
            let (primary, mailbox) = (name(decoder)?, name(decoder)?);
            let mut number = || u32::read(decoder).ok();
            let numbers = [number()?, number()?, number()?, number()?];
            Some(Soa { primary, mailbox, numbers, minimum: number()? })
        })
    }
}

impl Data<'_> {
    /// What a reader makes of the data; none unless it takes all of it.
    fn read_names<T>(&self, read: impl FnOnce(&mut BinDecoder<'_>) -> Option<T>) -> Option<T> {
        let mut decoder = self.message.clone(u16::try_from(self.message.index()).ok()?);
        let read = read(&mut decoder)?;
        (decoder.index() == self.message.index() + self.octets.len()).then_some(read)
    }
}

/// The character-strings of a text, of which there is one at the least (RFC 1035 section 3.3.14).
fn strings(data: &Data<'_>) -> Option<Txt> {
    let mut decoder = BinDecoder::new(data.octets);
    let mut strings = Vec::new();
    while !decoder.is_empty() || strings.is_empty() {
        strings.push(decoder.read_character_data().ok()?.unverified().to_vec());
    }
    Some(Txt::from_octets(&strings))
}

/// The data of records of one type, each once (RFC 2181 section 5); none where some cannot be read, or there are too many.
pub(super) fn records(record_type: RecordType, records: &[&Record<'_>]) -> Option<Records> {
    fn each<T: Ord + Clone>(
        records: &[&Record<'_>],
        read: impl Fn(&Data<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for record in records {
            let one = read(&record.data)?;
            if seen.insert(one.clone()) {
                all.push(one);
            }
        }
        Some(all)
    }
    let names = || each(records, |data| data.read_names(name));
    Some(match record_type {
        RecordType::A => {
            Records::A(each(records, |data| Some(<[u8; 4]>::try_from(data.octets).ok()?.into()))?)
        }
        RecordType::Aaaa => {
            Records::Aaaa(each(records, |data| Some(<[u8; 16]>::try_from(data.octets).ok()?.into()))?)
        }
        RecordType::Ns => Records::Ns(names()?),
        RecordType::Ptr => Records::Ptr(names()?),
        RecordType::Cname => {
            let [target] = names()?.try_into().ok()?;
            Records::Cname(target)
        }
        RecordType::Mx => {
            let host = |decoder: &mut BinDecoder<'_>| {
                Some(Mx { preference: u16::read(decoder).ok()?, exchange: name(decoder)? })
            };
            let mut hosts = each(records, |data| data.read_names(host))?;
            hosts.sort();
            Records::Mx(hosts)
        }
        RecordType::Soa => {
            let [soa] = records else { return None };
            Records::Soa(soa.soa()?)
        }
        RecordType::Txt => Records::Txt(each(records, strings)?),
        RecordType::Other(_) => return None,
    })
}

fn name(decoder: &mut BinDecoder<'_>) -> Option<DomainName> {
    domain_name(&Name::read(decoder).ok()?)
}

pub(super) fn domain_name(name: &Name) -> Option<DomainName> {
    DomainName::from_labels(name.iter())
}
