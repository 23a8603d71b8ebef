"""Where the repository's examples and vectors are."""

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import sendershift
from sendershift import Migration, Plan, Snapshot

ROOT = Path(__file__).resolve().parents[3]
QUALYS = ROOT / "docs" / "examples" / "qualys"

SMALL = """{
  "format": "sendershift-snapshot/1", "closed": true, "taken": "2026-11-02T00:00:00Z",
  "answers": [
    { "name": "a.example", "type": "TXT", "ttl": 300, "records": ["v=spf1 ip4:192.0.2.0/24 include:b.example -all"] },
    { "name": "b.example", "type": "TXT", "records": ["v=spf1 exists:%{i}.b.example ~all"] },
    { "name": "_dmarc.a.example", "type": "TXT", "records": ["v=DMARC1; p=reject"] } ] }"""


@pytest.fixture(scope="session")
def dns() -> Snapshot:
    return Snapshot.from_json(SMALL)


@pytest.fixture(scope="session")
def qualys() -> Snapshot:
    return Snapshot.from_file(QUALYS / "dns.json")


@pytest.fixture(scope="session")
def migration() -> Migration:
    return Migration.from_file(QUALYS / "migration.toml")


@pytest.fixture(scope="session")
def plan(migration: Migration, qualys: Snapshot) -> Plan:
    return migration.plan(qualys)


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """What is tested is the package that was installed, not the sources beside it."""
    assert ROOT / "bindings" not in Path(sendershift.__file__).resolve().parents


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """Ctrl-C, so often."""
    # Whoever runs the tests in the background may have had the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    stop = threading.Event()

    def interrupt() -> None:
        # Again and again: one interrupt may fall where Python drops what is raised, as in a finalizer.
        while not stop.wait(seconds):
            _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
