//! What a DNS message says (RFC 1035 section 4), as a snapshot.

use hickory_proto::op::{MessageType, OpCode, ResponseCode};
use hickory_proto::rr::DNSClass;

use super::places::Places;
use super::{Content, Note, Snapshot, Stored};
use crate::dns::message::{Message, Record, domain_name, records};
use crate::dns::{MAX_ALIASES, Quality, Question, RecordType, Records, RrSet};
use crate::error::Problem;
use crate::name::DomainName;

impl Snapshot {
    /// What a resolver answers to a question: aliases, and records or their absence at the end of them. All of it is of
    /// [cached](Quality::Cached) quality, whatever the message says of its authority: a TTL is what remains of it.
    ///
    /// A response code other than success and NXDOMAIN is an answer too: the question failed. What is not said is not in the snapshot:
    /// where a chain of aliases leads on, and nothing shows that there is nothing at its end, that question is still open.
    ///
    /// # Errors
    ///
    /// What is no answer to the question is never taken for absence: `dns.bad-message` for what cannot be read or contradicts itself,
    /// `dns.other-question`, `dns.truncated` where TCP has to be asked, `dns.referral` of a server that does not resolve,
    /// and `dns.unread-type`. The identifier is not looked at: who asks by datagrams compares it (RFC 5452 section 9.1).
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::dns::{Answer, Evidence, Question, RecordType, Snapshot, snapshot::Note};
    ///
    /// // NXDOMAIN, with an SOA record whose MINIMUM is 900 (RFC 2308 section 2.1).
    /// let message = b"\0\0\x81\x83\0\x01\0\0\0\x01\0\0\x01a\x07example\0\0\x10\0\x01\
    ///     \xc0\x0e\0\x06\0\x01\0\0\x0e\x10\0\x16\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\x03\x84";
    /// let question = Question::new("a.example".parse().unwrap(), RecordType::Txt);
    /// let snapshot = Snapshot::from_message(message, &question, &Note::default()).unwrap();
    /// assert_eq!(snapshot.answer(&question.name, RecordType::A), Answer::NxDomain);
    /// assert_eq!(snapshot.negative(&question.name, RecordType::Txt).unwrap().0, Some(900));
    /// ```
    pub fn from_message(octets: &[u8], question: &Question, note: &Note) -> Result<Self, Problem> {
        question.check_type()?;
        let message = Message::read(octets).ok_or_else(|| bad("it cannot be read"))?;
        let mut reading = Reading { message: &message, note, snapshot: Self::default() };
        match reading.code(question)? {
            ResponseCode::NoError | ResponseCode::NXDomain => reading.follow(question)?,
            _ => reading.add(&question.name, question.record_type, Content::Failed("servfail"), None),
        }
        // The end of a chain of aliases may deny what it led by (RFC 8020).
        let mut places = Places::new(&[], 0);
        reading.snapshot.complete(&mut places);
        places.problems.first().map_or(Ok(reading.snapshot), |(_, problem)| Err(bad(&problem.message)))
    }
}

struct Reading<'m> {
    message: &'m Message<'m>,
    note: &'m Note,
    snapshot: Snapshot,
}

impl Reading<'_> {
    /// The response code, if the message answers the question.
    fn code(&self, question: &Question) -> Result<ResponseCode, Problem> {
        let head = &self.message.head;
        if (head.message_type, head.op_code) != (MessageType::Response, OpCode::Query) {
            return Err(bad("it is none"));
        }
        let [asked] = self.message.questions.as_slice() else { return Err(bad("it has not one question")) };
        let is_asked = domain_name(&asked.name).as_ref() == Some(&question.name);
        if !is_asked
            || u16::from(asked.query_type) != question.record_type.number()
            || asked.query_class != DNSClass::IN
        {
            return Err(Problem::new("dns.other-question", "the message answers another question"));
        }
        if head.truncation {
            return Err(Problem::new("dns.truncated", "the answer is cut short").help("ask again over TCP"));
        }
        Ok(if self.message.extended_code == 0 { head.response_code } else { ResponseCode::ServFail })
    }

    /// Follows aliases to the records (RFC 1034 section 3.6.2). The code is about the name at their end (RFC 6604 section 3).
    fn follow(&mut self, question: &Question) -> Result<(), Problem> {
        let mut here = question.name.clone();
        for aliases in 0..=MAX_ALIASES {
            let data = self.rrset(&here, question.record_type)?;
            let alias = match question.record_type {
                RecordType::Cname => None,
                _ => self.rrset(&here, RecordType::Cname)?,
            };
            let content = match (data, alias) {
                (Some(_), Some(_)) => return Err(bad("a name has an alias and other records")),
                (Some(_), None) if self.message.head.response_code == ResponseCode::NXDomain => {
                    return Err(bad("it has records of a name that it says is not there"));
                }
                (Some(data), None) => (question.record_type, data),
                (None, None) => return self.absence(&here, question.record_type, aliases > 0),
                (None, Some(alias)) => (RecordType::Cname, alias),
            };
            let (record_type, rrset) = content;
            let target = match rrset.records() {
                Records::Cname(target) if question.record_type != RecordType::Cname => Some(target.clone()),
                _ => None,
            };
            let ttl = rrset.ttl();
            self.add(&here, record_type, Content::Records(rrset), ttl);
            match target {
                // A circle, which those who follow the aliases see.
                Some(target) if self.snapshot.nodes.contains_key(&target) => return Ok(()),
                Some(target) => here = target,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// What the message says of a name that it has no records for (RFC 2308 section 2).
    fn absence(
        &mut self,
        name: &DomainName,
        record_type: RecordType,
        is_target: bool,
    ) -> Result<(), Problem> {
        let Message { head, authorities, .. } = self.message;
        let ttl = authorities.iter().filter_map(|record| negative_ttl(record, name)).min();
        if head.response_code == ResponseCode::NXDomain {
            self.add(name, record_type, Content::NxDomain, ttl);
        } else if ttl.is_some() {
            self.add(name, record_type, Content::NoData, ttl);
        } else if is_target {
            // Who does not follow aliases says nothing of where they lead.
        } else if authorities.iter().any(|record| record.is_of(RecordType::Ns))
            || !(head.recursion_available || head.authoritative)
        {
            let problem =
                Problem::new("dns.referral", "the server does not resolve, and does not have the zone");
            return Err(problem.help("ask a resolver"));
        } else {
            self.add(name, record_type, Content::NoData, None);
        }
        Ok(())
    }

    fn add(&mut self, name: &DomainName, record_type: RecordType, content: Content, ttl: Option<u32>) {
        let stored = Stored { content, ttl, quality: Quality::Cached, note: self.note.clone() };
        let node = self.snapshot.nodes.entry(name.clone()).or_default();
        if stored.content == Content::NxDomain {
            node.nxdomain = Some(stored);
        } else {
            node.sets.push((record_type, stored));
        }
    }

    /// The records of a type at a name, each once (RFC 2181 section 5), with the shortest of their TTLs.
    fn rrset(&self, owner: &DomainName, record_type: RecordType) -> Result<Option<RrSet>, Problem> {
        let answers = self.message.answers.iter().filter(|record| record.answers(owner, record_type));
        let found: Vec<&Record<'_>> = answers.collect();
        let Some(ttl) = found.iter().map(|record| record.ttl).min() else { return Ok(None) };
        let records = records(record_type, &found);
        let records = records.ok_or_else(|| bad("there are records that cannot be read, or too many"))?;
        Ok(Some(RrSet::new(records, Some(ttl), Quality::Cached)))
    }
}

/// How long a name may be taken for absent by an SOA record of a zone that it is in (RFC 2308 section 5).
fn negative_ttl(record: &Record<'_>, name: &DomainName) -> Option<u32> {
    let zone = record.owner.as_ref().filter(|_| record.is_of(RecordType::Soa))?;
    name.is_within(zone).then_some(record.ttl.min(record.soa()?.minimum))
}

fn bad(why: &str) -> Problem {
    Problem::new("dns.bad-message", format!("the message is no DNS answer: {why}"))
}

#[cfg(test)]
mod tests {
    use super::{Note, Snapshot};
    use crate::dns::{Answer, Evidence, Question, RecordType};

    /// An alias to a text of two strings, with compressed names.
    const ALIAS: &[u8] = b"\0\0\x81\x80\0\x01\0\x02\0\0\0\0\x05alias\x07example\0\0\x10\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\x01\x2c\0\x09\x06target\xc0\x12\
        \xc0\x2b\0\x10\0\x01\0\0\x01\x2c\0\x07\x01a\x04b\\c\x07";

    fn read(octets: &[u8]) -> Result<Snapshot, &'static str> {
        let question = Question::new("alias.example".parse().unwrap(), RecordType::Txt);
        Snapshot::from_message(octets, &question, &Note::default()).map_err(|problem| problem.code)
    }

    #[test]
    fn an_answer_that_is_cut_anywhere_is_none() {
        let snapshot = read(ALIAS).unwrap();
        let Answer::Records(rrset) = snapshot.answer(&"target.example".parse().unwrap(), RecordType::Txt)
        else {
            panic!("{snapshot:?}")
        };
        assert_eq!(rrset.texts()[0].strings(), ["a", "b\\\\c\\007"]);
        for length in 0..ALIAS.len() {
            assert_eq!(read(&ALIAS[..length]), Err("dns.bad-message"), "{length}");
        }
        let mut too_long = ALIAS.to_vec();
        too_long.resize(65_536, 0);
        assert_eq!(read(&too_long), Err("dns.bad-message"));
    }

    proptest::proptest! {
        /// Octets that change on the way give another answer or none, and never a panic.
        #[test]
        fn any_octets_have_an_answer(at in 0..ALIAS.len(), octet: u8, more in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            let mut octets = ALIAS.to_vec();
            octets[at] = octet;
            octets.extend(&more);
            let _ = read(&octets);
            let _ = read(&more);
        }
    }
}
