//! From a failure to a counterexample: replayed through plain evaluation, so that it is not believed unseen.

use std::net::IpAddr;

use super::binding::{Binding, Judgement};
use super::mix::Mix;
use super::promise::{self, Failure};
use super::proof::Counterexample;
use super::world::Choices;
use crate::dmarc::{self, Authenticated, DmarcResult};
use crate::dns::{Evidence, Overlay, Quality, RecordType, Records, RrSet, Snapshot, Txt};
use crate::error::Missing;
use crate::name::DomainName;
use crate::plan::{Plan, Signature};
use crate::spf::{
    Assumed, Branch, Checked, MacroContext, Mechanism, Profile, Query, SpfRecord, SpfResult, Turnout,
    Unknown, check,
};

/// Everything about one failure.
pub(super) struct Found<'a> {
    pub(super) mix: Mix<'a>,
    pub(super) binding: &'a Binding<'a>,
    pub(super) profile: &'a Profile,
    pub(super) failure: &'a Failure,
}

/// How much there is to tell: whether it may follow from another failure of the promise, bounds and versions, whether two identities
/// play a part, RRsets.
pub(super) type Length = (bool, usize, bool, usize);

/// What replaying the failure through plain evaluation gives.
pub(super) struct Replay {
    pub(super) checked: Option<Checked>,
    pub(super) verified: Vec<Signature>,
    /// Signatures that only other receivers can verify.
    pub(super) unknown: Vec<Signature>,
    pub(super) result: DmarcResult,
    pub(super) policy: Option<dmarc::Policy>,
    pub(super) spf_passes: bool,
    pub(super) dkim_aligned: bool,
}

/// A mailbox of the domain that SPF is checked for; which one plays no part.
const LOCAL_PART: &str = "sender";

/// Who is asked about, when SPF is checked: the domain, and the name that the client greets with.
#[derive(Clone, Copy)]
pub(super) struct Client<'a> {
    pub(super) domain: &'a DomainName,
    pub(super) helo: &'a DomainName,
}

impl<'a> Client<'a> {
    pub(super) fn of(binding: &Binding<'a>) -> Option<Self> {
        let domain = binding.checked_domain()?;
        Some(Self { domain, helo: binding.delivered_by.helo.as_ref().unwrap_or(domain) })
    }

    /// What SPF says of it.
    pub(super) fn checked(
        self,
        evidence: &dyn Evidence,
        ip: IpAddr,
        profile: &Profile,
    ) -> Result<Checked, Missing> {
        let query = Query::new(ip, &format!("{LOCAL_PART}@{}", self.domain), self.helo.as_str());
        check(evidence, &query, profile)
    }
}

/// The name that a term asks for with this target and client.
pub(super) fn expanded(client: Client<'_>, target: &str, ip: IpAddr) -> Option<DomainName> {
    let record: SpfRecord = format!("v=spf1 exists:{target}").parse().ok()?;
    let (_, directive) = record.directives().next()?;
    let Mechanism::Exists(spec) = &directive.mechanism else { return None };
    let Client { domain, helo } = client;
    let context = MacroContext {
        local_part: LOCAL_PART,
        sender_domain: domain,
        domain,
        ip,
        helo: helo.as_str(),
        validated: None,
        receiver: None,
        timestamp: 0,
    };
    spec.expand(&context).ok()
}

impl Found<'_> {
    /// A measure of how much there is to tell: the least is told.
    pub(super) fn length(&self) -> Length {
        let mixed = self.binding.delivered_by != self.binding.identity;
        // Where a policy was too weak for a while, it gets stricter again.
        (self.failure.code == "p6.no-gate", self.mix.length(), mixed, self.mix.choices.len())
    }

    /// The counterexample; `None` where plain evaluation does not confirm it, which would be a defect of the prover.
    pub(super) fn counterexample(&self) -> Option<Counterexample> {
        let replay = self.replay()?;
        if !self.confirms(&replay) {
            return None;
        }
        let schedule = self.mix.schedule()?;
        let binding = self.binding;
        let story = self.story(&replay, &schedule);
        Some(Counterexample {
            code: self.failure.code,
            stream: Some(binding.stream.id.clone()),
            identity: Some(binding.identity.id.clone()),
            delivered_by: Some(binding.delivered_by.id.clone()),
            domain: None,
            customer: binding.customer.map(|customer| customer.id.clone()),
            address: self.failure.address,
            mail_from: binding.checked_domain().cloned(),
            helo: binding.delivered_by.helo.clone(),
            judgement: Some(binding.judgement),
            holding: self.mix.holding(),
            mta_sts: binding.policy.map(|held| held.document(self.mix.plan)),
            assuming: self.failure.assuming.iter().cloned().map(Assumed::from).collect(),
            schedule: self.mix.happenings(&schedule),
            spf: replay.checked.clone(),
            dmarc: Some(replay.result),
            policy: replay.policy,
            story,
        })
    }

    /// The evidence as a receiver has it that holds these versions.
    pub(super) fn evidence(&self, choices: &Choices) -> Option<Overlay<&Snapshot>> {
        Some(self.mix.with(choices).published(self.evidence_today()?))
    }

    /// The evidence of the plan, with unknown questions answered as the failure assumes.
    fn evidence_today(&self) -> Option<Overlay<&Snapshot>> {
        assuming(self.mix.plan, Client::of(self.binding), self.failure)
    }

    /// What SPF says of the address of the failure, if it has one.
    fn checked(&self, evidence: &dyn Evidence) -> Option<Result<Checked, Missing>> {
        let client = Client::of(self.binding)?;
        Some(client.checked(evidence, self.failure.address?, self.profile))
    }

    fn replay(&self) -> Option<Replay> {
        let evidence = self.evidence(self.mix.choices)?;
        let binding = self.binding;
        let verified = |profile| -> Vec<Signature> {
            binding.verifiable(&evidence, profile).into_iter().cloned().collect()
        };
        let (verified, mut unknown) = (verified(self.profile), verified(&Profile::RFC7208));
        unknown.retain(|signature| !verified.contains(signature));
        let checked = self.checked(&evidence).transpose().ok()?;
        let domains: Vec<DomainName> = verified.iter().map(|signature| signature.domain.clone()).collect();
        // Where the failure does not depend on the address, SPF is granted: it fails even so.
        let mut spf_passes = checked.as_ref().is_none_or(|checked| checked.result == SpfResult::Pass);
        if binding.greets {
            // DMARC goes by MAIL FROM.
            let mut mail_from = binding.clone();
            mail_from.greets = false;
            let client = Client::of(&mail_from).zip(self.failure.address);
            spf_passes = client.is_none_or(|(client, ip)| {
                client.checked(&evidence, ip, self.profile).is_ok_and(|of| of.result == SpfResult::Pass)
            });
        }
        let spf = binding.spf_domain().filter(|_| spf_passes && binding.judgement == Judgement::Delivery);
        let message = Authenticated { author_domain: &binding.identity.author_domain, spf, dkim: &domains };
        let verdict = dmarc::evaluate(&evidence, &message);
        Some(Replay {
            checked,
            verified,
            unknown,
            result: verdict.result,
            policy: verdict.policy,
            spf_passes: spf_passes && verdict.spf_aligned,
            dkim_aligned: verdict.dkim_aligned,
        })
    }

    /// Whether the plain evaluation shows the same failure.
    fn confirms(&self, replay: &Replay) -> bool {
        let code = self.failure.code;
        if self.binding.customer.is_some() {
            // It is about the order of events alone, and what shows that is its schedule, a solution of all constraints.
            return true;
        }
        if let Some(evidence) = self.evidence(self.mix.choices)
            && let Some(shown) = promise::shows(code, &evidence, self.binding, self.profile)
        {
            return shown;
        }
        match code {
            "p6.read-differently" => self.effect(self.mix.choices).is_some_and(|effect| effect.differ),
            "p6.weaker" => self.step_by_step(promise::Effect::is_weaker_than),
            "p6.no-gate" => self.step_by_step(promise::Effect::raises),
            "p1.no-dmarc-policy" => replay.result == DmarcResult::None,
            "p1.signature-not-verifiable" | "p1.no-dkim-under-enforcement" | "p1.dkim-needed-too" => {
                !replay.dkim_aligned
            }
            "p1.spf-needed-too" => !replay.spf_passes,
            "p1.not-authenticated" => replay.result != DmarcResult::Pass,
            "p2.worse-than-today" => {
                let today = self.evidence_today().and_then(|evidence| self.checked(&evidence)?.ok());
                today.zip(replay.checked.as_ref()).is_some_and(|(today, checked)| match today.result {
                    SpfResult::Pass => checked.result != SpfResult::Pass,
                    SpfResult::None | SpfResult::Neutral => {
                        matches!(checked.result, SpfResult::Fail | SpfResult::SoftFail)
                    }
                    SpfResult::SoftFail => checked.result == SpfResult::Fail,
                    _ => false,
                })
            }
            "p2.refused" => replay
                .checked
                .as_ref()
                .is_some_and(|checked| matches!(checked.result, SpfResult::Fail | SpfResult::SoftFail)),
            _ => replay.checked.as_ref().is_some_and(|checked| {
                // Beyond a limit every receiver of the profile stops, unless an error ended the evaluation before.
                checked.result == SpfResult::PermError
            }),
        }
    }

    fn effect(&self, choices: &Choices) -> Option<promise::Effect> {
        Some(promise::Effect::of(&self.evidence(choices)?, &self.binding.identity.author_domain))
    }

    /// Whether one of the versions stands so to the one that it replaces.
    fn step_by_step(&self, stands: impl Fn(&promise::Effect, &promise::Effect) -> bool) -> bool {
        let Some(now) = self.effect(self.mix.choices) else { return false };
        self.mix.exchanged().any(|before| self.effect(&before).is_some_and(|was| stands(&now, &was)))
    }
}

/// The evidence of a plan, with unknown questions answered as a failure assumes.
pub(super) fn assuming<'p>(
    plan: &'p Plan,
    client: Option<Client<'_>>,
    failure: &Failure,
) -> Option<Overlay<&'p Snapshot>> {
    let mut overlay = Overlay::new(&plan.evidence);
    if let Some(ip) = failure.address {
        for (unknown, branch) in &failure.assuming {
            assume(client, &mut overlay, ip, unknown, *branch)?;
        }
    }
    Some(overlay)
}

/// Adds the answers that let an unknown turn out as assumed for one client.
fn assume(
    client: Option<Client<'_>>,
    evidence: &mut Overlay<&Snapshot>,
    ip: IpAddr,
    unknown: &Unknown,
    branch: Branch,
) -> Option<()> {
    let rrset = |records| RrSet::new(records, None, Quality::Cached);
    let address = rrset(match ip {
        IpAddr::V4(ip) => Records::A(vec![ip]),
        IpAddr::V6(ip) => Records::Aaaa(vec![ip]),
    });
    if unknown.mechanism == "ptr" {
        let target = unknown.target.replace("%_", " ").replace("%%", "%");
        let target: DomainName = target.parse().ok()?;
        let validated =
            if branch.turnout == Turnout::Match { target } else { "client.invalid".parse().ok()? };
        // Ten names are looked at: nine void ones pass the same limits as ten.
        let voids =
            (0..branch.void_queries.min(9)).filter_map(|n| validated.prefixed(&format!("void{n}")).ok());
        let names: Vec<DomainName> = voids.chain([validated.clone()]).collect();
        if branch != (Branch { turnout: Turnout::NoMatch, void_queries: 1 }) {
            evidence.publish(&validated, address);
            evidence.publish(&DomainName::reverse(ip), rrset(Records::Ptr(names)));
        }
        return Some(());
    }
    let name = expanded(client?, &unknown.target, ip)?;
    let text = |text: &str| Some(rrset(Records::Txt(vec![Txt::from_text(text).ok()?])));
    match (unknown.mechanism, branch.turnout) {
        ("exists", Turnout::Match) => {
            evidence.publish(&name, rrset(Records::A(vec![[127, 0, 0, 2].into()])));
        }
        ("a", Turnout::Match) => evidence.publish(&name, address),
        ("include", Turnout::Match) | ("redirect", Turnout::Result(SpfResult::Pass)) => {
            evidence.publish(&name, text("v=spf1 +all")?);
        }
        ("include", Turnout::NoMatch) | ("redirect", Turnout::Result(SpfResult::Fail)) => {
            evidence.publish(&name, text("v=spf1 -all")?);
        }
        ("redirect", Turnout::Result(SpfResult::SoftFail)) => {
            evidence.publish(&name, text("v=spf1 ~all")?);
        }
        ("redirect", Turnout::Result(SpfResult::Neutral)) => {
            evidence.publish(&name, text("v=spf1 ?all")?);
        }
        (_, Turnout::Result(SpfResult::TempError)) => evidence.fail(&name, RecordType::Txt),
        _ => {
            evidence.remove(&name, RecordType::A);
            evidence.remove(&name, RecordType::Txt);
        }
    }
    Some(())
}
