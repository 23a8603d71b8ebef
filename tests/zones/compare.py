"""Second opinions about zone files: dnspython and BIND read the same files, and BIND's server answers from them.

usage: compare.py FOLDER COMPILEZONE NAMED

FOLDER holds what sendershift reads (`cargo test -p sendershift-tests --test zones` writes it). Every difference has to be
explained in differences.json; an explanation that no difference needs any more is an error as well.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone

import serve

HERE = pathlib.Path(__file__).parent
DEFAULT_ORIGIN = "odd.example."


def rrsets_of(zone):
    """The RRsets of a dnspython zone: {(name, type): (ttl, {records})}."""
    found = {}
    for name, node in zone.nodes.items():
        for rdataset in node:
            # DNSSEC signatures are sets of their own for each type that they cover.
            key = (name.to_text().lower(), dns.rdatatype.to_text(rdataset.rdtype))
            found[key] = (rdataset.ttl, {canonical(rdata) for rdata in rdataset})
    return found


def canonical(rdata):
    return rdata.to_digestable(origin=dns.name.root).hex()


def ours(document):
    found = {}
    for rrset in document["rrsets"]:
        kind = dns.rdatatype.from_text(rrset["type"])
        records = {
            canonical(dns.rdata.from_text(dns.rdataclass.IN, kind, text, origin=dns.name.root, relativize=False))
            for text in rrset["records"]
        }
        name = dns.name.from_text(rrset["name"], origin=dns.name.root)
        found[(name.to_text().lower(), dns.rdatatype.to_text(kind))] = (rrset["ttl"], records)
    return found


def by_dnspython(path, origin):
    try:
        text = path.read_bytes().decode("utf-8")
        return rrsets_of(dns.zone.from_text(text, origin=origin, relativize=False))
    except (dns.exception.DNSException, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"


def by_bind(program, path, origin):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        quiet = ["-k", "ignore", "-n", "ignore", "-m", "ignore", "-M", "ignore", "-S", "ignore", "-T", "ignore", "-i", "none"]
        done = subprocess.run(
            [program, *quiet, "-s", "full", "-o", str(out), origin, str(path)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return (done.stdout + done.stderr).strip().splitlines()[-1]
        # One record a line, every name absolute: nothing here can be read in two ways.
        zone = dns.zone.from_text(out.read_text("ascii"), origin=origin, relativize=False, check_origin=False)
        return rrsets_of(zone)


def difference(document, theirs):
    """How another reader differs from ours, as one word, and what shows it."""
    if "problems" in document:
        return None if isinstance(theirs, str) else ("accepts", document["problems"])
    if isinstance(theirs, str):
        return ("refuses", theirs)
    mine = ours(document)
    for key in sorted(mine.keys() | theirs.keys()):
        one, two = mine.get(key), theirs.get(key)
        if one is None or two is None or one[1] != two[1]:
            return ("records", f"{key}: {one} {two}")
    for key in sorted(mine):
        if mine[key][0] != theirs[key][0]:
            return ("ttl", f"{key}: {mine[key][0]} {theirs[key][0]}")
    return None


def explained(found):
    """Prints what is not explained, and the explanations that are no longer needed; whether there is neither."""
    known = json.loads((HERE / "differences.json").read_text("utf-8"))
    wanted = {(entry["file"], entry["reader"], entry["kind"]) for entry in known}
    good = all(entry["why"] for entry in known)
    for key in sorted(found.keys() - wanted):
        print("not explained:", *key, "--", found[key])
        good = False
    for key in sorted(wanted - found.keys()):
        print("explained, but there is no such difference:", *key)
        good = False
    return good


def main():
    folder, compilezone, named = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    found, counts, refused, rrsets = {}, {"dnspython": 0, "bind": 0}, 0, 0
    documents = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.json"))}
    documents = {name: json.loads(path.read_text("utf-8")) for name, path in documents.items()}
    for name, document in documents.items():
        path = HERE / f"{name}.zone"
        origin = document["apex"] + "." if "apex" in document else DEFAULT_ORIGIN
        refused += "problems" in document
        rrsets += len(document.get("rrsets", []))
        for reader, theirs in (("dnspython", by_dnspython(path, origin)), ("bind", by_bind(compilezone, path, origin))):
            counts[reader] += 1
            differs = difference(document, theirs)
            if differs:
                found[(name, reader, differs[0])] = differs[1]
    served = {name: document for name, document in documents.items() if "answers" in document}
    answers, wrong = serve.compare(named, HERE, served)
    found.update(wrong)
    print(f"{len(documents)} zone files, {rrsets} RRsets read, {refused} files refused; each read by {' and '.join(counts)} too")
    print(f"{answers} answers from {len(served)} zones compared with those of a BIND server")
    good = explained(found)
    print(f"{len(found)} differences, {'all explained' if good else 'NOT all explained, or explained in vain'}")
    # A comparison of nothing finds no difference.
    return 0 if good and len(documents) > 90 and answers > 1000 else 1


if __name__ == "__main__":
    sys.exit(main())
