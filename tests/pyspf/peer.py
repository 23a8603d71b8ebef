"""pyspf 2.0.14 with DNS from a tree: as it is, and with the places repaired where it leaves RFC 7208.

A repair is what explains a difference: pyspf as repaired has to say what we say. So a reason cannot cover more than it is.
"""

import functools
import importlib.util
import sys
import types

VERSION = "2.0.14"

# Each with a paragraph, and what is put in place of what in the text of pyspf.
REPAIRS = {
    "a redirect counts when it is followed": (
        "RFC 7208 section 6.1: it is followed if no mechanism matches, and ignored beside `all`; pyspf counts it when it reads the record",
        [
            ("self.check_lookups()\n                redirect =", "redirect ="),
            ("redirect_record = self.dns_spf", "self.check_lookups(); redirect_record = self.dns_spf"),
        ],
    ),
    "macros are expanded when their term is evaluated": (
        "RFC 7208 sections 4.6.2 and 7.3: terms are evaluated from left to right, and `%{p}` depends on the current domain; pyspf expands, and looks"
        " names up, when it reads the record, once for all domains",
        [
            ("mechs.append(self.validate_mechanism(mech))", "self.p = 'unknown'; mechs.append(self.validate_mechanism(mech))"),
            ("for mech, m, arg, cidrlength, result in mechs:", "for mech, m, arg, cidrlength, result in self.evaluated(mechs):"),
            ("redirect = self.expand_domain(arg)", "self.p = 'unknown'; redirect = self.expand_domain(arg); raw_redirect = arg"),
            ("if redirect:\n", "if redirect:\n                self.p = None; redirect = self.expand_domain(raw_redirect)\n"),
        ],
    ),
    "hosts of `mx` are looked up until one matches": (
        "RFC 7208 section 5.4: whether one is asked after a match is left open; pyspf asks all, and what fails or is void there counts",
        [
            ("self.cidrmatch(self.dns_mx(arg), cidrlength)", "any(self.cidrmatch([ip], cidrlength) for ip in self.dns_mx(arg))"),
            ("return [a for mx in mxnames[:max] for a in self.dns_a(mx[1],self.A)]", "return (a for mx in mxnames[:max] for a in self.dns_a(mx[1],self.A))"),
        ],
    ),
    "reverse lookups that fail leave names out": (
        "RFC 7208 sections 5.5 and 7.3: after a DNS error `ptr` does not match, a name is passed over, and `%{p}` is `unknown`; pyspf says temperror",
        [
            ("for p in self.dns_ptr(self.i)[:max]", "for p in self.without_failure(self.dns_ptr, self.i)[:max]"),
            ("if self.cidrmatch(self.dns_a(p,self.A),cidrlength)]", "if self.cidrmatch(self.without_failure(self.dns_a, p, self.A),cidrlength)]"),
        ],
    ),
    "modifiers that are not known may repeat": (
        "RFC 7208 section 6: only `redirect` and `exp` must not; others are ignored wherever and however often they stand",
        [("if mod in modifiers:", "if mod in modifiers and mod in ('redirect', 'exp'):")],
    ),
    "names of modifiers are in any case": (
        "RFC 7208 section 4.6.1 (RFC 5234 section 2.3): `Redirect=` is a redirect; pyspf takes it for an unknown modifier",
        [("mod,arg = m\n", "mod,arg = m[0].lower(),m[1]\n")],
    ),
    "an include of the domain itself is a loop where it is evaluated": (
        "RFC 7208 section 4.6.2: what stands behind a match is not evaluated; pyspf refuses it when it reads the record",
        [("if arg == self.d:", "if arg == self.d and ':' not in mech:")],
    ),
    "`ptr` for what is no name asks nothing": (
        "RFC 7208 sections 4.3 and 4.8 leave open what a name with a label of 64 octets does; pyspf looks the client up all the same, which can be void",
        [("if domainmatch(self.validated_ptrs(), arg):", "if is_name(arg) and domainmatch(self.validated_ptrs(), arg):")],
    ),
    "the host of a null MX is looked up": (
        "RFC 7208 section 5.4: an address lookup on each MX name, and that of the root is void; pyspf does not ask (RFC 7505 section 3 came later)",
        [("if not reduce(lambda x, y: x and 0 < len(y) < 64", "if name and not reduce(lambda x, y: x and 0 < len(y) < 64")],
    ),
    "zero parts of a macro are no part": (
        "RFC 7208 section 7.3: the digits must not be zero; pyspf takes them",
        [("if ln: expansion =", "if ln and not int(ln): raise PermError('zero')\n    if ln: expansion =")],
    ),
}

# What the repaired places call.
METHODS = '''
def evaluated(self, mechs):
    for mech, m, arg, cidrlength, result in mechs:
        if '%' in mech:
            self.p = None
            arg = self.validate_mechanism(mech)[2]
        yield mech, m, arg, cidrlength, result

def without_failure(self, ask, *arguments):
    try:
        return ask(*arguments)
    except TempError:
        return []

def is_name(text):
    return all(0 < len(label) < 64 for label in text.split('.'))

query.evaluated, query.without_failure = evaluated, without_failure
'''
# As many lookups as we take for none at all; records that refer to each other without end come to the end of Python's stack.
LIFTED = {"MAX_LOOKUP": 10_000, "MAX_RECURSION": 10**6, "MAX_MX": 10**6, "MAX_VOID_LOOKUPS": 10**6}
STACK = 2_000


@functools.cache
def peer(repairs, lifted):
    """pyspf with these repairs, and with or without its limits."""
    with open(importlib.util.find_spec("spf").origin, encoding="utf-8") as file:
        text = file.read()
    for repair in REPAIRS:
        for old, new in REPAIRS[repair][1] if repair in repairs else []:
            if text.count(old) != 1:
                raise SystemExit(f"pyspf has {text.count(old)} times: {old!r}")
            text = text.replace(old, new)
    module = types.ModuleType("spf")
    exec(compile(text.split("if __name__ ==")[0] + METHODS, "spf", "exec"), module.__dict__)
    if module.__version__ != VERSION:
        raise SystemExit(f"pyspf is {module.__version__}, and the repairs are for {VERSION}")
    if lifted:
        vars(module).update(LIFTED)
    return module


def judge(tree, client, repairs=frozenset(), lifted=False):
    """The result of pyspf."""
    module = peer(repairs, lifted)

    def lookup(name, kind, *_):
        name = name.lower()
        for _ in range(10):
            if not tree.answers.get((name, "CNAME")):
                break
            name = tree.answers[name, "CNAME"][0]
        found = tree.answers.get((name, kind), [])
        if isinstance(found, str):
            raise module.TempError(found)
        if kind == "MX":
            pairs = (record.split(" ") for record in found)
            return [((name, kind), (int(preference), host)) for preference, host in pairs]
        if kind == "TXT":
            return [((name, kind), (text.encode(),)) for text in found]
        return [((name, kind), record) for record in found]

    def as_asked(name, kind, *rest):
        # Whoever asked sees the name that it asked for.
        return [((name, kind), record) for (_, kind), record in lookup(name, kind, *rest)]

    module.DNSLookup = as_asked
    sys.setrecursionlimit(STACK)
    try:
        return module.query(client, tree.mail_from, tree.helo, receiver="mx.test").check()[0]
    except (RecursionError, AssertionError):
        return "permerror"
