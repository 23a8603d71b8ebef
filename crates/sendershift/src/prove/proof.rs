//! The verdict on a plan, as a document (`sendershift-proof/1`).

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::binding::Judgement;
use super::explore::Explored;
use super::margin::Margin;
use super::progress::Progress;
use crate::adjacent::MtaStsPolicy;
use crate::dmarc;
use crate::dns::{Question, Records};
use crate::name::DomainName;
use crate::plan::Remark;
use crate::spf::{Assumed, Checked};

/// The `format` of a proof document.
pub const FORMAT: &str = "sendershift-proof/1";

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// Nothing that the model allows breaks the promise.
    Safe,
    /// It was not settled; the remarks say why.
    Undecided,
    /// There is a counterexample.
    Unsafe,
}

/// What was found out about a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Proof {
    /// The verdict on all that was judged.
    pub verdict: Judged,
    /// The promises that were judged.
    pub judged: Vec<&'static str>,
    /// Those that were not: about these the verdict says nothing.
    pub not_judged: Vec<&'static str>,
    /// The verdict on each promise at each kind of receiver.
    pub promises: Vec<PromiseVerdict>,
    /// What was looked at.
    pub explored: Explored,
    /// Why something is undecided.
    pub undecided: Vec<Remark>,
    /// What the verdict takes for granted.
    pub assumptions: Vec<Remark>,
    /// What has to hold besides for the verdict to apply.
    pub conditions: Vec<Remark>,
    /// What is worth knowing, and changes no verdict.
    pub findings: Vec<Remark>,
    /// How much staler caches and longer queues could be. [`prove`](super::prove) does not compute it, as it takes several proofs:
    /// [`margin`](super::margin) does.
    pub margin: Option<Margin>,
    /// How far the plan has come, where it was judged on what DNS says now ([`prove_now`](super::prove_now)).
    pub progress: Option<Progress>,
}

impl Serialize for Proof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Proof", 12)?;
        document.serialize_field("format", FORMAT)?;
        document.serialize_field("verdict", &self.verdict)?;
        document.serialize_field("judged", &self.judged)?;
        document.serialize_field("not_judged", &self.not_judged)?;
        document.serialize_field("promises", &self.promises)?;
        document.serialize_field("explored", &self.explored)?;
        document.serialize_field("undecided", &self.undecided)?;
        document.serialize_field("assumptions", &self.assumptions)?;
        document.serialize_field("conditions", &self.conditions)?;
        document.serialize_field("findings", &self.findings)?;
        document.serialize_field("margin", &self.margin)?;
        match &self.progress {
            Some(progress) => document.serialize_field("progress", progress)?,
            None => document.skip_field("progress")?,
        }
        document.end()
    }
}

/// The verdict on one promise at one kind of receiver.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PromiseVerdict {
    /// The promise: `p1` to `p10`.
    pub promise: &'static str,
    /// The receiver profile.
    pub receiver: &'static str,
    /// The verdict.
    pub verdict: Judged,
    /// The shortest counterexample, if there is one.
    pub counterexample: Option<Counterexample>,
}

/// One message, or one record, for which a promise does not hold.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Counterexample {
    /// A stable name for what goes wrong.
    pub code: &'static str,
    /// The stream of the message.
    pub stream: Option<String>,
    /// The identity that it carries.
    pub identity: Option<String>,
    /// The identity whose sources deliver it.
    pub delivered_by: Option<String>,
    /// The name that it is about, where it is about no message of a stream.
    pub domain: Option<DomainName>,
    /// The customer that it reaches too early.
    pub customer: Option<String>,
    /// The address that it comes from.
    pub address: Option<std::net::IpAddr>,
    /// The domain that SPF is checked for.
    pub mail_from: Option<DomainName>,
    /// What the sources greet with.
    pub helo: Option<DomainName>,
    /// When it is judged.
    pub judgement: Option<Judgement>,
    /// The versions that the receiver holds of the RRsets that it asks for and that the plan changes.
    pub holding: Vec<Holding>,
    /// The MTA-STS policy that whoever returns or answers the message holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mta_sts: Option<HeldPolicy>,
    /// How the questions that the evidence leaves open turn out.
    pub assuming: Vec<Assumed>,
    /// One course of events with these versions, in the order of time; steps that play no part are left out.
    pub schedule: Vec<Happening>,
    /// What `check_host()` says of it.
    pub spf: Option<Checked>,
    /// What DMARC says of it.
    pub dmarc: Option<dmarc::DmarcResult>,
    /// The DMARC policy in effect.
    pub policy: Option<dmarc::Policy>,
    /// The story, for people.
    pub story: Vec<String>,
}

/// A version that a receiver holds.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Holding {
    /// The question that it answers.
    #[serde(flatten)]
    pub question: Question,
    /// The records; none where it holds that there are none.
    pub records: Option<Records>,
    /// The step that published the version; none where it is from before the plan.
    pub published_by: Option<String>,
    /// The step that replaces it, if any does.
    pub replaced_by: Option<String>,
    /// How many seconds after that step is done a cache may still answer with it.
    pub kept_for: Option<u64>,
}

/// A policy of MTA-STS that a sender holds (RFC 8461).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeldPolicy {
    /// The domain that mail is sent to.
    pub domain: DomainName,
    /// The policy.
    pub policy: MtaStsPolicy,
    /// The step that published it; none where it is from before the plan.
    pub published_by: Option<String>,
    /// The step that replaces it, if any does.
    pub replaced_by: Option<String>,
    /// How many seconds after that step is done a sender may still hold it.
    pub kept_for: Option<u64>,
}

/// Something that happens at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Happening {
    /// The instant, RFC 3339.
    pub at: String,
    /// What happens: `started`, `done`, `injected` or `judged`.
    pub what: &'static str,
    /// The step, for the first two.
    pub step: Option<String>,
}

impl Counterexample {
    /// A counterexample that is about a name and no message.
    pub(super) fn of_name(code: &'static str, name: DomainName, story: String) -> Self {
        Self { domain: Some(name), ..Self::of_record(code, story) }
    }

    /// A counterexample that is about a record and no message.
    pub(super) fn of_record(code: &'static str, story: String) -> Self {
        Self {
            code,
            domain: None,
            stream: None,
            identity: None,
            delivered_by: None,
            customer: None,
            address: None,
            mail_from: None,
            helo: None,
            judgement: None,
            holding: Vec::new(),
            mta_sts: None,
            assuming: Vec::new(),
            schedule: Vec::new(),
            spf: None,
            dmarc: None,
            policy: None,
            story: vec![story],
        }
    }
}
