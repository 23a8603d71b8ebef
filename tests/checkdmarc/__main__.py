"""DMARC discovery, records and policies: the command against checkdmarc, which reads RFC 9989, on drawn domain trees.

    python tests/checkdmarc COMMAND COUNT

No network: checkdmarc's queries are answered from the tree. Where the two differ there has to be a reason below, with the
paragraph that decides; a reason that no tree shows any more is a failure as well.
"""

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter

import checkdmarc.dmarc as peer
import dns.exception
import dns.resolver
from checkdmarc.utils import get_base_domain

POLICIES = ["none", "quarantine", "reject"]
SUFFIXES = ["com", "co.uk", "uk", "ck", "www.ck", "jp", "kawasaki.jp", "city.kawasaki.jp", "github.io", "example"]


# Trees


def record(draw):
    """A policy record, now and then a broken one."""
    def policy():
        return draw.choice(POLICIES + ["Reject"])

    tags = [f"p={policy()}"]
    for tag, often in [("sp", 0.3), ("np", 0.3)]:
        if draw.random() < often:
            tags.append(f"{tag}={policy()}")
    for text, often in [("adkim=s", 0.2), ("aspf=s", 0.2), ("aspf=x", 0.05), ("t=y", 0.2), ("pct=20", 0.1), ("fo=1", 0.1)]:
        if draw.random() < often:
            tags.append(text)
    if draw.random() < 0.15:
        tags.append(draw.choice(["psd=y", "psd=n", "psd=u"]))
    if draw.random() < 0.3:
        tags.append("rua=mailto:d@reports.test")
    if draw.random() < 0.08:
        tags[0] = draw.choice(["p=rejct", "sp=none", "adkim=r"])
    if draw.random() < 0.04:
        tags.append(tags[0])
    draw.shuffle(tags)
    version = "V=DMARC1" if draw.random() < 0.02 else "v=DMARC1"
    return draw.choice(["; ", ";", " ; "]).join([version, *tags])


def tree(draw):
    """An author domain, and what DNS says: the texts of names, names that fail, names that exist."""
    labels = [draw.choice("abc") for _ in range(draw.choice([1, 1, 2, 2, 3, 4, 6, 7, 8, 9, 11]))] + ["example"]
    author = ".".join(labels)
    texts, failing = {}, set()
    for at in range(len(labels)):
        name = "_dmarc." + ".".join(labels[at:])
        fate = draw.random()
        if fate < (0.2 if at == 0 else 0.35):
            texts[name] = [record(draw)]
        elif fate < 0.37:
            texts[name] = [record(draw), record(draw)]
        elif fate < 0.4:
            texts[name] = ["google-site-verification=1"]
        elif fate < 0.41:
            failing.add(name)
        if name in texts and draw.random() < 0.1:
            texts[name].append("another text")
    exists = {author} if draw.random() < 0.6 else set()
    return author, texts, failing, exists


def snapshot(texts, failing, exists):
    answers = [{"name": name, "type": "TXT", "records": found} for name, found in texts.items()]
    answers += [{"name": name, "type": "TXT", "status": "servfail"} for name in failing]
    answers += [{"name": name, "type": "A", "records": ["192.0.2.1"]} for name in exists]
    return {"format": "sendershift-snapshot/1", "closed": True, "answers": answers}


# The two opinions


def ours(command, author, dns):
    """What `dmarc check` says: the policy domain and policy, or None where no DMARC applies, or "temperror"."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(dns, file)
        file.flush()
        arguments = ["dmarc", "check", "--from", author, "--mail-from", author, "--spf", "fail", "--dkim", author + "=fail"]
        run = subprocess.run([command, *arguments, "--dns", file.name, "--json"], capture_output=True, text=True, check=False)
    document = json.loads(run.stdout)
    reading = document["rfc9989"]
    listed = document["rfc7489"]["author"]["domain"]
    if reading["result"] == "temperror":
        return "temperror", None, listed
    if not reading["policy_record"]:
        return None, None, listed
    found = reading["policy_record"]
    aspf, adkim = (identifier["mode"][0] for identifier in reading["identifiers"])
    organization = reading["author"]["domain"] if found["source"] != "author_domain" else None
    return (found["domain"], reading["policy"]["policy"], aspf, adkim), organization, listed


def theirs(author, texts, failing, exists):
    """The same, of checkdmarc, and the error that it ends in."""
    there = {".".join(name.split(".")[at:]) for name in [*texts, *exists] for at in range(name.count(".") + 1)}

    def query(name, kind, **_):
        if name in failing:
            raise dns.exception.DNSException("server failure")
        if kind == "TXT" and name in texts:
            return list(texts[name])
        raise dns.resolver.NoAnswer if name in there else dns.resolver.NXDOMAIN

    peer.query_dns = query
    peer._parse_report_uris = lambda _tag, value, *_, **__: value
    try:
        found = peer.query_dmarc_record(author, ignore_unrelated_records=True)
        tags = {tag: entry["value"] for tag, entry in peer.parse_dmarc_record(found["record"], found["location"])["tags"].items()}
    except (peer.DMARCRecordNotFound, peer.MultipleDMARCRecords, peer.DMARCSyntaxError) as error:
        return None, None, type(error).__name__
    except peer.DMARCError:
        return "temperror", None, "temperror"
    tag = "p" if found["location"] == author else "sp" if author in there else "np"
    level = POLICIES.index(tags[tag])
    policy = POLICIES[max(level - 1, 0)] if tags["t"] == "y" else POLICIES[level]
    organization = None
    if found["location"] != author:
        told = [warning for warning in found["warnings"] if warning.startswith("The Organizational Domain")]
        organization = told[0].split(" is ")[1].split(" ")[0] if told else found["location"]
    return (found["location"], policy, tags["aspf"], tags["adkim"]), organization, None


# What they differ in: what it is, the paragraph that decides, and which trees show it. The first that fits is the reason.


def policies(text):
    return [part.split("=")[1].strip().lower() for part in text.split(";") if part.split("=")[0].strip() in ("p", "sp", "np")]


def is_broken(text):
    names = [part.split("=")[0].strip() for part in text.split(";")]
    return any(policy not in POLICIES for policy in policies(text)) or len(names) != len(set(names))


def repaired(texts):
    """The same records with what RFC 9989 section 4.10.1 makes of broken ones: nothing, or `p=none` beside a `rua`."""
    def one(text):
        if not text.lower().startswith("v=dmarc1") or not is_broken(text):
            return text
        tags = [part.strip() for part in text.split(";")]
        names = [tag.split("=")[0].strip() for tag in tags]
        if len(names) != len(set(names)) or "rua" not in names:
            return "another text"
        return "; ".join(tag for tag, name in zip(tags, names) if name not in ("p", "sp", "np")) + "; p=none"

    return {name: [one(text) for text in found] for name, found in texts.items()}


def any_record(texts, shows):
    return any(shows(text) for found in texts.values() for text in found if text.lower().startswith("v=dmarc1"))


REASONS = [
    (
        "a failed query leaves open what a walk would find, also where another record was found below",
        "RFC 9989 section 4.10.1: the choice among the records needs all answers; checkdmarc looks at the author domain first",
        lambda tree, mine, error: tree[2] and (mine == "temperror" or error == "temperror"),
    ),
    (
        "several records at one name are discarded, and the walk goes on",
        "RFC 9989 section 4.10, steps 2 and 6; checkdmarc stops with MultipleDMARCRecords",
        lambda tree, mine, error: error == "MultipleDMARCRecords",
    ),
    (
        "the name of the tag `v` is case-sensitive",
        "RFC 6376 section 3.2, to which RFC 9989 section 4.7 refers; checkdmarc follows the ABNF of section 4.8",
        lambda tree, mine, error: any_record(tree[1], lambda text: text.startswith("V")),
    ),
    (
        "a broken record is no valid one, so the walk does not choose it; a wrong policy beside a `rua` is `p=none`",
        "RFC 9989 sections 4.10.1 and 4.10.2; checkdmarc chooses it, and then refuses it",
        lambda tree, mine, error: any_record(tree[1], is_broken) and theirs(tree[0], repaired(tree[1]), *tree[2:])[0] == mine,
    ),
    (
        "a domain that does not exist gets the policy of `np`",
        "RFC 9989 section 4.10.1; checkdmarc does not look for records of a domain that does not exist",
        lambda tree, mine, error: mine and error == "DMARCRecordNotFound" and tree[0] not in tree[3],
    ),
]


def main():
    command, count = sys.argv[1], int(sys.argv[2])
    draw = random.Random(9989)
    agreed, reasons, unexplained = 0, Counter(), []
    outcomes = Counter()
    for _ in range(count):
        drawn = tree(draw)
        mine, organization, _ = ours(command, drawn[0], snapshot(*drawn[1:]))
        other, their_organization, error = theirs(*drawn)
        outcomes["temperror" if mine == "temperror" else "none" if mine is None else "policy"] += 1
        if mine == other and organization == their_organization:
            agreed += 1
            continue
        reason = next((what for what, _, shows in REASONS if shows(drawn, mine, error)), None)
        if reason is None:
            unexplained.append((drawn, (mine, organization), (other, their_organization)))
        else:
            reasons[reason] += 1
    names = [".".join([*labels, suffix]) for suffix in SUFFIXES for labels in ([], ["shop"], ["mail", "shop"], ["co", "shop"])]
    listed = 0
    for name in names:
        mine = ours(command, name, snapshot({}, set(), set()))[2]
        # checkdmarc gives a public suffix itself, where there is no organizational domain.
        if (mine or name) == get_base_domain(name):
            listed += 1
        else:
            unexplained.append((name, mine, get_base_domain(name)))
    print(f"{agreed} of {count} trees judged alike ({', '.join(f'{n} {what}' for what, n in sorted(outcomes.items()))})")
    for what, paragraph, _ in REASONS:
        print(f"{reasons[what]:5} differ: {what} ({paragraph})")
    print(f"{listed} of {len(names)} organizational domains by public suffix list are the same")
    for case in unexplained[:5]:
        print("unexplained:", *case, sep="\n  ")
    stale = [what for what, _, _ in REASONS if not reasons[what]]
    for what in stale:
        print(f"no tree shows any more: {what}")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())
