//! Counterexamples about mail that no stream is declared to send, and about records.

use std::net::IpAddr;

use sendershift::dmarc::{self, Alignment, DkimResult, Policy};
use sendershift::dns::{Answer, Evidence, Overlay, RecordType, Records, Resolved, RrSet, Snapshot, resolve};
use sendershift::name::DomainName;
use sendershift::plan::{Change, GivenUp, Identity, Plan, Step, StepKind, Stream, Use};
use sendershift::prove::Counterexample;
use sendershift::spf::{Profile, Query, SpfResult, Turnout, check};

use super::{accepts_mail, before, held, holds, is_seen, publish};

/// What is said of a name has to be so.
pub(super) fn shows(
    plan: &Plan,
    profile: &Profile,
    found: &Counterexample,
    domain: &DomainName,
) -> Result<(), String> {
    let broken = match found.code.split_once('.') {
        Some(("p10", _)) => harms_others(plan, profile, found, domain)?,
        Some(("p5", _)) => goes_unseen(plan, found, domain),
        Some(("p6", _)) => steps_down_or_up(plan, found, domain)?,
        _ => lets_too_much(plan, found, domain)?,
    };
    if broken { Ok(()) } else { Err(format!("{domain}: {:?}", found.story)) }
}

/// P5, for an author domain in a pause: nobody gets the reports, and with one record exchanged for the one before it somebody does.
fn goes_unseen(plan: &Plan, found: &Counterexample, domain: &DomainName) -> bool {
    let seen = |evidence: &Overlay<&Snapshot>| {
        is_seen(evidence, &dmarc::check(evidence, dmarc::Message::new(domain.clone())).rfc9989)
    };
    exchanged(plan, found).any(|evidence| seen(&evidence)) && !seen(&held(plan, found))
}

/// What the receiver holds, with one of the records as it was before the step that published it: each in turn.
pub(super) fn exchanged<'p>(
    plan: &'p Plan,
    found: &'p Counterexample,
) -> impl Iterator<Item = Overlay<&'p Snapshot>> {
    found.holding.iter().filter_map(|holding| {
        let (name, kind) = (&holding.question.name, holding.question.record_type);
        // What was published over it would leave its name in existence.
        let mut evidence =
            holds(plan, found.holding.iter().filter(|other| other.question != holding.question));
        evidence.remove(name, RecordType::Cname);
        match before(plan, holding.published_by.as_ref()?, name, kind) {
            Some(rrset) => evidence.publish(name, rrset),
            None => evidence.remove(name, kind),
        }
        Some(evidence)
    })
}

/// P6, for an author domain whose mail has not begun yet, or pauses, and is not over.
fn steps_down_or_up(plan: &Plan, found: &Counterexample, domain: &DomainName) -> Result<bool, String> {
    let of_domain = |identity: &&Identity| identity.author_domain == *domain;
    let goes_on = in_use(plan, plan.steps.len()).any(|identity| of_domain(&identity));
    let is_used = (0..=plan.steps.len()).any(|done| in_use(plan, done).any(|identity| of_domain(&identity)));
    // What stops for good is named where it plays a part: the policy is judged before the last of it is.
    let stops = plan.steps.iter().filter(|step| !step.stops.is_empty());
    let is_named = |step: &Step| found.schedule.iter().any(|one| one.step.as_ref() == Some(&step.id));
    if !identities(plan).any(|identity| of_domain(&identity))
        || is_used && !goes_on && !stops.into_iter().any(is_named)
    {
        return Err("no declared mail is from there any more".to_owned());
    }
    let levels = |evidence: &Overlay<&Snapshot>| {
        let checked = dmarc::check(evidence, dmarc::Message::new(domain.clone()));
        let level = |reading: &dmarc::Reading| {
            reading.policy.map(|effect| (effect.otherwise.unwrap_or(effect.policy), effect.percent))
        };
        [level(&checked.rfc9989), checked.rfc7489.as_ref().and_then(level)]
    };
    let now = levels(&held(plan, found));
    Ok(exchanged(plan, found).any(|evidence| {
        let was = levels(&evidence);
        let mut pairs = now.iter().zip(&was);
        pairs.any(|(now, was)| if found.code == "p6.weaker" { now < was } else { now > was })
    }))
}

/// P10, for a domain.
fn harms_others(
    plan: &Plan,
    profile: &Profile,
    found: &Counterexample,
    domain: &DomainName,
) -> Result<bool, String> {
    let today = Overlay::new(&plan.evidence);
    let now = held(plan, found);
    let broken = match found.code {
        // What a term asks for that depends on the message is not in the evidence: then the story alone says so.
        "p10.spf-changed"
            if found.assuming.iter().any(|assumed| assumed.branch.turnout != Turnout::NoMatch) =>
        {
            !is_declared(plan, domain, found.address.ok_or("no address")?)
        }
        "p10.spf-changed" => {
            let ip = found.address.ok_or("no address")?;
            let at = |profile| {
                Ok::<_, String>((spf(&today, domain, ip, profile)?, spf(&now, domain, ip, profile)?))
            };
            let ((before, after), (meant_before, meant_after)) = (at(profile)?, at(&Profile::LIFTED)?);
            !is_declared(plan, domain, ip) && (before != after || meant_before != meant_after)
        }
        "p10.policy-changed" => {
            let policies = |evidence: &Overlay<&Snapshot>| {
                let checked = dmarc::check(evidence, dmarc::Message::new(domain.clone()));
                (checked.rfc9989.policy, checked.rfc7489.and_then(|old| old.policy))
            };
            identities(plan).all(|identity| identity.author_domain != *domain)
                && policies(&today) != policies(&now)
        }
        "p10.alignment-changed" => loses_alignment(plan, &today, &now, domain),
        "p10.key-lost" => {
            let has_key = |evidence: &Overlay<&Snapshot>| match resolve(evidence, domain, RecordType::Txt) {
                Resolved::Records(rrset) => rrset.records().to_texts().iter().any(|text| text.contains("p=")),
                _ => false,
            };
            let signs = |identity: &Identity| {
                let mut keys =
                    identity.dkim.iter().map(|of| format!("{}._domainkey.{}", of.selector, of.domain));
                keys.any(|key| key == domain.as_str())
            };
            has_key(&today)
                && !identities(plan).any(signs)
                && (1..=plan.steps.len()).any(|done| !has_key(&published(plan, done)))
        }
        "p10.unreachable" => {
            accepts_mail(&today, domain)
                && (1..=plan.steps.len()).any(|done| !accepts_mail(&published(plan, done), domain))
        }
        "p10.null-mx" => {
            let nothing = |text: &String| text == "0 .";
            let refuses = |change: &Change| {
                let added = change.add.as_ref().map(Records::to_texts).unwrap_or_default();
                change.name == *domain && change.record_type == RecordType::Mx && added.iter().any(nothing)
            };
            let takes = [RecordType::A, RecordType::Aaaa]
                .into_iter()
                .any(|kind| listed(plan, domain, kind).is_some());
            let ours = |identity: &Identity| {
                identity.author_domain == *domain || identity.mail_from.as_ref() == Some(domain)
            };
            changes(plan).any(refuses)
                && takes
                && listed(plan, domain, RecordType::Mx).is_none()
                && !identities(plan).any(ours)
        }
        "p10.record-removed" => removes_what_serves_others(plan, domain) || loses_authorisation(plan, domain),
        code => return Err(format!("`{code}` is not known here")),
    };
    Ok(broken)
}

/// P4, for a domain.
fn lets_too_much(plan: &Plan, found: &Counterexample, domain: &DomainName) -> Result<bool, String> {
    let today = Overlay::new(&plan.evidence);
    let now = held(plan, found);
    let broken = match found.code {
        "p4.more-than-needed" => {
            let ip = found.address.ok_or("no address")?;
            let passes =
                |done: usize| Ok::<_, String>(meant(&published(plan, done), domain, ip)? == SpfResult::Pass);
            let later: Result<Vec<bool>, String> = (1..=plan.steps.len()).map(passes).collect();
            let first = later?.iter().position(|passes| *passes).ok_or("it never passes")?;
            // Whether mail crosses over from one identity's queue to another is a matter of waits: only the domain's own count here.
            let needed = |identity: &Identity| {
                let has = [&identity.mail_from, &identity.helo].into_iter().flatten().any(|of| of == domain);
                let mut sources = plan.sources.iter().filter(|source| identity.sources.contains(&source.id));
                has && sources.any(|source| source.addresses.contains(ip))
            };
            !passes(0)? && !(first..=plan.steps.len()).any(|done| in_use(plan, done).any(needed))
        }
        "p4.more-than-needed-for-a-while" => {
            let ip = found.address.ok_or("no address")?;
            meant(&today, domain, ip)? != SpfResult::Pass
                && meant(&now, domain, ip)? == SpfResult::Pass
                && !is_declared(plan, domain, ip)
        }
        "p4.left-behind" => {
            let ip = found.address.ok_or("no address")?;
            let last = published(plan, plan.steps.len());
            let needed = in_use(plan, plan.steps.len()).any(|identity| {
                [&identity.mail_from, &identity.helo].into_iter().flatten().any(|of| of == domain)
                    && plan
                        .sources
                        .iter()
                        .any(|source| identity.sources.contains(&source.id) && source.addresses.contains(ip))
            });
            meant(&today, domain, ip)? != SpfResult::Pass
                && meant(&last, domain, ip)? == SpfResult::Pass
                && !needed
        }
        "p4.key-left-behind" => {
            let last = texts(&published(plan, plan.steps.len()), domain);
            !last.is_empty()
                && last != texts(&today, domain)
                && !in_use(plan, plan.steps.len()).any(|identity| signs_with(identity, domain))
        }
        "p4.key-for-nobody" => {
            let key = |done| texts(&published(plan, done), domain);
            let signs = |identity: &Identity| signs_with(identity, domain);
            // The step that publishes it, for one of them: nobody signs with the key when it begins, nor later.
            (1..=plan.steps.len()).any(|done| {
                let comes = !key(done).is_empty() && key(done) != key(done - 1) && key(done) != key(0);
                comes && !(done - 1..=plan.steps.len()).any(|then| in_use(plan, then).any(signs))
            })
        }
        "p4.given-up-authorised" => {
            let ip = found.address.ok_or("no address")?;
            let goes = |what: &GivenUp| {
                let has = |id: &String| {
                    plan.sources.iter().any(|source| source.id == *id && source.addresses.contains(ip))
                };
                matches!(what, GivenUp::Source(id) if has(id))
            };
            given_up_by_then(plan, found).any(goes) && meant(&now, domain, ip)? == SpfResult::Pass
        }
        "p4.given-up-referenced" => given_up_by_then(plan, found).any(|what| {
            let name = match what {
                GivenUp::Name(name) => name,
                GivenUp::Source(id) => return leads_into(plan, id, &now, domain),
                _ => return false,
            };
            let named = [RecordType::Txt, RecordType::Mx, RecordType::Cname, RecordType::Ns];
            // NAPTR, SRV, DNAME, SVCB and HTTPS
            let services = [33, 35, 39, 64, 65].map(RecordType::Other);
            named.into_iter().chain(services).any(|kind| match now.answer(domain, kind) {
                Answer::Records(rrset) | Answer::Alias(rrset) => {
                    rrset.records().to_texts().iter().any(|text| text.contains(name.as_str()))
                }
                _ => false,
            })
        }),
        code => return Err(format!("`{code}` is not known here")),
    };
    Ok(broken)
}

/// Whether a name has an address of a source.
fn leads_into(plan: &Plan, source: &str, evidence: &Overlay<&Snapshot>, name: &DomainName) -> bool {
    let source = plan.sources.iter().find(|of| of.id == source);
    let has = |ip: &String| ip.parse().is_ok_and(|ip| source.is_some_and(|of| of.addresses.contains(ip)));
    [RecordType::A, RecordType::Aaaa].into_iter().any(|kind| match resolve(evidence, name, kind) {
        Resolved::Records(rrset) => rrset.records().to_texts().iter().any(has),
        _ => false,
    })
}

/// Whether a message is still about when what it needs is given up.
pub(super) fn still_in_use(plan: &Plan, found: &Counterexample) -> Result<(), String> {
    let delivered_by = identities(plan).find(|identity| Some(&identity.id) == found.delivered_by.as_ref());
    let identity = identities(plan).find(|identity| Some(&identity.id) == found.identity.as_ref());
    let (delivered_by, identity) = delivered_by.zip(identity).ok_or("no such identity")?;
    let needs = |what: &GivenUp| match what {
        GivenUp::Source(id) => delivered_by.sources.contains(id),
        GivenUp::Name(name) => {
            let signed = identity.dkim.iter().chain(&delivered_by.dkim).map(|signature| &signature.domain);
            let named =
                [Some(&identity.author_domain), identity.mail_from.as_ref(), delivered_by.helo.as_ref()];
            named.into_iter().flatten().chain(signed).any(|domain| domain.is_within(name))
        }
        _ => false,
    };
    if given_up_by_then(plan, found).any(needs) { Ok(()) } else { Err(format!("{:?}", found.story)) }
}

/// That something is not as it was, once the first steps of the plan and then their undo are done, for some number of steps.
pub(super) fn stays_changed(plan: &Plan, found: &Counterexample) -> Result<(), String> {
    let stays = (1..=plan.steps.len()).any(|begun| {
        let mut course = plan.clone();
        course.steps.truncate(begun);
        let undo: Vec<Step> = course.steps.iter().rev().flat_map(|step| step.undo.steps()).cloned().collect();
        course.steps.extend(undo);
        match &found.domain {
            Some(name) => has_changed(&course, name),
            None => {
                let ids = |done| in_use(&course, done).map(|identity| &identity.id).collect::<Vec<_>>();
                ids(0) != ids(course.steps.len()) || carries_less(&course)
            }
        }
    });
    if stays { Ok(()) } else { Err(format!("{:?}", found.story)) }
}

/// Whether an identity in use before the plan sends only a share in the end.
fn carries_less(plan: &Plan) -> bool {
    plan.streams.iter().any(|stream| {
        stream.live.iter().any(|id| {
            let names = |of: &&Use| of.stream == stream.id && of.identity == *id;
            let share = |of: &Use| of.share.map_or(1000, i32::from);
            let left = plan.steps.iter().fold(1000, |left: i32, step| {
                let stopped = step.stops.iter().filter(names).map(share).sum::<i32>();
                let started = step.starts.iter().filter(names).map(share).sum::<i32>();
                (left - stopped + started).clamp(0, 1000)
            });
            left < 1000
        })
    })
}

/// Whether there are other records at a name once all steps are done, or the same with a longer TTL.
fn has_changed(plan: &Plan, name: &DomainName) -> bool {
    let (before, after) = (published(plan, 0), published(plan, plan.steps.len()));
    let texts = |evidence: &Overlay<&Snapshot>, kind| match evidence.answer(name, kind) {
        Answer::Records(rrset) => {
            let mut texts = rrset.records().to_texts();
            texts.sort();
            texts
        }
        _ => Vec::new(),
    };
    let at_name = |change: &&Change| change.name == *name;
    changes(plan).filter(at_name).any(|of| {
        let same = || changes(plan).filter(at_name).filter(|other| other.record_type == of.record_type);
        texts(&before, of.record_type) != texts(&after, of.record_type)
            || same().last().and_then(|last| last.ttl_after)
                > same().next().and_then(|first| first.ttl_before)
    })
}

/// What is given up by steps that have started when the message is judged.
fn given_up_by_then<'p>(
    plan: &'p Plan,
    found: &Counterexample,
) -> impl Iterator<Item = &'p GivenUp> + use<'p> {
    let at = |what: &str, step: Option<&String>| {
        let mut happenings = found.schedule.iter();
        happenings.find(|one| one.what == what && one.step.as_ref() == step).map(|one| one.at.clone())
    };
    let judged = at("judged", None);
    let started = |id: &String| {
        at("started", Some(id)).zip(judged.clone()).is_some_and(|(start, judged)| start <= judged)
    };
    let steps: Vec<&'p Step> = plan.steps.iter().filter(|step| started(&step.id)).collect();
    steps.into_iter().flat_map(|step| &step.gives_up)
}

/// The evidence once so many steps, in the order of the plan, are done.
fn published(plan: &Plan, done: usize) -> Overlay<&Snapshot> {
    let mut evidence = Overlay::new(&plan.evidence);
    for change in plan.steps.iter().take(done).flat_map(|step| &step.changes) {
        publish(&mut evidence, change);
    }
    evidence
}

/// The identities in use once so many steps are done.
fn in_use(plan: &Plan, done: usize) -> impl Iterator<Item = &Identity> {
    let uses = move |stream: &Stream, identity: &Identity| {
        let mut used = stream.live.contains(&identity.id);
        for step in plan.steps.iter().take(done) {
            let names =
                |uses: &[Use]| uses.iter().any(|of| of.stream == stream.id && of.identity == identity.id);
            used = (used || names(&step.starts)) && !names(&step.stops);
        }
        used
    };
    plan.streams
        .iter()
        .flat_map(move |stream| stream.identities.iter().filter(move |identity| uses(stream, identity)))
}

/// The texts at a name, aliases followed.
fn texts(evidence: &Overlay<&Snapshot>, name: &DomainName) -> Vec<String> {
    match resolve(evidence, name, RecordType::Txt) {
        Resolved::Records(rrset) => rrset.records().to_texts(),
        _ => Vec::new(),
    }
}

/// Whether an identity signs with the key at a name.
fn signs_with(identity: &Identity, name: &DomainName) -> bool {
    let mut names = identity.dkim.iter().map(|of| format!("{}._domainkey.{}", of.selector, of.domain));
    names.any(|key| key == name.as_str())
}

fn meant(evidence: &Overlay<&Snapshot>, domain: &DomainName, ip: IpAddr) -> Result<SpfResult, String> {
    spf(evidence, domain, ip, &Profile::LIFTED)
}

fn identities(plan: &Plan) -> impl Iterator<Item = &Identity> {
    plan.streams.iter().flat_map(|stream| &stream.identities)
}

fn changes(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.steps.iter().filter(|step| step.kind == StepKind::Dns).flat_map(|step| &step.changes)
}

fn listed<'p>(plan: &'p Plan, name: &DomainName, kind: RecordType) -> Option<&'p RrSet> {
    match plan.evidence.answer(name, kind) {
        Answer::Records(rrset) => Some(rrset),
        _ => None,
    }
}

fn spf(
    evidence: &Overlay<&Snapshot>,
    domain: &DomainName,
    ip: IpAddr,
    profile: &Profile,
) -> Result<SpfResult, String> {
    let query = Query::new(ip, &format!("somebody@{domain}"), domain.as_str());
    check(evidence, &query, profile).map(|checked| checked.result).map_err(|missing| missing.to_string())
}

/// Whether an address is listed for a source of a stream that has the domain as MAIL FROM or HELO at some time: one identity's messages
/// may leave by the sources of another.
fn is_declared(plan: &Plan, domain: &DomainName, ip: IpAddr) -> bool {
    plan.streams.iter().any(|stream| {
        let starts = |identity: &Identity| {
            let mut uses = plan.steps.iter().flat_map(|step| &step.starts);
            uses.any(|of| of.stream == stream.id && of.identity == identity.id)
        };
        let used = |identity: &&Identity| stream.live.contains(&identity.id) || starts(identity);
        let used: Vec<&Identity> = stream.identities.iter().filter(used).collect();
        let has = |identity: &&Identity| {
            [&identity.mail_from, &identity.helo].into_iter().flatten().any(|of| of == domain)
        };
        let sources = || used.iter().flat_map(|identity| &identity.sources);
        used.iter().any(has)
            && plan
                .sources
                .iter()
                .any(|source| sources().any(|id| *id == source.id) && source.addresses.contains(ip))
    })
}

/// Whether something of the evidence that aligned with a domain does not any more, or has to be nearer, under a policy that is enforced.
fn loses_alignment(
    plan: &Plan,
    today: &Overlay<&Snapshot>,
    now: &Overlay<&Snapshot>,
    author: &DomainName,
) -> bool {
    let signing = |name: &DomainName| name.as_str().split_once("._domainkey.")?.1.parse().ok();
    let names = plan.evidence.names().filter_map(|name| signing(name).or_else(|| Some(name.clone())));
    let with = |name: &DomainName| {
        let message = dmarc::Message::new(author.clone());
        message.with_spf(name.clone(), SpfResult::Pass).with_dkim(name.clone(), DkimResult::Pass)
    };
    names.chain([author.clone()]).any(|name| {
        let (before, after) = (dmarc::check(today, with(&name)), dmarc::check(now, with(&name)));
        let loses = |before: &dmarc::Reading, after: &dmarc::Reading| {
            let acts = after.policy.is_some_and(|effect| effect.policy > Policy::None);
            let pairs = before.identifiers.iter().zip(&after.identifiers);
            let mut lost = pairs.filter(|(before, after)| {
                (before.aligned == Some(true) && after.aligned != Some(true))
                    || (before.mode != after.mode && after.mode == Alignment::Strict)
            });
            acts && (lost.next().is_some() || before.author.domain() != after.author.domain())
        };
        loses(&before.rfc9989, &after.rfc9989)
            || before.rfc7489.zip(after.rfc7489).is_some_and(|(before, after)| loses(&before, &after))
    })
}

/// Whether a change removes a string or a record of the evidence that is not about the authentication of declared mail.
fn removes_what_serves_others(plan: &Plan, name: &DomainName) -> bool {
    changes(plan).filter(|change| change.name == *name).any(|change| {
        let removed = change.remove.as_ref().map(Records::to_texts).unwrap_or_default();
        let there = listed(plan, name, change.record_type)
            .map(|rrset| rrset.records().to_texts())
            .unwrap_or_default();
        let serves_mail = |text: &String| match change.record_type {
            RecordType::Txt if text.starts_with("v=DMARC1") => {
                let about =
                    name.as_str().split_once("._report._dmarc.").map(|(about, _)| format!(".{about}"));
                about.is_none_or(|about| {
                    identities(plan).any(|identity| format!(".{}", identity.author_domain).ends_with(&about))
                })
            }
            RecordType::Txt if text.contains("p=") => {
                identities(plan).flat_map(|identity| &identity.dkim).any(|of| {
                    let key = format!("{}._domainkey.{}", of.selector, of.domain);
                    let aliased =
                        key.parse().is_ok_and(|key| listed(plan, &key, RecordType::Cname).is_some());
                    key == name.as_str() || aliased
                })
            }
            RecordType::Txt => text.starts_with("v=spf1"),
            // With mail exchanges no mail goes to the addresses of a domain.
            RecordType::A | RecordType::Aaaa if listed(plan, name, RecordType::Mx).is_some() => false,
            RecordType::A | RecordType::Aaaa | RecordType::Mx => identities(plan)
                .any(|identity| identity.author_domain == *name || identity.mail_from.as_ref() == Some(name)),
            _ => false,
        };
        removed.iter().any(|text| there.contains(text) && !serves_mail(text))
    })
}

/// Whether the authorisation of reports that is found at a name before the plan is not at some time, as what it is an alias of goes.
fn loses_authorisation(plan: &Plan, name: &DomainName) -> bool {
    let says = |done| texts(&published(plan, done), name).iter().any(|text| text.starts_with("v=DMARC1"));
    name.as_str().contains("._report._dmarc.") && says(0) && (1..=plan.steps.len()).any(|done| !says(done))
}
