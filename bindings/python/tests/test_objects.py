"""Objects: what Python people expect of values."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import pydoc
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib.metadata import version
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sendershift
from sendershift import (
    AddressSet,
    Course,
    DkimKey,
    DmarcRecord,
    Drift,
    InvalidError,
    Migration,
    Plan,
    Policy,
    Proof,
    Snapshot,
    SpfCost,
    SpfRecord,
    SpfResult,
    Values,
    dmarc,
    domain,
    spf,
)

from sendershift._document import Document
from sendershift._record import Record, keys

from .conftest import QUALYS, ROOT, SMALL


def values(dns: Snapshot, plan: Plan, migration: Migration) -> list[Any]:
    return [
        dns,
        plan,
        plan.prove(),
        plan.prove(plan.evidence),
        migration,
        dns.policy("a.example"),
        SpfRecord.parse("v=spf1 mx -all"),
        DmarcRecord.parse("v=DMARC1; p=none"),
        DkimKey.parse("v=DKIM1; p="),
        spf.check(dns, "192.0.2.1", "u@a.example", trace=True),
        spf.cost(dns, "a.example"),
        spf.lint(dns, "a.example"),
        spf.diff(dns, "a.example", "b.example"),
        spf.compact(dns, "a.example"),
        dmarc.check(dns, "a.example", spf=("a.example", "pass"), dkim=[("a.example", "fail")]),
        domain.drift(dns, dns),
    ]


def test_documents_are_written_and_read(dns: Snapshot, plan: Plan, migration: Migration, tmp_path: Path) -> None:
    for value in values(dns, plan, migration):
        again = type(value).from_json(value.to_json())
        assert again == value and hash(again) == hash(value), repr(value)
        assert again.to_dict() == value.to_dict()
        path = tmp_path / "document.json"
        path.write_text(value.to_json(), "utf-8")
        assert type(value).from_file(path) == type(value).from_dict(value.to_dict()) == value
        assert type(value).from_json(value.to_json(indent=2)) == value
        assert pickle.loads(pickle.dumps(value)) == value
        assert copy.deepcopy(value) == value
        assert value != "something else"
        assert type(value).__name__ in repr(value)
        with pytest.raises(AttributeError):
            value.title = "other"


def changed(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """A document with one of its values changed into something of another kind, each value in turn."""
    items = data.items() if isinstance(data, dict) else enumerate(data[:1]) if isinstance(data, list) else ()
    for key, value in list(items):
        for other in (None, True, 5, "x", [5], {"a": 5}):
            if type(other) is not type(value):
                data[key] = other
                yield (*path, key), data
        data[key] = value
        yield from changed(value, (*path, key)) if len(path) < 3 else ()


def read_whole(value: Any) -> None:
    """Reads every key, and those below."""
    if isinstance(value, Record):
        for name in keys(type(value)):
            read_whole(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            read_whole(item)


def test_what_cannot_be_read_is_refused_where_it_stands(dns: Snapshot, plan: Plan, migration: Migration) -> None:
    refused = 0
    for value in values(dns, plan, migration):
        if not isinstance(value, Document) or isinstance(value, (Snapshot, Plan, Migration)):
            continue  # What the core reads it checks anyway.
        data = value.to_dict()
        for path, _ in changed(data):
            # `changed` works in place, below as well.
            text = json.dumps(data)
            try:
                again = type(value).from_json(text)
            except InvalidError as error:
                assert all(problem.code.startswith(("document.", "net.")) and problem.span for problem in error.problems), (path, error.problems)
                refused += 1
            else:
                read_whole(again)
                assert repr(again) and str(again) and hash(again)
                assert getattr(again, "_repr_html_", again.__str__)()
    assert refused > 500


def test_what_is_frozen_stays_so_when_it_is_made_again(dns: Snapshot) -> None:
    policy, lookups = dns.policy("a.example"), spf.cost(dns, "a.example").lookups
    cases: list[tuple[Any, Callable[[], object]]] = [
        (policy, lambda: policy.__init__(dns, "b.example")),  # type: ignore[misc]
        (lookups, lambda: lookups.__init__(x=1)),  # type: ignore[misc]
        (sendershift.PROMISES, lambda: sendershift.PROMISES.__init__({"zz": "1"})),  # type: ignore[misc]
    ]
    for value, again in cases:
        before = hash(value), repr(value)
        again()
        assert (hash(value), repr(value)) == before
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value


def test_times_that_python_does_not_have_are_refused(plan: Plan) -> None:
    snapshot = '{"format":"sendershift-snapshot/1","closed":true,"taken":"0000-06-01T00:00:00Z","answers":[]}'
    with pytest.raises(InvalidError, match="line 1, column 58"):
        Snapshot.from_json(snapshot)
    course = plan.course().to_dict()
    for wrong in ("2016-12-31T23:59:60Z", "2022-01-01t00:00:00z", "2022-01-01"):
        course["steps"][0]["start"] = wrong
        with pytest.raises(InvalidError) as caught:
            Course.from_dict(course)
        assert caught.value.code == "document.bad-time"
    number = Migration.from_file(QUALYS / "migration.toml").values().to_json(2).replace('"value": ', '"value": 1e999, "_": ', 1)
    with pytest.raises(InvalidError, match="1e999 is too large"):
        Values.from_json(number)


def test_a_policy_is_read_with_its_places(dns: Snapshot) -> None:
    good = dns.policy("v=spf1 ip4:192.0.2.1 -all", "a.example").to_json()
    for wrong, instead, code, place in [
        ('"domain"', '"domian"', "document.unknown-key", '"domian"'),
        ('"ttl":300', '"ttl":"x"', "document.wrong-type", '"x"'),
        ('"domain":"a.example"', '"domain":5', "document.wrong-type", "5"),
    ]:
        text = good.replace(wrong, instead)
        assert text != good
        with pytest.raises(InvalidError) as caught:
            Policy.from_json(text)
        (problem,) = caught.value.problems
        assert problem.code == code
        assert problem.span is not None and text.encode()[slice(*problem.span)].decode() == place


def test_files_are_read(dns: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "dns.json"
    path.write_text(SMALL, "utf-8")
    assert Snapshot.from_file(path) == Snapshot.from_file(str(path)) == dns
    zone = tmp_path / "c.zone"
    zone.write_text("c.example. 1h SOA ns.c.example. h.c.example. 1 2h 15m 2w 30m\n", "utf-8")
    both = Snapshot.from_files(path, zone)
    assert both.zones == ("c.example",)
    assert both.answer("c.example", "SOA").answer == "records"
    assert both.answer("a.example", "TXT").ttl == 300


def test_results_are_not_read_as_something_else(dns: Snapshot) -> None:
    with pytest.raises(ValueError, match="sendershift-proof/1"):
        Proof.from_json(dns.to_json())


def test_values_are_those_of_python(dns: Snapshot, plan: Plan, migration: Migration) -> None:
    assert dns.taken == datetime(2026, 11, 2, tzinfo=UTC)
    assert plan.parameters.queue_lifetime == timedelta(days=5)
    first = plan.steps[0]
    assert first.earliest is not None and first.earliest.tzinfo is not None
    assert isinstance(first.slack, timedelta)
    assert isinstance(plan.evidence, Snapshot)
    assert migration.announce < (migration.deadline or datetime.max)
    file = tomllib.loads((QUALYS / "migration.toml").read_text("utf-8"))
    assert migration.title == file["title"]
    assert list(migration.streams) == [stream["id"] for stream in file["stream"]]
    checked = spf.check(dns, IPv6Address("2001:db8::1"), "u@a.example")
    assert checked.ip == IPv6Address("2001:db8::1")
    assert checked.result is SpfResult.FAIL
    difference = spf.diff(dns, "v=spf1 ip4:192.0.2.1 -all", "v=spf1 -all")
    assert difference.witness is not None
    assert difference.witness.ip == IPv4Address("192.0.2.1")
    assert (difference.witness.left, difference.witness.right) == ("pass", "fail")


def test_parts_are_values_too(plan: Plan) -> None:
    step = plan.steps[0]
    assert step == plan.steps[0] and hash(step) == hash(plan.steps[0])
    assert step != plan.steps[1]
    assert pickle.loads(pickle.dumps(step)) == step
    assert "steps" in dir(plan)
    assert isinstance(step.undo, tuple) and step.undo[0].changes[0].name == step.changes[0].name
    noticed = next(step for step in plan.steps if step.kind == "notify")
    assert isinstance(noticed.undo, str)
    with pytest.raises(AttributeError, match="stepz"):
        plan.stepz  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        plan.streams[0]["id"] = "other"


def test_plans_are_proven(plan: Plan) -> None:
    proof = plan.prove()
    assert proof.verdict == "safe"
    assert proof.not_judged == () and "p3" in proof.judged
    assert "verdict: safe" in str(proof)
    broken = Plan.from_file(ROOT / "tests" / "plans" / "broken-cached-ttl.json").prove()
    assert broken.verdict == "unsafe"
    stories = [one.counterexample for one in broken.promises if one.counterexample]
    assert stories and stories[0].story and stories[0].code


def test_plans_are_text_and_html(plan: Plan, qualys: Snapshot) -> None:
    assert plan.title in str(plan)
    page = plan._repr_html_()
    assert all(step.id in page for step in plan.steps)
    proof = plan.prove()._repr_html_()
    assert "p10" in proof and "safe" in proof
    tree = spf.cost(qualys, "qualys.com")._repr_html_()
    assert "include:_spf.salesforce.com" in tree
    evil = Plan.from_dict({**plan.to_dict(), "title": "<script>"})
    assert "<script>" not in evil._repr_html_()


def test_policies(dns: Snapshot) -> None:
    policy = dns.policy("a.example")
    assert policy.result("192.0.2.1") is SpfResult.PASS
    assert policy.result(ip_address("192.0.2.255")) is SpfResult.PASS
    # `exists` asks about the message's address in DNS that is not in evidence.
    assert policy.result("198.51.100.1") is None
    assert {case.result for case in policy.cases("198.51.100.1")} == {"pass", "fail"}
    assert str(policy.always("pass")) == "192.0.2.0/24"
    assert policy.sometimes("pass") > policy.always("pass")
    assert policy.intended().result("192.0.2.1") == policy.under("strict").result("192.0.2.1")
    same = dns.policy("v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 include:b.example -all", "a.example")
    assert same == policy and hash(same) == hash(policy)
    assert policy.diff(same).equivalent
    other = Policy(dns, SpfRecord.parse("v=spf1 ip4:192.0.2.0/25 include:b.example -all"), "a.example")
    assert other != policy
    found = policy.diff(other).witness
    assert found is not None and found.ip == ip_address("192.0.2.128")


def test_policies_of_two_days(dns: Snapshot) -> None:
    later = Snapshot.from_json(SMALL.replace("192.0.2.0/24", "192.0.2.0/25"))
    difference = dns.policy("a.example").diff(later.policy("a.example"))
    assert not difference.equivalent
    assert difference.removes["always"]["ranges"] == ("192.0.2.128/25",)


def test_address_sets() -> None:
    office = AddressSet(["192.0.2.0/25", ip_network("192.0.2.128/25"), ip_address("2001:db8::1")])
    assert str(office) == "192.0.2.0/24, 2001:db8::1/128"
    assert office.count() == 257
    assert AddressSet.all().count() == 2**32 + 2**128
    assert office.networks() == [ip_network("192.0.2.0/24"), ip_network("2001:db8::1/128")]
    assert office.ranges()[0] == (ip_address("192.0.2.0"), ip_address("192.0.2.255"))
    assert "192.0.2.7" in office and ip_address("192.0.3.0") not in office
    half = AddressSet(["192.0.2.0/25"])
    assert half < office and office >= half and not half > office
    assert office - half | half == office
    assert not office & ~office
    assert half.isdisjoint(~half) and half.issubset(office)
    assert AddressSet() == half & ~half
    again = eval(repr(office))
    assert again == office and hash(again) == hash(office)
    assert pickle.loads(pickle.dumps(office)) == office
    assert office.issuperset(half) and not half.issuperset(office)


def test_address_sets_are_written_and_read(tmp_path: Path) -> None:
    office = AddressSet(["192.0.2.0/24", "2001:db8::/32"])
    assert office.to_list() == ["192.0.2.0/24", "2001:db8::/32"]
    assert office.to_dict() == {"networks": office.to_list()}
    assert AddressSet.from_json(office.to_json()) == AddressSet.from_dict(office.to_dict()) == office
    path = tmp_path / "office.json"
    path.write_text(office.to_json(), "utf-8")
    assert AddressSet.from_file(path) == AddressSet.from_file(str(path)) == office
    with pytest.raises(FileNotFoundError, match="nowhere"):
        AddressSet.from_file(tmp_path / "nowhere")
    with pytest.raises(InvalidError):
        AddressSet.from_json('{"networks": ["192.0.2"]}')


def test_large_address_sets_are_shown_in_short() -> None:
    networks = [f"192.0.{at}.0/24" for at in range(0, 200, 2)]
    shown = repr(AddressSet([*networks, "2001:db8::/32"]))
    assert "192.0.16.0/24" in shown and "192.0.198.0/24" not in shown
    assert shown.endswith("101 networks, ~2^96 addresses>")


def test_records() -> None:
    record = spf.parse("v=spf1 include:b.example -all")
    assert [term.name for term in record.terms] == ["include", "all"]
    assert record.lookup_terms == 1
    assert str(record) == "v=spf1 include:b.example -all"
    assert dmarc.parse("v=DMARC1; p=reject").p == "reject"
    assert DkimKey.parse("v=DKIM1; p=").revoked


@pytest.mark.parametrize(
    ("cls", "text", "canonical"),
    [
        (SpfRecord, "v=spf1 ip6:2001:0DB8::/32  +MX a/32 -all", "v=spf1 ip6:2001:db8::/32 mx a/32 -all"),
        (DmarcRecord, "v=DMARC1 ; p = none ;; foo=bar", "v=DMARC1; p=none; ; foo=bar"),
        (DkimKey, "v = DKIM1 ; p=", "v=DKIM1; p="),
    ],
)
def test_records_are_as_they_were_given(cls: Any, text: str, canonical: str) -> None:
    """Places count in the text that was given, so that is what the object has."""
    record = cls.parse(text)
    assert (record.record, str(record), record.canonical) == (text, text, canonical)
    for again in (cls.from_json(record.to_json()), pickle.loads(pickle.dumps(record)), cls.from_dict(record.to_dict())):
        assert again == record and hash(again) == hash(record)
    octets = text.encode()
    for term in getattr(record, "terms", ()):
        assert octets[slice(*term.span)].decode() == term.text
    assert all(note.span and note.span[1] <= len(octets) for note in getattr(record, "notes", ()))


def test_the_version_is_that_of_the_core() -> None:
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))
    assert sendershift.__version__ == version("sendershift") == manifest["workspace"]["package"]["version"]


def test_policies_of_two_domains_differ() -> None:
    """The same record means another address at each (RFC 7208 section 5.3)."""
    hosts = {"a.example": "192.0.2.1", "b.example": "192.0.2.2"}
    answers = [{"name": name, "type": "A", "records": [ip]} for name, ip in hosts.items()]
    dns = Snapshot.from_dict({"format": "sendershift-snapshot/1", "closed": True, "answers": answers})
    left, right = (dns.policy("v=spf1 a -all", domain) for domain in hosts)
    assert left != right
    difference = left.diff(right)
    assert not difference.equivalent
    assert dns.policy("v=spf1 a -all", "a.example").diff(dns.policy("v=spf1 ip4:192.0.2.1 -all")).equivalent


def test_a_file_keeps_the_ends_of_its_lines(tmp_path: Path) -> None:
    """A lone carriage return ends no line of a zone file, so what stands behind it is a comment still (RFC 1035 section 5.1)."""
    zone = "$ORIGIN a.example.\n$TTL 60\n@ IN SOA ns h 1 2 3 4 5\n; gone:\r@ IN A 192.0.2.9\n"
    path = tmp_path / "a.zone"
    path.write_bytes(zone.encode())
    assert Snapshot.from_files(path).answer("a.example", "A").answer == "nodata"


def test_clients_that_are_mapped_from_ipv4(dns: Snapshot) -> None:
    """Such a client is an IPv4 client (RFC 7208 section 5)."""
    policy = dns.policy("v=spf1 ip4:192.0.2.0/24 -all")
    for mapped in ("::ffff:192.0.2.1", IPv6Address("::ffff:192.0.2.1")):
        assert policy.result(mapped) == "pass"
        assert mapped in policy.always("pass") and mapped not in policy.always("fail")
        assert mapped in policy.sometimes("pass") and mapped not in policy.sometimes("fail")
        assert [case.result for case in policy.cases(mapped)] == ["pass"]
        assert mapped in AddressSet([mapped]) and "192.0.2.1" in AddressSet([mapped])
        assert AddressSet([mapped]) == AddressSet(["192.0.2.1"])
    everywhere = ~policy.always("pass")
    assert pickle.loads(pickle.dumps(everywhere)) == AddressSet.from_json(everywhere.to_json()) == everywhere


def test_results_are_values(dns: Snapshot) -> None:
    policy = dns.policy("a.example")
    for results in (policy.under("strict"), policy.intended()):
        for again in (pickle.loads(pickle.dumps(results)), copy.copy(results), copy.deepcopy(results)):
            assert again == results and hash(again) == hash(results) and repr(again) == repr(results)
        assert "a.example" in repr(results)
        with pytest.raises(AttributeError):
            results.other = 5
    assert "strict" in repr(policy.under("strict")) and "intended" in repr(policy.intended())


def test_parts_without_a_class_are_values(dns: Snapshot) -> None:
    lookups = spf.cost(dns, "a.example").lookups
    assert json.loads(json.dumps(lookups)) == lookups
    assert pickle.loads(pickle.dumps(lookups)) == copy.deepcopy(lookups) == lookups
    assert hash(copy.deepcopy(lookups)) == hash(lookups)
    part: Any = lookups
    with pytest.raises(TypeError):
        part["total"] = 0
    for change in (lambda: part.update(total=0), lambda: part.pop("total"), part.clear):
        with pytest.raises(TypeError):
            change()
    assert {**lookups, "total": 0} != lookups


def test_what_is_equal_has_one_hash(dns: Snapshot) -> None:
    data = domain.drift(dns, dns).to_dict()
    one, same = (Drift.from_dict({**data, "octets": octets}) for octets in (1, 1.0))
    assert one == same and hash(one) == hash(same)


def test_there_is_no_room_beside_the_keys() -> None:
    record = spf.parse("v=spf1 -all")
    assert not hasattr(record, "__dict__")
    with pytest.raises(AttributeError):
        object.__setattr__(record, "record", "v=spf1 +all")
    assert record.record == "v=spf1 -all"


def test_help_tells_what_the_keys_are() -> None:
    told = pydoc.plain(pydoc.render_doc(SpfCost))
    assert "lookups" in told and "Mapping[str, int]: How many lookups" in told
    options = inspect.getdoc(spf.compact) or ""
    for option in inspect.signature(spf.compact).parameters.keys() - {"dns", "subject"}:
        assert f"`{option}`" in options


def test_what_others_wrote_forges_no_line(plan: Plan) -> None:
    evil = "Move\n\x1b[31mverdict: safe\x1b[0m\nverdict: safe"
    data = plan.to_dict()
    for step in data["steps"]:
        step["title"] = evil
    # Too early, so that a story tells of the step.
    moved = {"remove-dkim-qualys-com": [{"step": "move-accounts", "at_least": "PT86400S"}]}
    for step in data["steps"]:
        step["after"] = moved.get(step["id"], step["after"])
    forged = Plan.from_dict(data)
    proof = forged.prove()
    assert proof.verdict == "unsafe" and "Move" in str(proof)
    for text in (str(forged), str(proof)):
        assert "\x1b" not in text
        assert [line for line in text.splitlines() if line.startswith("verdict:")] == (
            ["verdict: unsafe"] if text == str(proof) else []
        )


def test_trees_tell_what_is_wrong(dns: Snapshot) -> None:
    tree = spf.cost(dns, "v=spf1 include:nowhere.example -all", domain="a.example")._repr_html_()
    assert "[spf." in tree and "{" not in tree


def test_values_of_python_are_taken(dns: Snapshot, plan: Plan) -> None:
    again = {**plan.to_dict(), "parameters": {**plan.to_dict()["parameters"]}}
    again["parameters"]["start"] = plan.parameters.start
    again["parameters"]["queue_lifetime"] = plan.parameters.queue_lifetime
    assert Plan.from_dict(again) == plan
    evidence = {**dns.to_dict(), "taken": dns.taken}
    assert Snapshot.from_dict(evidence) == dns
    one: Any = np.int64(1)
    yes: Any = np.bool_(True)
    assert spf.compact(dns, "a.example", reserve=one).reserve == 1
    assert spf.check(dns, "192.0.2.1", "u@a.example", trace=yes).trace


def test_a_draft_beside_what_is_published() -> None:
    answers = [
        {"name": "a.example", "type": "TXT", "records": ["v=spf1 mx -all"]},
        {"name": "a.example", "type": "MX", "records": ["10 m.example"]},
        {"name": "m.example", "type": "A", "records": ["192.0.2.1"]},
    ]
    dns = Snapshot.from_dict({"format": "sendershift-snapshot/1", "closed": True, "answers": answers})
    draft = dns.policy("v=spf1 mx ip4:192.0.2.2 -all", "a.example")
    difference = dns.policy("a.example").diff(draft)
    assert difference.witness is not None and difference.witness.ip == IPv4Address("192.0.2.2")


def test_notebooks_tell_what_text_tells(migration: Migration, qualys: Snapshot) -> None:
    late = Migration.from_toml(re.sub(r"(?m)^deadline.*$", "deadline = 2022-01-20", migration.migration)).plan(qualys)
    assert late.blockers
    page = unescape(late._repr_html_())
    assert "This plan is not complete" in page
    for told in (*late.blockers, *late.findings, *late.assumptions):
        assert str(told) in page
    proof = late.prove()
    page = unescape(proof._repr_html_())
    for told in (*proof.findings, *proof.undecided, *proof.conditions, *proof.assumptions):
        assert str(told) in page


def test_a_plan_under_way_tells_how_far_it_is(plan: Plan) -> None:
    now = plan.evidence.to_dict()
    changed = next(answer for answer in now["answers"] if answer["name"] == "_dmarc.qualys.com")
    changed["records"].append("<hello>")
    proof = plan.prove(Snapshot.from_dict(now))
    assert proof.progress is not None and proof.progress["next"] and proof.progress["drift"]
    lines = str(proof).splitlines()
    assert "done: none" in lines and "drift: _dmarc.qualys.com TXT" in lines
    assert f"next: {', '.join(proof.progress['next'])}" in lines
    page = proof._repr_html_()
    assert "<td>drift</td><td>_dmarc.qualys.com TXT</td>" in page and proof.progress["next"][0] in page
    assert "done: " not in str(plan.prove()) and "Progress" not in plan.prove()._repr_html_()


def test_the_course_of_a_plan(plan: Plan) -> None:
    course = plan.course()
    assert [step.id for step in course.steps] == [step.id for step in plan.steps]
    assert any(step.start == plan.steps[at].earliest for at, step in enumerate(course.steps))
    assert course.versions and any(version.replaced_by for version in course.versions)


def test_the_values_of_a_migration(migration: Migration) -> None:
    octets = migration.migration.encode()
    (title,) = [value for value in migration.values().values if value.path == ("title",)]
    assert title.value == migration.title
    assert octets[slice(*title.span)].decode() == f'"{migration.title}"'


def test_a_plan_under_way(plan: Plan) -> None:
    proof = plan.prove(plan.evidence)
    assert proof.verdict == "safe" and proof.progress is not None
    assert proof.progress["done"] == ()
    assert plan.prove().progress is None


def test_types_know_that_values_do_not_change(plan: Plan, dns: Snapshot) -> None:
    """Without the errors that these comments hide, mypy calls the comments unused."""
    with pytest.raises(AttributeError):
        plan.title = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError):
        plan.steps[0].id = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError):
        dns.policy("a.example").subject = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
