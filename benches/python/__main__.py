"""The Python package beside pyspf, and beside the core called from Rust: the rows of docs/benchmarks.md.

`cargo xtask bench-python` runs it: `python benches/python PROGRAM`, where PROGRAM is the example `rows` of `benches`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pyarrow as pa
import spf as pyspf

from sendershift import Snapshot, spf

ROWS, SAMPLE, DOMAINS, ROUNDS = 1_000_000, 4_000, 200, 7
draw = random.Random(7208)


def estate() -> tuple[dict[str, str], dict[str, list[int]]]:
    """Records of senders with three providers and a network of their own each, and the networks (/24) of every sender."""
    records, reach = {}, {}
    providers = [f"_spf.provider{at}.example" for at in range(12)]
    owned = {provider: [draw.randrange(2**24) for _ in range(40)] for provider in providers}
    for provider, nets in owned.items():
        halves = [f"{half}.{provider}" for half in "ab"]
        records[provider] = f"v=spf1 {' '.join(f'include:{half}' for half in halves)} ~all"
        for half, some in zip(halves, (nets[:20], nets[20:]), strict=True):
            records[half] = f"v=spf1 {' '.join(f'ip4:{IPv4Address(net << 8)}/24' for net in some)} -all"
    for at in range(DOMAINS):
        chosen, own = draw.sample(providers, 3), draw.randrange(2**24)
        includes = " ".join(f"include:{provider}" for provider in chosen)
        records[f"sender{at}.example"] = f"v=spf1 ip4:{IPv4Address(own << 8)}/24 {includes} -all"
        reach[f"sender{at}.example"] = [own, *(net for provider in chosen for net in owned[provider])]
    return records, reach


def rows(reach: dict[str, list[int]]) -> list[tuple[str, str, str]]:
    """Three rows in four are authorised."""
    drawn = []
    for at in range(ROWS):
        domain = f"sender{draw.randrange(DOMAINS)}.example"
        net = draw.choice(reach[domain]) if at % 4 else draw.randrange(2**24)
        drawn.append((str(IPv4Address(net << 8 | draw.randrange(256))), f"user{at}@{domain}", f"mx.{domain}"))
    return drawn


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def beside_rust(dns: Snapshot, drawn: list[tuple[str, str, str]], program: str, folder: Path) -> None:
    (folder / "dns.json").write_text(dns.to_json(), "utf-8")
    (folder / "rows").write_text("\n".join("\t".join(row) for row in drawn), "utf-8")
    table = pa.table(dict(zip(("ip", "mail_from", "helo"), map(pa.array, zip(*drawn, strict=True)), strict=True)))
    all_cores = os.sched_getaffinity(0)
    for cores in ({min(all_cores)}, all_cores):
        os.sched_setaffinity(0, cores)
        ours, core = [], []
        for _ in range(ROUNDS):
            ours.append(timed(lambda: spf.check_many(dns, table)))
            told = subprocess.run([program, folder / "dns.json", folder / "rows"], check=True, capture_output=True, text=True)
            seconds, results = told.stdout.split(" ", 1)
            core.append(float(seconds))
        found = Counter(pa.table(spf.check_many(dns, table))["result"].to_pylist())
        assert found == json.loads(results), (found, results)
        ratio = min(ours) / min(core)
        print(
            f"| check_many, {ROWS:,} rows, {len(cores)} of {len(all_cores)} cores | {ROWS / min(ours):,.0f} rows/s"
            f" | core in Rust: {ROWS / min(core):,.0f} rows/s | {ratio - 1:+.0%} time |",
            flush=True,
        )


def beside_pyspf(dns: Snapshot, records: dict[str, str], drawn: list[tuple[str, str, str]]) -> None:
    def lookup(name: str, kind: str, *_: object) -> list[tuple[tuple[str, str], tuple[bytes]]]:
        text = records.get(name.lower()) if kind == "TXT" else None
        return [((name, kind), (text.encode(),))] if text else []

    pyspf.DNSLookup = lookup
    sample = drawn[:: ROWS // SAMPLE]
    table = pa.table(dict(zip(("ip", "mail_from", "helo"), map(pa.array, zip(*sample, strict=True)), strict=True)))
    theirs: list[str] = []
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    ours, peer = [], []
    for _ in range(ROUNDS):
        ours.append(timed(lambda: spf.check_many(dns, table)))
        theirs.clear()
        peer.append(timed(lambda: theirs.extend(pyspf.check2(*row)[0] for row in sample)))
    assert pa.table(spf.check_many(dns, table))["result"].to_pylist() == theirs
    ratio = min(peer) / min(ours)
    print(
        f"| check_many, a sample of {SAMPLE:,} of these rows, 1 core | {SAMPLE / min(ours):,.0f} rows/s"
        f" | pyspf: {SAMPLE / min(peer):,.0f} rows/s | {ratio:,.0f} times |",
        flush=True,
    )


def threads(dns: Snapshot) -> None:
    def costs() -> None:
        for at in range(100):
            spf.cost(dns, f"sender{at}.example")

    def both(count: int) -> None:
        running = [threading.Thread(target=costs) for _ in range(count)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()

    one, two = [], []
    for _ in range(ROUNDS):
        one.append(timed(lambda: both(1)))
        two.append(timed(lambda: both(2)))
    print(
        f"| spf.cost, 100 in one thread, 200 in two | {min(one):.2f} s | two threads: {min(two):.2f} s"
        f" | {2 * min(one) / min(two):.2f} times the work |",
        flush=True,
    )


def main() -> None:
    records, reach = estate()
    answers = [{"name": name, "type": "TXT", "records": [text]} for name, text in records.items()]
    dns = Snapshot.from_json(json.dumps({"format": "sendershift-snapshot/1", "closed": True, "answers": answers}))
    drawn = rows(reach)
    threads(dns)
    with tempfile.TemporaryDirectory() as folder:
        beside_rust(dns, drawn, sys.argv[1], Path(folder))
    beside_pyspf(dns, records, drawn)


if __name__ == "__main__":
    main()
