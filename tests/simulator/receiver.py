"""What one receiver makes of one message: SPF by pyspf, DKIM keys, DMARC, and the promises P1 and P2."""

import ipaddress
import re
from collections import defaultdict

import spf

from dmarc import Walker
from plan import name, usable_key

TERM = re.compile(r"^[+?~-]?ip[46]:(.+)$", re.I)
MOST_ADDRESSES = 48


class Mind:
    """What is worth remembering between messages, plans and their mutants: results by the answers that they rest on."""

    def __init__(self, plan, rng):
        self.static = plan.evidence
        self.changing = list(plan.versions)
        self.relevant = defaultdict(list)
        self.results = {}
        self.addresses = {}
        self.rng = rng
        # Addresses are those that matter in the whole plan, not in the first mutant that comes along.
        for source in plan.sources:
            addresses(plan, self, source)


class Receiver:
    """A receiver with its answers: `held` has those for questions whose answers change, all others are the evidence's."""

    def __init__(self, plan, mind, held):
        self.plan, self.mind, self.held = plan, mind, held
        self.asked = []

    def answer(self, domain, kind):
        """The records of a question, aliases followed."""
        for _ in range(16):
            key = (domain, kind)
            if key in self.held:
                self.asked.append(key)
                found = self.held[key]
                if found.kind != "CNAME" or kind == "CNAME":
                    return list(found.records)
                domain = found.records[0]
                continue
            if key in self.mind.static:
                return list(self.mind.static[key][0])
            if (domain, "CNAME") not in self.mind.static:
                return []
            domain = self.mind.static[domain, "CNAME"][0][0]
        return []

    def spf(self, domain, ip, helo):
        """The result of SPF."""

        def lookup(question, kind, *_):
            found = self.answer(name(question), kind)
            if kind == "TXT":
                found = [(text,) for text in found]
            return [((question, kind), value) for value in found]

        spf.DNSLookup = lookup
        return spf.query(i=ip, s="sender@" + domain, h=helo or domain).check()[0]

    def results(self, domain, source, helo):
        """The results for all addresses of a source."""
        relevant = self.mind.relevant["spf", domain, source, helo]
        memo = (domain, source, helo, tuple(self.held[key] for key in relevant))
        if memo not in self.mind.results:
            outer, self.asked = self.asked, []
            found = [self.spf(domain, ip, helo) for ip in addresses(self.plan, self.mind, source)]
            new = [key for key in dict.fromkeys(self.asked) if key not in relevant]
            relevant += new
            memo = (domain, source, helo, tuple(self.held[key] for key in relevant))
            self.mind.results[memo], self.asked = found, outer
        self.asked += relevant
        return self.mind.results[memo]


def spf_results(receiver, identity, by):
    domain = identity.get("mail_from") or by.get("helo")
    if not domain:
        return None, []
    found = []
    for source in by["sources"]:
        found += receiver.results(name(domain), source, by.get("helo"))
    return name(domain), found


def signed(plan, stream, identity, by):
    """The signatures on a message: the domain, where the key is looked up, and the key that it was made for."""
    signer = by if stream.get("signed_at") == "delivery" else identity
    names = [(name(of["domain"]), f"{name(of['selector'])}._domainkey.{name(of['domain'])}") for of in signer.get("dkim") or []]
    return [(domain, at, plan.signing_key(at, stream, signer)) for domain, at in names]


def loss(receiver, stream, identity, by, later, limits, today):
    """Why a promise is broken for a message, or None. `today` has the results of SPF before the plan, address by address."""
    walker = Walker(lambda domain: receiver.answer(domain, "TXT"))
    author = name(identity["author_domain"])
    signatures = signed(receiver.plan, stream, identity, by)
    verified = [domain for domain, at, key in signatures if key and usable_key(receiver.answer(at, "TXT")) == key]
    applied = walker.discover(author)
    if applied is None:
        return "no policy record"
    record, policies = applied
    dkim = any(walker.aligned(author, domain, record.get("adkim", "r").lower()) for domain in verified)
    spf_only = stream.get("spf_only")
    if later:
        return "the signature cannot be verified any more" if signatures and not spf_only and not dkim else None
    if any(policy != "none" for policy in policies) and not spf_only and not dkim:
        return "no aligned DKIM pass under an enforcing policy"
    if stream.get("needs_both") and not dkim:
        return "no aligned DKIM pass"
    domain, results = spf_results(receiver, identity, by)
    if stream.get("needs_both") or not dkim:
        aligned = domain and walker.aligned(author, domain, record.get("aspf", "r").lower())
        if not aligned or any(result != "pass" for result in results):
            return "no aligned SPF pass"
    for result, was in zip(results, today):
        if was == "pass" and result != "pass":
            return "SPF is worse than today"
        if was in ("none", "neutral") and result in ("fail", "softfail") and by["id"] == identity["id"]:
            return "SPF is worse than today"
        if result == "permerror" and (limits or was != "permerror"):
            return "SPF is over a limit, or in error"
    return None


def nets(plan, texts):
    """The address ranges that SPF records name."""
    for text in texts:
        for term in text.decode("ascii", "replace").split() if text[:6].lower() == b"v=spf1" else []:
            found = TERM.match(term)
            try:
                yield ipaddress.ip_network(found[1], strict=False) if found else None
            except ValueError:
                yield None


def addresses(plan, mind, source):
    """Addresses of a source at which some record changes its mind: the ends of all ranges, and their neighbours."""
    if source in mind.addresses:
        return mind.addresses[source]
    declared = plan.sources[source]
    own = [ipaddress.ip_network(text, strict=False) for text in declared.get("addresses") or []]
    texts = [text for (_, kind), (values, _, _) in plan.evidence.items() if kind == "TXT" for text in values]
    texts += [text for key, versions in plan.versions.items() if key[1] == "TXT" for _, v in versions for text in v.records]
    candidates = set()
    for net in own + [net for net in nets(plan, texts) if net]:
        for edge in (net[0], net[-1]):
            candidates.update(type(edge)(value) for value in (int(edge) - 1, int(edge), int(edge) + 1) if 0 <= value < 2**edge.max_prefixlen)
    for (_, kind), (values, _, _) in plan.evidence.items():
        candidates.update(map(ipaddress.ip_address, values if kind in ("A", "AAAA") else ()))
    include = name(declared.get("include") or "")
    receiver = Receiver(plan, mind, {})

    def belongs(ip):
        inside = any(ip in net for net in own if ip.version == net.version)
        return inside or (include and receiver.spf(include, str(ip), None) == "pass")

    found = sorted((ip for ip in candidates if belongs(ip)), key=lambda ip: (ip.version, int(ip)))
    if len(found) > MOST_ADDRESSES:
        found = mind.rng.sample(found, MOST_ADDRESSES)
    mind.addresses[source] = [str(ip) for ip in found]
    return mind.addresses[source]
