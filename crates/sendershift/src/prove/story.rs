//! The story of a counterexample, for people.

use jiff::{Timestamp, tz};

use super::binding::Judgement;
use super::counterexample::{Found, Replay};
use super::mix::Mix;
use super::schedule::Schedule;
use crate::dmarc::{self, DmarcResult};
use crate::plan::Customer;
use crate::spf::{Branch, Turnout, Unknown};

/// Something to tell: its instant, its rank among what happens then, and the words.
pub(super) type Told = (i64, u8, String);

impl Mix<'_> {
    /// An instant as text: RFC 3339 for documents, shorter for people.
    pub(super) fn time(&self, seconds: i64, for_documents: bool) -> String {
        let instant = Timestamp::from_second(self.plan.parameters.start.as_second().saturating_add(seconds));
        let Ok(instant) = instant else { return format!("{seconds} s after the start") };
        if for_documents {
            return instant.to_string();
        }
        let offset = tz::Offset::from_seconds(self.plan.parameters.utc_offset).unwrap_or(tz::Offset::UTC);
        offset.to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// What the steps do that play a part.
    pub(super) fn happened(&self, schedule: &Schedule) -> Vec<Told> {
        let mut events = Vec::new();
        for step in self.parts() {
            let Some(named) = self.plan.steps.get(step) else { continue };
            let (start, done) = (schedule.start(step), schedule.done(step));
            let title = if named.title.is_empty() { String::new() } else { format!(" ({})", named.title) };
            if start == done {
                events.push((start, 0, format!("step `{}` is done{title}.", named.id)));
            } else {
                events.push((start, 0, format!("step `{}` starts{title}.", named.id)));
                events.push((done, 3, format!("step `{}` is done.", named.id)));
            }
        }
        events
    }

    /// The events as lines, in the order of time.
    pub(super) fn in_order(&self, mut events: Vec<Told>) -> Vec<String> {
        events.sort();
        events.into_iter().map(|(at, _, text)| format!("{}: {text}", self.time(at, false))).collect()
    }

    /// What the receiver holds.
    pub(super) fn held(&self) -> Vec<String> {
        let mut story = Vec::new();
        for holding in self.holding() {
            let records = holding.records.as_ref().map_or_else(
                || "that there is none".to_owned(),
                |records| {
                    records
                        .to_texts()
                        .iter()
                        .map(|text| format!("\"{}\"", shortened(text)))
                        .collect::<Vec<_>>()
                        .join(", ")
                },
            );
            let since = match (&holding.published_by, &holding.replaced_by) {
                (None, None) => String::new(),
                (None, Some(step)) => format!(", as before step `{step}`"),
                (Some(step), None) => format!(", as step `{step}` left it"),
                (Some(first), Some(second)) => format!(", as between steps `{first}` and `{second}`"),
            };
            let kept = match (&holding.replaced_by, holding.kept_for) {
                (Some(_), Some(seconds)) => format!(
                    "; caches may keep it for {} after",
                    duration(i64::try_from(seconds).unwrap_or(i64::MAX))
                ),
                _ => String::new(),
            };
            story.push(format!("The receiver holds for {}: {records}{since}{kept}.", holding.question));
        }
        story
    }
}

/// How the questions turn out that the evidence leaves open.
pub(super) fn assumed(assuming: &[(Unknown, Branch)]) -> impl Iterator<Item = String> {
    assuming.iter().map(|(unknown, branch)| {
        let turnout = match branch.turnout {
            Turnout::Match => "matches".to_owned(),
            Turnout::NoMatch => "does not match".to_owned(),
            Turnout::Result(result) => format!("gives {result}"),
        };
        format!("Here {}:{} {turnout}.", unknown.mechanism, unknown.target)
    })
}

impl Found<'_> {
    pub(super) fn story(&self, replay: &Replay, schedule: &Schedule) -> Vec<String> {
        let binding = self.binding;
        let identity = binding.identity;
        let from = match &identity.mail_from {
            Some(domain) => format!("MAIL FROM {domain}"),
            None => "the null sender".to_owned(),
        };
        let mut events = vec![(
            schedule.injected,
            1,
            format!(
                "a message of `{}` is injected as `{}`: From {}, {from}.",
                binding.stream.id, identity.id, identity.author_domain
            ),
        )];
        events.extend(self.mix.happened(schedule));
        let address =
            self.failure.address.map_or_else(|| "any of its addresses".to_owned(), |ip| ip.to_string());
        let by = if binding.delivered_by.id == identity.id {
            String::new()
        } else {
            format!(", with the sources of `{}`", binding.delivered_by.id)
        };
        let waited = duration(schedule.judged - schedule.injected);
        events.push((
            schedule.judged,
            2,
            match binding.judgement {
                Judgement::Delivery if schedule.judged == schedule.injected => {
                    format!("it is delivered at once, from {address}{by}, and judged.")
                }
                Judgement::Delivery => {
                    format!("after {waited} in the queue it is delivered from {address}{by}, and judged.")
                }
                Judgement::Bounce => {
                    let to = identity.mail_from.as_ref().map_or("", |domain| domain.as_str());
                    format!("{waited} after its injection it cannot be delivered, and is returned to {to}.")
                }
                Judgement::Reply => {
                    format!("{waited} after its injection somebody answers it, to {}.", identity.author_domain)
                }
                Judgement::Later => {
                    format!("{waited} after its injection its signature is verified again, behind the first receiver.")
                }
            },
        ));
        let mut story = self.mix.in_order(events);
        story.extend(self.mix.held());
        if let (Some(held), Some(evidence)) = (binding.policy, self.evidence(self.mix.choices)) {
            story.extend(held.story(self.mix.plan, &evidence));
        }
        story.extend(assumed(&self.failure.assuming));
        if let Some(customer) = binding.customer {
            story.push(told(customer));
        } else if self.failure.code == "p9.helo-without-address" {
            let helo = binding.delivered_by.helo.as_ref().map_or("", |helo| helo.as_str());
            story.push(format!("It comes with the greeting {helo}, and neither A nor AAAA is found there."));
        } else if matches!(binding.judgement, Judgement::Delivery | Judgement::Later) {
            story.push(self.verdict(replay));
        }
        story.push(format!("{}.", reason(self.failure.code)));
        story
    }

    /// What the receiver makes of the message, as far as the promise is about that: of what nobody asked for, the versions are open.
    fn verdict(&self, replay: &Replay) -> String {
        let mut parts = Vec::new();
        let policy = match replay.policy {
            None => "no policy record",
            Some(dmarc::Policy::None) => "p=none",
            Some(dmarc::Policy::Quarantine) => "p=quarantine",
            Some(dmarc::Policy::Reject) => "p=reject",
        };
        if self.failure.code.starts_with("p5.") {
            return format!("DMARC: {policy}.");
        }
        if let (Some(checked), Some(domain)) = (&replay.checked, self.binding.checked_domain()) {
            let problem =
                checked.problem.as_ref().map(|problem| format!(", {}", problem.code)).unwrap_or_default();
            let greeting = if self.binding.greets { ", as it greets" } else { "" };
            parts.push(format!(
                "SPF for {domain}{greeting}: {} ({} lookups, {} void{problem})",
                checked.result, checked.lookups, checked.voids
            ));
        }
        if self.failure.code.starts_with("p2.") {
            return format!("{}.", parts.join("; "));
        }
        for signature in self.binding.signatures() {
            let state = if replay.verified.contains(signature) {
                "key found"
            } else if replay.unknown.contains(signature) {
                "an Ed25519 key, which this receiver does not know (RFC 8463): sign with RSA beside it"
            } else {
                "no key that verifies it"
            };
            let aligned = if replay.dkim_aligned { "" } else { ", nothing aligned" };
            parts.push(format!("DKIM {} at {}: {state}{aligned}", signature.selector, signature.domain));
        }
        if self.binding.signatures().is_empty() {
            parts.push("no DKIM signature".to_owned());
        }
        let result = match replay.result {
            DmarcResult::Pass => "pass",
            DmarcResult::Fail => "fail",
            DmarcResult::None => "none",
            DmarcResult::TempError => "temperror",
        };
        parts.push(format!("DMARC: {result} ({policy})"));
        format!("{}.", parts.join("; "))
    }
}

/// What has to come before a customer gets messages of a new identity.
fn told(customer: &Customer) -> String {
    let lead = duration(i64::try_from(customer.lead_time).unwrap_or(i64::MAX));
    let ready = match &customer.ready_when {
        _ if customer.own_domains.is_empty() => String::new(),
        Some(step) => format!(", and is ready when step `{step}` is done"),
        None => ", and no step says when it is ready".to_owned(),
    };
    format!(
        "Customer `{}` is told by step `{}`, with a lead time of {lead}{ready}.",
        customer.id, customer.notified_by
    )
}

/// Why a failure is one, for people.
pub(super) fn reason(code: &str) -> &'static str {
    match code {
        "p1.no-dmarc-policy" => {
            "Without a policy record there is no DMARC pass, and nothing aligns between sibling domains"
        }
        "p1.no-dkim-under-enforcement" => {
            "Under an enforcing policy an aligned DKIM pass is needed: SPF alone is lost wherever mail is forwarded (RFC 9989 section 7)"
        }
        "p1.dkim-needed-too" => "The stream needs SPF and DKIM both, and DKIM does not pass",
        "p1.spf-needed-too" => "The stream needs SPF and DKIM both, and SPF does not pass",
        "p1.not-authenticated" => "Neither SPF nor DKIM gives an aligned pass",
        "p1.signature-not-verifiable" => {
            "Behind the first receiver only the signature can be verified, and no aligned key is there any more"
        }
        "p2.permerror" => {
            "A permerror is what a receiver may reject mail for, whatever DKIM says (RFC 7208 section 8.7)"
        }
        "p2.worse-than-today" => "Today SPF says better of this address for this domain",
        "p2.refused" => {
            "SPF says so of no message of this stream today; a receiver may refuse it for that as it greets or at MAIL FROM, before it sees a signature (RFC 7208 sections 2.3 and 8.4, RFC 9989 section 7.1)"
        }
        "p2.too-many-lookups" => "That is more lookups than this receiver allows (RFC 7208 section 4.6.4)",
        "p2.too-many-voids" => "That is more void lookups than this receiver allows (RFC 7208 section 4.6.4)",
        "p5.no-report-address" => {
            "The policy makes receivers act on what fails, and nobody gets reports about it"
        }
        "p5.report-not-authorised" => {
            "The policy makes receivers act on what fails, and the host for reports does not say that it takes them (RFC 9990)"
        }
        "p5.report-host-unreachable" => {
            "The policy makes receivers act on what fails, and the host for reports accepts no mail"
        }
        "p6.weaker" => {
            "The policy in effect is weaker than with the record before: what was refused may be delivered"
        }
        "p6.no-gate" => {
            "The policy or its alignment gets stricter, and no gate between it and the one before lets anybody look at reports (RFC 9989 section 7.4)"
        }
        "p6.read-differently" => {
            "Receivers of RFC 7489 and of RFC 9989 take the policy differently: give `pct` no value but 0, and that only beside `t=y`"
        }
        "p7.before-lead-time" => {
            "The new identity reaches a customer who has not been told its lead time before: gateways that do not know it refuse it"
        }
        "p7.not-ready" => {
            "The customer's own domain is used before anybody has seen that its records are there"
        }
        "p7.no-fallback" => {
            "Until the customer is ready the stream needs an identity without its domains, in use before and until then, and has none"
        }
        "p8.alignment-differs" => {
            "By public suffix list (RFC 7489) other identifiers align than by tree walk (RFC 9989 section 4.10)"
        }
        "p9.null-mx" => "The domain says that it accepts no mail (RFC 7505)",
        "p9.null-mx-beside-others" => {
            "The domain says that it accepts no mail and names mail hosts as well: senders differ in which of both they believe, a null MX has to be alone (RFC 7505 section 3)"
        }
        "p9.no-mail-host" => {
            "The domain has no mail host with an address at which others find it (RFC 5321 section 5.1)"
        }
        "p9.mx-alias" => {
            "The host that an MX record names has to have addresses itself: here it is an alias, and whether a sender follows that is left open (RFC 5321 section 5.1, RFC 2181 section 10.3): let the record name the host that has them"
        }
        "p9.helo-without-address" => {
            "The name that a client greets with has to be that of a host with an address (RFC 5321 sections 2.3.5 and 4.1.1.1), and common receivers refuse what greets with another: let the address stay, or publish it, and wait for the caches, before the name is used"
        }
        "p9.no-such-domain" => {
            "The domain does not exist: receivers may refuse its mail, and nothing comes back to it"
        }
        "p9.mta-sts" => {
            "A sender that holds a policy in mode enforce delivers to no host that it does not allow, and may hold it until its max_age has passed (RFC 8461 sections 3.2, 4.1 and 5): publish a policy that allows the new host, wait that long, and move the mail exchanges then"
        }
        "p2.too-many-mx" | "p2.too-many-mx-addresses" => {
            "That is more than this receiver looks up for one `mx` (RFC 7208 section 4.6.4)"
        }
        "p4.more-than-needed-for-a-while" => {
            "The address does not pass today, and no declared mail of the domain ever comes from it: versions that do not belong together let it pass"
        }
        "p4.given-up-authorised" => {
            "The address may be somebody else's by then, and whoever has it passes SPF"
        }
        "p10.spf-changed" => {
            "The address belongs to no declared source of the domain, and what SPF says of it changes: mail that nobody declared is treated otherwise"
        }
        "p10.alignment-changed" => {
            "Nobody declared mail from this domain, and what aligned with it does not any more, under a policy that makes receivers act (RFC 9989 section 4.10.2, RFC 7489 section 3.1)"
        }
        "p10.policy-changed" => {
            "Nobody declared mail from this domain, and what receivers do with what fails changes for it"
        }
        _ => "The promise is broken",
    }
}

/// A record for a line of text: the rest of a long one is left out.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// A duration for people.
pub(crate) fn duration(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, minutes, rest) = (rest / 3600, rest % 3600 / 60, rest % 60);
    let parts: Vec<String> = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
        .into_iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() { "no time".to_owned() } else { parts.join(" ") }
}
