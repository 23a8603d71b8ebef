"""Long work: it can be watched and interrupted, and other threads run meanwhile."""

from __future__ import annotations

import threading
import time

import pytest

from sendershift import Plan, Snapshot, spf

from .conftest import interrupted


def test_progress_is_told_and_can_end_the_work(plan: Plan) -> None:
    told: list[int] = []
    assert plan.prove(progress=told.append).verdict == "safe"
    assert told and told == sorted(set(told))
    assert plan.prove(progress=lambda _: 0).verdict == "safe"
    stopped = plan.prove(progress=lambda _: False)
    # What was not looked at is never called safe, and its margin is not known.
    assert stopped.verdict == "undecided" or stopped.margin is None


def test_what_the_callback_raises_comes_through(plan: Plan) -> None:
    def refuse(_: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        plan.prove(progress=refuse)


def test_ctrl_c_ends_a_proof(plan: Plan) -> None:
    with pytest.raises(KeyboardInterrupt), interrupted(0.1):
        # Far longer than the interrupt takes, so that it cannot come too late.
        for _ in range(1000):
            plan.prove()


def test_other_threads_run_meanwhile(plan: Plan) -> None:
    done = threading.Event()
    turns = 0

    def count() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    before = turns
    plan.prove()
    during = turns - before
    done.set()
    thread.join()
    assert during > 10


def test_compact_can_be_watched(qualys: Snapshot) -> None:
    best = spf.compact(qualys, "qualys.com", reserve=1, progress=lambda _: True)
    assert best.domain == "qualys.com"


def test_progress_runs_in_the_thread_that_asked(plan: Plan) -> None:
    threads: set[int] = set()
    plan.prove(progress=lambda _: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_a_snapshot_is_read_once() -> None:
    """So that one answer does not take the time of thirty thousand."""
    answers = [{"name": f"d{at}.example", "type": "TXT", "records": ["v=spf1 -all"]} for at in range(30_000)]
    dns = Snapshot.from_dict({"format": "sendershift-snapshot/1", "closed": True, "answers": answers})
    began = time.perf_counter()
    Snapshot.from_json(dns.to_json())
    reading = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(100):
        assert spf.check(dns, "192.0.2.1", "u@d7.example").result == "fail"
        assert dns.answer("d7.example", "TXT").answer == "records"
        assert dns.policy("d7.example").result("192.0.2.1") == "fail"
    # 300 answers, where reading it each time would take 300 times as long as reading it.
    assert time.perf_counter() - began < 30 * reading
