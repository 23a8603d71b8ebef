//! Shows counterexamples again: from the document of a proof alone, through the public checks, apart from the prover.

use std::net::IpAddr;

use sendershift::dkim::{self, KeyState};
use sendershift::dmarc::{self, Authenticated, DmarcResult, Policy};
use sendershift::dns::{Answer, Evidence, Overlay, Quality, RecordType, RrSet, Snapshot};
use sendershift::name::DomainName;
use sendershift::plan::{Identity, Plan, Signature, SignedAt, Stream};
use sendershift::prove::{Counterexample, Judged, Judgement, Proof};
use sendershift::spf::{Checked, Profile, Query, SpfResult, Turnout, check};

/// Every counterexample of a proof has to show what it says.
pub(crate) fn all(plan: &Plan, proof: &Proof) -> Result<(), String> {
    let mut shown = 0;
    for promise in proof.promises.iter().filter(|promise| promise.verdict == Judged::Unsafe) {
        let profile = Profile::named(promise.receiver).map_err(|problem| problem.to_string())?;
        let found = promise.counterexample.as_ref().ok_or("unsafe, and no counterexample")?;
        let why = |why| format!("{} at {} is not so: {why}", found.code, promise.receiver);
        shows(plan, profile, found).map_err(why)?;
        shown += 1;
    }
    if shown == 0 { Err("unsafe, and no promise is".to_owned()) } else { Ok(()) }
}

/// The message of a counterexample, judged again.
struct Message<'p> {
    plan: &'p Plan,
    stream: &'p Stream,
    identity: &'p Identity,
    delivered_by: &'p Identity,
    evidence: Overlay<&'p Snapshot>,
    profile: &'p Profile,
}

fn shows(plan: &Plan, profile: &Profile, found: &Counterexample) -> Result<(), String> {
    if found.code == "p2.record-too-large" {
        return if found.stream.is_none() { Ok(()) } else { Err("it is about a record".to_owned()) };
    }
    let stream = plan.streams.iter().find(|stream| Some(&stream.id) == found.stream.as_ref());
    let stream = stream.ok_or("no such stream")?;
    let identity = |id: &Option<String>| stream.identities.iter().find(|of| Some(&of.id) == id.as_ref());
    let message = Message {
        plan,
        stream,
        identity: identity(&found.identity).ok_or("no such identity")?,
        delivered_by: identity(&found.delivered_by).ok_or("no such identity")?,
        evidence: held(plan, found),
        profile,
    };
    // The evidence of all plans here is closed: a name that it does not list has no answer, so nothing open matches.
    if found.assuming.iter().any(|assumed| assumed.branch.turnout != Turnout::NoMatch) {
        return Err("it assumes that something matches that the evidence does not have".to_owned());
    }
    if found.code.starts_with("p1.") { message.breaks_p1(found) } else { message.breaks_p2(found) }
}

/// The key that is found for a signature, if it can be used.
fn key_data(evidence: &impl Evidence, signature: &Signature) -> Option<String> {
    let KeyState::Usable(record) = dkim::key(evidence, &signature.domain, &signature.selector) else {
        return None;
    };
    record.tags().find(|(tag, _)| *tag == "p").map(|(_, key)| key.split_ascii_whitespace().collect())
}

/// The key that an identity signs with: the one that is published when its use begins, or else the last before, or the next.
fn signing_key(plan: &Plan, signature: &Signature, stream: &Stream, signer: &Identity) -> Option<String> {
    let mut evidence = Overlay::new(&plan.evidence);
    let mut key = key_data(&evidence, signature);
    let mut begun = stream.live.contains(&signer.id);
    for step in &plan.steps {
        begun |= step.starts.iter().any(|of| of.stream == stream.id && of.identity == signer.id);
        if begun && key.is_some() {
            return key;
        }
        for change in &step.changes {
            let before = match evidence.answer(&change.name, change.record_type) {
                Answer::Records(rrset) => Some(rrset.clone()),
                _ => None,
            };
            match change.apply(before.as_ref()) {
                Ok(Some(rrset)) => evidence.publish(&change.name, rrset),
                Ok(None) => evidence.remove(&change.name, change.record_type),
                Err(_) => {}
            }
        }
        key = key_data(&evidence, signature).or(key);
    }
    key
}

/// The evidence of the plan under what the receiver holds.
fn held<'p>(plan: &'p Plan, found: &Counterexample) -> Overlay<&'p Snapshot> {
    let mut evidence = Overlay::new(&plan.evidence);
    for holding in &found.holding {
        let question = &holding.question;
        evidence.remove(&question.name, question.record_type);
        evidence.remove(&question.name, RecordType::Cname);
        if let Some(records) = &holding.records {
            evidence.publish(&question.name, RrSet::new(records.clone(), None, Quality::Cached));
        }
    }
    evidence
}

impl Message<'_> {
    fn spf_domain(&self) -> Option<&DomainName> {
        self.identity.mail_from.as_ref().or(self.delivered_by.helo.as_ref())
    }

    fn spf(&self, evidence: &Overlay<&Snapshot>, ip: IpAddr) -> Result<Option<Checked>, String> {
        let Some(domain) = self.spf_domain() else { return Ok(None) };
        let helo = self.delivered_by.helo.as_ref().unwrap_or(domain);
        let query = Query::new(ip, &format!("somebody@{domain}"), helo.as_str());
        check(evidence, &query, self.profile).map(Some).map_err(|missing| missing.to_string())
    }

    /// P1 as `docs/prover.md` has it, for one message.
    fn breaks_p1(&self, found: &Counterexample) -> Result<(), String> {
        let signer =
            if self.stream.signed_at == SignedAt::Injection { self.identity } else { self.delivered_by };
        let verifiable = |signature: &&Signature| {
            let key = key_data(&self.evidence, signature);
            // An Ed25519 key has 32 octets, 44 of base64 (RFC 8463 section 4).
            let known = self.profile.ed25519 || key.as_ref().is_none_or(|key| key.len() != 44);
            known && key.is_some() && key == signing_key(self.plan, signature, self.stream, signer)
        };
        let verified: Vec<DomainName> =
            signer.dkim.iter().filter(verifiable).map(|signature| signature.domain.clone()).collect();
        let later = found.judgement == Some(Judgement::Later);
        // Without an address the failure does not depend on SPF: then it has to show even if SPF passes.
        let checked = found.address.map(|ip| self.spf(&self.evidence, ip)).transpose()?.flatten();
        let passes = checked.is_none_or(|checked| checked.result == SpfResult::Pass);
        let message = Authenticated {
            author_domain: &self.identity.author_domain,
            spf: self.spf_domain().filter(|_| passes && !later),
            dkim: &verified,
        };
        let verdict = dmarc::evaluate(&self.evidence, &message);
        let applied = verdict.discovery.applied.as_ref();
        let enforcing = applied.is_some_and(|applied| {
            [applied.declared, applied.record.subdomain_policy(), applied.record.nonexistent_policy()]
                .into_iter()
                .any(|policy| policy > Policy::None)
        });
        let relies = !self.stream.spf_only && !signer.dkim.is_empty();
        let broken = match found.code {
            "p1.no-dmarc-policy" => applied.is_none(),
            "p1.signature-not-verifiable" => later && relies && !verdict.dkim_aligned,
            "p1.no-dkim-under-enforcement" => enforcing && !self.stream.spf_only && !verdict.dkim_aligned,
            "p1.dkim-needed-too" => self.stream.needs_both && !verdict.dkim_aligned,
            "p1.spf-needed-too" => self.stream.needs_both && !verdict.spf_aligned,
            "p1.not-authenticated" => verdict.result != DmarcResult::Pass,
            code => return Err(format!("`{code}` is not known here")),
        };
        if broken { Ok(()) } else { Err(format!("{verdict:?}")) }
    }

    fn breaks_p2(&self, found: &Counterexample) -> Result<(), String> {
        let ip = found.address.ok_or("no address")?;
        let checked = self.spf(&self.evidence, ip)?.ok_or("no domain")?;
        let today = self.spf(&Overlay::new(&self.plan.evidence), ip)?.ok_or("no domain")?;
        let over = |code: &str| checked.problem.as_ref().is_some_and(|problem| problem.code == code);
        let broken = match found.code {
            "p2.worse-than-today" => match today.result {
                SpfResult::Pass => checked.result != SpfResult::Pass,
                SpfResult::None | SpfResult::Neutral => {
                    matches!(checked.result, SpfResult::Fail | SpfResult::SoftFail)
                }
                _ => false,
            },
            "p2.permerror" => checked.result == SpfResult::PermError,
            "p2.too-many-lookups" => over("spf.too-many-lookups"),
            "p2.too-many-voids" => over("spf.too-many-voids"),
            "p2.too-many-mx" => over("spf.too-many-mx"),
            "p2.too-many-mx-addresses" => over("spf.too-many-mx-addresses"),
            code => return Err(format!("`{code}` is not known here")),
        };
        if broken { Ok(()) } else { Err(format!("{checked:?}, and today {today:?}")) }
    }
}
