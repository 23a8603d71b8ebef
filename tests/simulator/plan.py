"""Reads a plan document: steps, streams and what DNS says before, between and after the steps. Times are milliseconds."""

import base64
import ipaddress
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

SECOND = 1000
DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
DAY = 86_400
DEFAULTS = {"queue_lifetime": 5 * DAY, "signature_lifetime": 14 * DAY, "resolver_stale": 3 * DAY, "ttl_ceiling": DAY}


def milliseconds(text):
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in DURATION.fullmatch(text).groups())
    return (((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds) * SECOND


def instant(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * SECOND


def name(text):
    return text.lower().rstrip(".")


def octets(text):
    """The octets of a character-string: `\\DDD` and backslash escapes."""
    found = re.findall(r"\\(\d{3})|\\(.)|([^\\])", text, re.S)
    return b"".join(bytes([int(code)]) if code else (escaped or plain).encode() for code, escaped, plain in found)


def record(kind, value):
    """A record in a form in which equal records are equal."""
    if kind == "TXT":
        return b"".join(octets(part) for part in ([value] if isinstance(value, str) else value))
    if kind in ("A", "AAAA"):
        return str(ipaddress.ip_address(value))
    if kind == "MX":
        preference, host = value.split()
        return int(preference), name(host)
    if kind == "SOA":
        first, second, *numbers = value.split()
        return (name(first), name(second), *map(int, numbers))
    return name(value)


def records(kind, values):
    return [record(kind, value) for value in values or []]


@dataclass(frozen=True)
class Answer:
    """What a server says: records of a type, an alias, or nothing; and how long that may be remembered."""

    kind: str
    records: tuple
    life: int = field(compare=False)


@dataclass
class Step:
    id: str
    kind: str
    after: list
    on: int
    changes: list
    starts: list
    stops: list


@dataclass
class Plan:
    document: dict
    evidence: dict = field(default_factory=dict)
    negative: dict = field(default_factory=dict)
    names: set = field(default_factory=set)
    steps: list = field(default_factory=list)
    versions: dict = field(default_factory=lambda: defaultdict(list))
    happens: list = field(default_factory=list)
    keys: dict = field(default_factory=dict)

    def __post_init__(self):
        parameters = self.document["parameters"]
        for key, default in DEFAULTS.items():
            text = parameters.get(key)
            setattr(self, key, milliseconds(text) if text else default * SECOND)
        start = instant(parameters["start"])
        self.streams = self.document["streams"]
        self.sources = {source["id"]: source for source in self.document["sources"]}
        self.within_limits_from = parameters.get("within_limits_from")
        for answer in self.document["evidence"]["answers"]:
            self.read(answer)
        for step in self.document["steps"]:
            after = [(wait["step"], milliseconds(wait.get("at_least") or "PT0S")) for wait in step.get("after") or []]
            on = instant(step["on"]) - start if step.get("on") else None
            lists = (step.get(key) or [] for key in ("changes", "starts", "stops"))
            self.steps.append(Step(step["id"], step["kind"], after, on, *lists))
        self.index = {step.id: at for at, step in enumerate(self.steps)}
        self.before = [[(self.index[earlier], wait) for earlier, wait in step.after] for step in self.steps]
        self.order = self.sorted_steps()
        self.zone_ttls = self.zones()
        self.apply()

    def read(self, answer):
        key = name(answer["name"]), answer["type"]
        kind, ttl, sure = answer["type"], answer.get("ttl"), bool(answer.get("authoritative"))
        if answer.get("status") in ("servfail", "timeout"):
            return
        self.names.update(self.ancestors(key[0]))
        if not answer.get("records"):
            self.negative[key] = ttl if sure else None
            return
        if key in self.evidence and self.evidence[key][1] >= sure:
            return
        self.evidence[key] = (tuple(records(kind, answer["records"])), sure, ttl)

    @staticmethod
    def ancestors(domain):
        labels = domain.split(".")
        return [".".join(labels[at:]) for at in range(len(labels))]

    def sorted_steps(self):
        order, placed = [], set()
        while len(order) < len(self.steps):
            for at, before in enumerate(self.before):
                if at not in placed and all(earlier in placed for earlier, _ in before):
                    order.append(at)
                    placed.add(at)
        return order

    def zones(self):
        """For each zone the seconds for which absence is remembered (RFC 2308 section 5); None where that is not known."""
        ttls = {}
        for (domain, kind), (values, sure, ttl) in self.evidence.items():
            if kind == "SOA":
                ttls[domain] = min(ttl, values[0][6]) if sure and ttl is not None else None
        for change in (change for step in self.steps for change in step.changes):
            for value in records("SOA", change.get("add")) if change["type"] == "SOA" else []:
                minimum = min(change["ttl_after"], value[6])
                ttls[name(change["name"])] = max(minimum, ttls.get(name(change["name"])) or 0)
        return ttls

    def absence(self, key):
        """How long absence is remembered at a name."""
        zone = next((zone for zone in self.ancestors(key[0]) if zone in self.zone_ttls), None)
        ttl = self.negative.get(key)
        if ttl is None:
            ttl = self.zone_ttls.get(zone)
        return (self.ttl_ceiling if ttl is None else ttl * SECOND) + self.resolver_stale

    def content(self, key, values, sure, ttl):
        """One version of an RRset."""
        if not values:
            return Answer("NONE", (), self.absence(key))
        seconds = (ttl or 0) * SECOND
        return Answer(key[1], values, (seconds if sure else max(seconds, self.ttl_ceiling)) + self.resolver_stale)

    def apply(self):
        """What each step makes of the RRsets. A step that does not fit what is there stops, and all that wait for it."""
        state = dict(self.evidence)
        self.happens = [True] * len(self.steps)
        self.states = [state]
        self.known_at = {}
        for at in self.order:
            step = self.steps[at]
            self.known_at[at] = len(self.states) - 1
            self.happens[at] = all(self.happens[earlier] for earlier, _ in self.before[at])
            results = [self.edited(change, state) for change in step.changes]
            self.happens[at] &= None not in results
            if not self.happens[at]:
                continue
            state = dict(state)
            self.states.append(state)
            for key, values, ttl in results:
                if key not in self.versions:
                    self.versions[key].append((None, self.content(key, *state.get(key, ((), True, 0)))))
                state[key] = (values, True, ttl)
                self.versions[key].append((at, self.content(key, values, True, ttl)))
                self.names.update(self.ancestors(key[0]) if values else [])

    def signing_key(self, domain, stream, identity):
        """The key that an identity signs with: the one that is published at the name when its use begins, or else the last before, or
        the next."""
        memo = (domain, stream["id"], identity["id"])
        if memo in self.keys:
            return self.keys[memo]
        found = []
        for state in self.states:
            at = domain
            while (at, "CNAME") in state and state[at, "CNAME"][0] and at != state[at, "CNAME"][0][0]:
                at = state[at, "CNAME"][0][0]
            found.append(usable_key(state.get((at, "TXT"), ((),))[0]))
        begins = 0
        if identity["id"] not in stream["live"]:
            this = (stream["id"], identity["id"])
            starts = (at for at in self.order if this in [(use["stream"], use["identity"]) for use in self.steps[at].starts])
            begins = self.known_at[next(starts, self.order[0])] if self.order else 0
        before, later = found[begins::-1], found[begins + 1 :]
        self.keys[memo] = next((key for key in before + later if key), None)
        return self.keys[memo]

    @staticmethod
    def edited(change, state):
        """The RRset after a change, or None where the change does not fit."""
        kind, key = change["type"], (name(change["name"]), change["type"])
        there = list(state.get(key, ((),))[0])
        remove, add = records(kind, change.get("remove")), records(kind, change.get("add"))
        expect = change.get("expect")
        if (expect == "absent" and there) or any(value not in there for value in remove):
            return None
        if isinstance(expect, list) and any(value not in there for value in records(kind, expect)):
            return None
        after = [value for value in there if value not in remove]
        after += [value for value in add if value not in after]
        if bool(after) != (change.get("ttl_after") is not None):
            return None
        return key, tuple(after), change.get("ttl_after")


def rsa_bits(data):
    """The size of the modulus of an RSA public key in DER, SubjectPublicKeyInfo or RSAPublicKey; 0 if it is none."""

    def item(at):
        length, at = data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + length > len(data):
            raise IndexError
        return at, at + length

    try:
        at, _ = item(0)
        if data[at] == 0x30:
            _, at = item(at)
            at, _ = item(at)
            at, _ = item(at + 1)
        at, end = item(at)
        return int.from_bytes(data[at:end], "big").bit_length()
    except IndexError:
        return 0


def tags(text):
    """A tag list (RFC 6376 section 3.2), or None."""
    found = {}
    for part in text.rstrip("; \t\r\n").split(";"):
        key, sign, value = part.partition("=")
        if not sign or key.strip() in found:
            return None
        found[key.strip()] = value.strip()
    return found


def usable_key(values):
    """The key in these TXT records, if a verifier can use it (RFC 6376 section 3.6.1, RFC 8301, RFC 8463)."""
    found = tags(values[0].decode("utf-8", "replace")) if len(values) == 1 else None
    if not found or found.get("v", "DKIM1") != "DKIM1" or ("v" in found and next(iter(found)) != "v"):
        return None

    def words(key, default):
        return [word.strip().lower() for word in found.get(key, default).split(":")]

    if "sha256" not in words("h", "sha256") or not {"*", "email"} & set(words("s", "*")) or "y" in words("t", ""):
        return None
    try:
        key = base64.b64decode("".join(found.get("p", "").split()), validate=True)
    except ValueError:
        return None
    kind = found.get("k", "rsa").lower()
    return key if (len(key) == 32 if kind == "ed25519" else kind == "rsa" and rsa_bits(key) >= 1024) else None
