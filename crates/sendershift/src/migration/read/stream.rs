//! Reading streams: identities, signatures and their keys.

use std::collections::BTreeMap;

use super::table::{Ids, Table, word};
use crate::dkim::{KeyState, Selector, key};
use crate::dns::{Overlay, Quality, Records, RrSet, Snapshot, Txt};
use crate::document::{Reader, Value};
use crate::error::Problem;
use crate::migration::{Key, Stream};
use crate::name::DomainName;
use crate::plan::{Identity, Signature, SignedAt};

/// What streams refer to, and what they have in common.
pub(super) struct Streams {
    ids: Ids,
    domains: Ids,
    sources: Ids,
    waves: Ids,
    /// The keys that the streams read so far publish.
    keys: BTreeMap<Signature, Key>,
}

impl Streams {
    pub(super) fn new(domains: Ids, sources: Ids, waves: Ids) -> Self {
        let ids = Ids::new("stream", "migration.unknown-stream");
        Self { ids, domains, sources, waves, keys: BTreeMap::new() }
    }

    pub(super) fn read(&mut self, reader: &mut Reader, value: &Value) -> Option<Stream> {
        const SIGNED_AT: [(&str, SignedAt); 2] =
            [("injection", SignedAt::Injection), ("delivery", SignedAt::Delivery)];
        let mut table = Table::new(reader, value)?;
        let (id, title) = table.id(&mut self.ids);
        let now = table.required("now").and_then(|value| self.identity(table.reader, value, false, None));
        let then =
            table.optional("then").and_then(|value| self.identity(table.reader, value, true, now.as_ref()));
        let moves = table.optional("then").is_some();
        let wave = if moves { table.required("wave") } else { table.optional("wave") };
        let wave = wave.and_then(|value| self.waves.reference(table.reader, value));
        if wave.is_some() && !moves {
            let at = table.place("wave");
            table.problem(
                at,
                "migration.wave-without-then",
                "a stream without `then` stays, it moves in no wave",
            );
        }
        let (needs_both, spf_only) = (table.flag("needs_both"), table.flag("spf_only"));
        if needs_both && spf_only {
            let at = table.place("spf_only");
            table.problem(
                at,
                "migration.contradiction",
                "a stream that relies on SPF alone cannot need both",
            );
        }
        let signed_at = table.parsed("signed_at", |text| word(text, &SIGNED_AT)).unwrap_or_default();
        table.finish();
        Some(Stream { id, title, now: now?, then, keys: Vec::new(), wave, needs_both, spf_only, signed_at })
    }

    /// Gives each stream the keys of its signatures, whichever stream said them.
    pub(super) fn share_keys(&self, streams: &mut [Stream]) {
        for stream in streams {
            let signatures = stream.then.iter().flat_map(|then| &then.dkim);
            stream.keys = signatures.filter_map(|signature| self.keys.get(signature).cloned()).collect();
        }
    }

    /// The identity `now`, or `then`, which has the one before for its defaults.
    fn identity(
        &mut self,
        reader: &mut Reader,
        value: &Value,
        is_then: bool,
        before: Option<&Identity>,
    ) -> Option<Identity> {
        let mut table = Table::new(reader, value)?;
        let author_domain = table.required("author_domain").and_then(|value| {
            table.reader.parsed(value, |text| {
                let name = DomainName::parse_for_mail(text)?;
                // Records are published at it.
                if is_then { self.domains.check(name.as_str()).map(|()| name) } else { Ok(name) }
            })
        });
        let mail_from = table.required("mail_from").and_then(|value| {
            table.reader.parsed(value, |text| match text {
                "" => Ok(None),
                _ => DomainName::parse_for_mail(text).map(Some),
            })
        });
        let said = table.optional("helo").is_some();
        let helo = table.parsed("helo", DomainName::parse_for_mail);
        let helo = if said { helo } else { before.and_then(|before| before.helo.clone()) };
        if mail_from == Some(None) && helo.is_none() && !said {
            let at = table.place("mail_from");
            table.problem(
                at,
                "migration.no-helo",
                "a null sender is judged by its HELO name, and there is no `helo`",
            );
        }
        let sources = if is_then { table.optional("sources") } else { table.required("sources") };
        let sources = match (sources, before) {
            (None, Some(before)) => before.sources.clone(),
            _ => table.list("sources", |reader, value| self.sources.reference(reader, value)),
        };
        if table.says_none("sources") {
            let at = table.place("sources");
            table.problem(at, "migration.no-sources", "messages come from somewhere: there is no source");
        }
        let author = author_domain.clone();
        let dkim =
            table.list("dkim", |reader, value| self.signature(reader, value, author.as_ref(), is_then));
        table.finish();
        let id = if is_then { "then" } else { "now" };
        Some(Identity {
            id: id.to_owned(),
            author_domain: author_domain?,
            mail_from: mail_from?,
            helo,
            dkim,
            sources,
        })
    }

    fn signature(
        &mut self,
        reader: &mut Reader,
        value: &Value,
        author: Option<&DomainName>,
        is_then: bool,
    ) -> Option<Signature> {
        let mut table = Table::new(reader, value)?;
        let domain = match table.optional("domain") {
            Some(value) => table.reader.parsed(value, DomainName::parse_for_mail),
            None => author.cloned(),
        };
        let selector: Option<Selector> =
            table.required("selector").and_then(|value| table.reader.parsed(value, str::parse));
        let signature = domain.zip(selector).map(|(domain, selector)| Signature { domain, selector });
        if is_then {
            self.key(&mut table, signature.as_ref());
        }
        table.finish();
        signature
    }

    /// Reads the key to be published for a signature, if one is said.
    fn key(&mut self, table: &mut Table<'_, '_>, signature: Option<&Signature>) {
        let (said, alias) = (table.optional("key"), table.optional("cname"));
        let text = said.and_then(|value| table.reader.parsed(value, Txt::from_text));
        let target = table.parsed("cname", DomainName::parse);
        let assumed = table.text("assumed");
        if said.is_some() && alias.is_some() {
            let at = table.place("cname");
            table.problem(at, "migration.two-keys", "a key is either said by `key` or lies behind `cname`");
        }
        let records = text.map(|text| Records::Txt(vec![text])).or(target.map(Records::Cname));
        let at = table.place(if said.is_some() { "key" } else { "cname" });
        let (Some(records), Some(signature)) = (records, signature) else { return };
        if !self.domains_above(&signature.domain) {
            let message =
                format!("a key is to be published at {}, and no domain here holds it", signature.domain);
            table.problem(at, "migration.unknown-domain", message);
        }
        if said.is_some() {
            for problem in key_problems(signature, &records) {
                table.reader.problem(problem.at(at));
            }
        }
        let key = Key { signature: signature.clone(), records, assumed };
        match self.keys.get(signature) {
            Some(other) if !other.records.same_as(&key.records) => {
                let message = format!(
                    "another key is said for the selector `{}` of {}",
                    signature.selector, signature.domain
                );
                table.problem(at, "migration.keys-differ", message);
            }
            Some(_) => {}
            None => {
                self.keys.insert(signature.clone(), key);
            }
        }
    }

    fn domains_above(&self, name: &DomainName) -> bool {
        name.ancestors().any(|name| self.domains.contains(name.as_str()))
    }
}

/// Why verifiers cannot use a key.
fn key_problems(signature: &Signature, records: &Records) -> Vec<Problem> {
    let name = match signature.selector.key_name(&signature.domain) {
        Ok(name) => name,
        Err(problem) => return vec![problem],
    };
    let mut published = Overlay::new(Snapshot::default());
    published.publish(&name, RrSet::new(records.clone(), None, Quality::Authoritative));
    match key(&published, &signature.domain, &signature.selector) {
        KeyState::Usable(_) => Vec::new(),
        KeyState::Malformed(invalid) => invalid.problems,
        state => {
            let why = match state {
                KeyState::Revoked => "is empty, and so revoked",
                KeyState::Testing(_) => "says that it is only for tests (`t=y`)",
                _ => "is not for mail",
            };
            vec![Problem::new("migration.unusable-key", format!("the key {why}"))]
        }
    }
}
