//! Shows counterexamples again: from the document of a proof alone, through the public checks, apart from the prover.

mod others;
mod policies;

use std::net::IpAddr;

use sendershift::dkim::{self, KeyState};
use sendershift::dmarc::{self, Authenticated, Authorised, DkimResult, DmarcResult, Policy};
use sendershift::dns::{Answer, Evidence, Overlay, Quality, RecordType, Resolved, RrSet, Snapshot, resolve};
use sendershift::name::DomainName;
use sendershift::plan::{Change, Identity, Plan, PublishedPolicy, Signature, SignedAt, Step, Stream, Use};
use sendershift::prove::{Counterexample, Happening, Holding, Judged, Judgement, Proof};
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

/// A failure of P3 is one of another promise on the way back: the message has to fail by that one.
fn shows(plan: &Plan, profile: &Profile, found: &Counterexample) -> Result<(), String> {
    if found.code == "p3.not-taken-back" {
        return others::stays_changed(plan, found);
    }
    let Some(code) = found.code.strip_prefix("p3.") else { return shows_as(plan, profile, found) };
    let code = CODES.iter().find(|known| **known == code).ok_or("not a code of P3")?;
    let mut found = found.clone();
    found.code = code;
    shows_as(&taken_back(plan), profile, &found)
}

/// What can fail on the way back.
const CODES: [&str; 38] = [
    "p1.dkim-needed-too",
    "p1.no-dkim-under-enforcement",
    "p1.no-dmarc-policy",
    "p1.not-authenticated",
    "p1.signature-not-verifiable",
    "p1.spf-needed-too",
    "p2.permerror",
    "p2.record-too-large",
    "p2.refused",
    "p2.too-many-lookups",
    "p2.too-many-mx",
    "p2.too-many-mx-addresses",
    "p2.too-many-voids",
    "p2.worse-than-today",
    "p4.given-up-authorised",
    "p4.given-up-in-use",
    "p4.given-up-referenced",
    "p4.key-for-nobody",
    "p4.more-than-needed-for-a-while",
    "p5.no-report-address",
    "p5.report-host-unreachable",
    "p5.report-not-authorised",
    "p6.no-gate",
    "p6.weaker",
    "p9.helo-without-address",
    "p9.mta-sts",
    "p9.mx-alias",
    "p9.no-mail-host",
    "p9.no-such-domain",
    "p9.null-mx",
    "p9.null-mx-beside-others",
    "p10.alignment-changed",
    "p10.key-lost",
    "p10.null-mx",
    "p10.policy-changed",
    "p10.record-removed",
    "p10.spf-changed",
    "p10.unreachable",
];

/// The steps of a plan, and then those of their undo from the last to the first.
fn taken_back(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let undo: Vec<_> = plan.steps.iter().rev().flat_map(|step| step.undo.steps().to_vec()).collect();
    plan.steps.extend(undo);
    plan.mta_sts.extend(policies_again(&plan));
    plan
}

/// The policies of MTA-STS that undo steps publish again: with each the one before.
fn policies_again(plan: &Plan) -> Vec<PublishedPolicy> {
    let mut again = Vec::new();
    for step in plan.steps.iter().rev() {
        let Some(undo) = step.undo.steps().iter().find(|undo| !undo.changes.is_empty()) else { continue };
        for (at, published) in plan.mta_sts.iter().enumerate() {
            let mut before = plan.mta_sts.iter().take(at).rev().filter(|of| of.domain == published.domain);
            if let (Some(before), true) = (before.next(), published.from.as_ref() == Some(&step.id)) {
                let mut policy = before.clone();
                policy.from = Some(undo.id.clone());
                again.push(policy);
            }
        }
    }
    again
}

fn shows_as(plan: &Plan, profile: &Profile, found: &Counterexample) -> Result<(), String> {
    if found.code == "p2.record-too-large" {
        return if found.stream.is_none() { Ok(()) } else { Err("it is about a record".to_owned()) };
    }
    if found.code == "p4.given-up-in-use" {
        return others::still_in_use(plan, found);
    }
    if let Some(domain) = &found.domain {
        return others::shows(plan, profile, found, domain);
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
    if found.code.starts_with("p7.") {
        return comes_too_early(plan, stream, found);
    }
    // The evidence of all plans here is closed: a name that it does not list has no answer, so nothing open matches.
    if found.assuming.iter().any(|assumed| assumed.branch.turnout != Turnout::NoMatch) {
        return Err("it assumes that something matches that the evidence does not have".to_owned());
    }
    match found.code.split_once('.') {
        Some(("p1", _)) => message.breaks_p1(found),
        Some(("p2", _)) => message.breaks_p2(found),
        _ => message.breaks_what_is_published(found),
    }
}

/// P7, from the dates of the course of events and what the plan says of its customer.
fn comes_too_early(plan: &Plan, stream: &Stream, found: &Counterexample) -> Result<(), String> {
    let customer = plan.customers.iter().find(|customer| Some(&customer.id) == found.customer.as_ref());
    let customer = customer.ok_or("no such customer")?;
    let identity = found.identity.as_ref().ok_or("no identity")?;
    if stream.live.contains(identity) {
        return Err("its customers know the identity".to_owned());
    }
    let starts =
        |step: &&Step| step.starts.iter().any(|of| of.stream == stream.id && of.identity == *identity);
    let at = |what: &str, step: Option<&str>| -> Option<i64> {
        let happening =
            |of: &&Happening| of.what == what && (of.what == "judged" || of.step.as_deref() == step);
        let mut instant = plan.parameters.start;
        instant.clone_from(&found.schedule.iter().find(happening)?.at.parse().ok()?);
        Some(instant.as_second())
    };
    let judged = at("judged", None).ok_or("never judged")?;
    let begun = plan.steps.iter().filter(starts).filter_map(|step| at("started", Some(&step.id)));
    if begun.min().is_none_or(|begun| begun > judged) {
        return Err("the identity is not used yet".to_owned());
    }
    let domains = |id: &str| {
        stream.identities.iter().find(|identity| identity.id == id).map(|identity| {
            let signed = identity.dkim.iter().map(|signature| &signature.domain);
            let named = [&identity.author_domain].into_iter().chain(&identity.mail_from);
            (named.cloned().collect::<Vec<_>>(), signed.chain(&identity.helo).cloned().collect::<Vec<_>>())
        })
    };
    let owned = |names: &[DomainName]| {
        names.iter().any(|name| name.ancestors().any(|above| customer.own_domains.contains(&above)))
    };
    let lends = domains(identity).is_some_and(|(named, _)| owned(&named));
    // Whose domain a stream borrows need not be reached by it: then there is nothing to tell, and the records have to be there.
    if !customer.streams.contains(&stream.id) && (!lends || found.code != "p7.not-ready") {
        return Err("no customer of it".to_owned());
    }
    let ready = customer.ready_when.as_deref();
    let broken = match found.code {
        // Seconds are told, and what is less than a second too early counts, too.
        "p7.before-lead-time" => at("done", Some(&customer.notified_by))
            .is_some_and(|told| judged - told <= i64::try_from(customer.lead_time).unwrap_or(i64::MAX)),
        "p7.not-ready" => {
            lends && ready.is_none_or(|step| at("done", Some(step)).is_some_and(|seen| judged <= seen))
        }
        "p7.no-fallback" => {
            let fallback = customer.fallback.as_ref().filter(|fallback| fallback.stream == stream.id);
            let apart = fallback.and_then(|fallback| domains(&fallback.identity));
            let apart = apart.is_some_and(|(named, signed)| !owned(&named) && !owned(&signed));
            // That it is in use is read off the steps in their order, as the plans here have them.
            let place = |step: Option<&str>| plan.steps.iter().position(|of| Some(of.id.as_str()) == step);
            let used = |uses: &[Use]| {
                uses.iter().any(|of| {
                    fallback.is_some_and(|fallback| {
                        of.stream == fallback.stream && of.identity == fallback.identity
                    })
                })
            };
            let live = fallback.is_some_and(|fallback| stream.live.contains(&fallback.identity));
            let begins = live || plan.steps.iter().position(|step| used(&step.starts)) < place(ready);
            let stops = plan.steps.iter().position(|step| used(&step.stops));
            lends && !(apart && begins && stops.is_none_or(|stop| Some(stop) > place(ready)))
        }
        code => return Err(format!("`{code}` is not known here")),
    };
    if broken { Ok(()) } else { Err(format!("{:?}", found.schedule)) }
}

/// What is published at a name when a step begins: all steps before it in the plan are done.
fn before(plan: &Plan, step: &str, name: &DomainName, record_type: RecordType) -> Option<RrSet> {
    let published = |rrset: &Answer<'_>| match rrset {
        Answer::Records(rrset) => Some((*rrset).clone()),
        _ => None,
    };
    let earlier = plan.steps.iter().take_while(|other| other.id != step);
    let changes = earlier.flat_map(|step| &step.changes);
    changes
        .filter(|change| change.name == *name && change.record_type == record_type)
        .fold(published(&plan.evidence.answer(name, record_type)), |rrset, change| {
            change.apply(rrset.as_ref()).unwrap_or(rrset)
        })
}

fn listed(evidence: &Overlay<&Snapshot>, name: &DomainName, kind: RecordType) -> Vec<String> {
    match resolve(evidence, name, kind) {
        Resolved::Records(rrset) => rrset.records().to_texts(),
        _ => Vec::new(),
    }
}

/// Whether a host has an address, and not only that of whoever asks.
fn has_address(evidence: &Overlay<&Snapshot>, name: &DomainName) -> bool {
    let is_elsewhere = |ip: &String| !ip.starts_with("127.") && ip != "::1";
    let addresses = [RecordType::A, RecordType::Aaaa].map(|kind| listed(evidence, name, kind));
    addresses.iter().flatten().any(is_elsewhere)
}

/// The mail exchanges of a domain.
fn exchanges(evidence: &Overlay<&Snapshot>, domain: &DomainName) -> Vec<DomainName> {
    let texts = listed(evidence, domain, RecordType::Mx);
    texts.iter().filter_map(|text| text.split_once(' ')?.1.parse().ok()).collect()
}

/// Whether mail for a domain finds a host (RFC 5321 section 5.1, RFC 7505).
fn accepts_mail(evidence: &Overlay<&Snapshot>, domain: &DomainName) -> bool {
    let hosts = exchanges(evidence, domain);
    if hosts.is_empty() {
        return has_address(evidence, domain);
    }
    hosts.iter().any(|host| has_address(evidence, host)) && hosts.iter().all(|host| !host.is_root())
}

/// Whether somebody gets the reports about a policy: the host takes them, and mail.
fn is_seen(evidence: &Overlay<&Snapshot>, reading: &dmarc::Reading) -> bool {
    reading.reports.iter().any(|report| {
        let host = report.uri.rsplit('@').next().and_then(|host| host.parse().ok());
        let granted =
            !matches!(report.authorised, None | Some(Authorised::Missing { .. } | Authorised::TooLong));
        report.tag == "rua" && granted && host.is_some_and(|host| accepts_mail(evidence, &host))
    })
}

/// The key that is found for a signature, if it can be used.
fn key_data(evidence: &impl Evidence, signature: &Signature) -> Option<String> {
    let KeyState::Usable(record) = dkim::key(evidence, &signature.domain, &signature.selector) else {
        return None;
    };
    record.tags().find(|(tag, _)| *tag == "p").map(|(_, key)| key.split_ascii_whitespace().collect())
}

/// What the servers say after a change, if it can be made.
fn publish(evidence: &mut Overlay<&Snapshot>, change: &Change) {
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
            publish(&mut evidence, change);
        }
        key = key_data(&evidence, signature).or(key);
    }
    key
}

/// The evidence of the plan under what the receiver holds.
fn held<'p>(plan: &'p Plan, found: &Counterexample) -> Overlay<&'p Snapshot> {
    holds(plan, found.holding.iter())
}

fn holds<'p, 'h>(plan: &'p Plan, holding: impl Iterator<Item = &'h Holding>) -> Overlay<&'p Snapshot> {
    let mut evidence = Overlay::new(&plan.evidence);
    for holding in holding {
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
        self.spf_domain().map(|domain| self.spf_for(domain, evidence, ip)).transpose()
    }

    fn spf_for(
        &self,
        domain: &DomainName,
        evidence: &Overlay<&Snapshot>,
        ip: IpAddr,
    ) -> Result<Checked, String> {
        let helo = self.delivered_by.helo.as_ref().unwrap_or(domain);
        let query = Query::new(ip, &format!("somebody@{domain}"), helo.as_str());
        check(evidence, &query, self.profile).map_err(|missing| missing.to_string())
    }

    /// Whether any mail of the stream gets this result of SPF before the plan, at MAIL FROM or as it greets: what is in use, from its own
    /// sources. What goes on when others stop says nothing of the mail of a new identity.
    fn gets_today(&self, result: SpfResult, greets: bool) -> Result<bool, String> {
        let evidence = Overlay::new(&self.plan.evidence);
        let stops = |id: &String| {
            let mut stops = self.plan.steps.iter().flat_map(|step| &step.stops);
            stops.any(|of| of.stream == self.stream.id && of.identity == *id)
        };
        let moves = !self.stream.live.contains(&self.identity.id) && self.stream.live.iter().any(stops);
        let live = self.stream.identities.iter().filter(|of| self.stream.live.contains(&of.id));
        for identity in live.filter(|of| !moves || stops(&of.id)) {
            let domain = if greets {
                identity.helo.as_ref()
            } else {
                identity.mail_from.as_ref().or(identity.helo.as_ref())
            };
            let sources = self.plan.sources.iter().filter(|source| identity.sources.contains(&source.id));
            for range in sources.flat_map(|source| source.addresses.ranges()) {
                let Some(domain) = domain else { continue };
                if self.spf_for(domain, &evidence, range.first())?.result == result {
                    return Ok(true);
                }
            }
        }
        Ok(false)
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

    /// P5, P6, P8 and P9, for one message.
    fn breaks_what_is_published(&self, found: &Counterexample) -> Result<(), String> {
        let author = &self.identity.author_domain;
        let mut message = dmarc::Message::new(author.clone());
        if let Some(domain) = self.spf_domain() {
            message = message.with_spf(domain.clone(), SpfResult::Pass);
        }
        for signature in &self.identity.dkim {
            message = message.with_dkim(signature.domain.clone(), DkimResult::Pass);
        }
        let checked = dmarc::check(&self.evidence, message.clone());
        let old = checked.rfc7489.as_ref().ok_or("no public suffix list")?;
        let broken = match found.code {
            "p5.no-report-address" | "p5.report-not-authorised" | "p5.report-host-unreachable" => {
                // Those who go by the list may find another record.
                let acts = old.policy.is_some_and(|effect| effect.policy > Policy::None);
                !is_seen(&self.evidence, &checked.rfc9989) || acts && !is_seen(&self.evidence, old)
            }
            "p6.weaker" | "p6.no-gate" => others::exchanged(self.plan, found).any(|evidence| {
                let was = dmarc::check(&evidence, message.clone());
                let level = |reading: &dmarc::Reading| {
                    reading
                        .policy
                        .as_ref()
                        .map(|effect| (effect.otherwise.unwrap_or(effect.policy), effect.percent))
                };
                let new = (level(&checked.rfc9989), level(&was.rfc9989));
                let old = (level(old), was.rfc7489.as_ref().and_then(level));
                let stands = |(now, was)| if found.code == "p6.weaker" { now < was } else { now > was };
                [new, old].into_iter().any(stands)
                    || found.code == "p6.no-gate" && refuses_more(author, &self.evidence, &evidence)
            }),
            "p6.read-differently" => checked.rfc9989.policy != old.policy,
            "p8.alignment-differs" => {
                let aligned = |reading: &dmarc::Reading| -> Vec<Option<bool>> {
                    reading.identifiers.iter().map(|identifier| identifier.aligned).collect()
                };
                aligned(&checked.rfc9989) != aligned(old)
            }
            "p9.null-mx" | "p9.null-mx-beside-others" | "p9.no-mail-host" | "p9.no-such-domain" => {
                self.answered(found).is_some_and(|domain| !accepts_mail(&self.evidence, domain))
            }
            "p9.mx-alias" => {
                let hosts = self.answered(found).map(|domain| exchanges(&self.evidence, domain));
                let is_alias =
                    |host: &DomainName| matches!(self.evidence.answer(host, RecordType::A), Answer::Alias(_));
                hosts.is_some_and(|hosts| hosts.iter().all(is_alias))
            }
            "p9.helo-without-address" => {
                self.delivered_by.helo.as_ref().is_some_and(|helo| !has_address(&self.evidence, helo))
            }
            "p9.mta-sts" => {
                return policies::refuse_delivery(self.plan, &self.evidence, self.identity, found);
            }
            code => return Err(format!("`{code}` is not known here")),
        };
        if broken { Ok(()) } else { Err(format!("{checked:?}")) }
    }

    /// The domain that the message is returned or answered to.
    fn answered(&self, found: &Counterexample) -> Option<&DomainName> {
        match found.judgement {
            Some(Judgement::Bounce) => self.identity.mail_from.as_ref(),
            _ => Some(&self.identity.author_domain),
        }
    }

    fn breaks_p2(&self, found: &Counterexample) -> Result<(), String> {
        let ip = found.address.ok_or("no address")?;
        let domain = found.mail_from.as_ref().ok_or("no domain")?;
        let greets = self.delivered_by.helo.as_ref() == Some(domain) && self.spf_domain() != Some(domain);
        if !greets && self.spf_domain() != Some(domain) {
            return Err(format!("nobody checks {domain}"));
        }
        let checked = self.spf_for(domain, &self.evidence, ip)?;
        let today = self.spf_for(domain, &Overlay::new(&self.plan.evidence), ip)?;
        let over = |code: &str| checked.problem.as_ref().is_some_and(|problem| problem.code == code);
        let broken = match found.code {
            "p2.worse-than-today" => match today.result {
                SpfResult::Pass => checked.result != SpfResult::Pass,
                SpfResult::None | SpfResult::Neutral => {
                    matches!(checked.result, SpfResult::Fail | SpfResult::SoftFail)
                }
                _ => false,
            },
            "p2.refused" => {
                matches!(checked.result, SpfResult::Fail | SpfResult::SoftFail)
                    && !self.gets_today(checked.result, greets)?
            }
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

/// Whether mail with a return path or a signature of a domain below its author's, or above it, passes in one evidence and fails in the other.
fn refuses_more(author: &DomainName, now: &dyn Evidence, was: &dyn Evidence) -> bool {
    let near: Vec<DomainName> = author.ancestors().skip(1).chain(author.prefixed("any")).collect();
    let by_spf = near
        .iter()
        .map(|domain| dmarc::Message::new(author.clone()).with_spf(domain.clone(), SpfResult::Pass));
    let by_dkim = near
        .iter()
        .map(|domain| dmarc::Message::new(author.clone()).with_dkim(domain.clone(), DkimResult::Pass));
    let results = |evidence, message| {
        let checked = dmarc::check(evidence, message);
        [Some(checked.rfc9989.result), checked.rfc7489.map(|reading| reading.result)]
    };
    let refuses = |(was, now)| was == Some(DmarcResult::Pass) && now == Some(DmarcResult::Fail);
    by_spf
        .chain(by_dkim)
        .any(|message| results(was, message.clone()).into_iter().zip(results(now, message)).any(refuses))
}
