"""Include trees as they might be published: every mechanism, macros, loops, errors, and names that do not answer."""

import ipaddress

QUALIFIERS = ["", "", "", "-", "~", "?"]
BROKEN = [
    "ip4:192.0.2.0/33", "ip4:192.0.2", "ip4:192.0.2.1/08", "ip4", "ip6:2001:db8::/129", "ip6:::1::", "a/33", "a//129", "mx:/24",
    "include:", "include", "exists", "exists:", "all:now", "all/8", "ipv4:192.0.2.1", "foo", "foo:bar.example", "a:museum", "a:192.0.2.1",
    "exists:%{x}.example", "exists:%(i).example", "exists:%{i.example", "exists:%{c}.example", "redirect:d1.example", "=x", "redirect=", "exp=",
    "foo=%{x}", "include:d1.example/24", "ptr:", "a:a.example,", "!all",
]  # fmt: skip
MACROS = [
    "%{i}.e0.example", "%{ir}.%{v}.e1.example", "%{l}.e2.example", "%{h}.e3.example", "%{d}.e4.example", "%{s}.e5.example",
    "%{o}.e6.example", "%{l1r+}.%{d2}.e7.example", "%{ir}.%{l1r-}.%{o}", "%{L}.%{I}.e8.example", "%{i1}.%{dr}.e9.example",
    "%{p}.e10.example", "%{p2}.%{v}.e11.example", "%%.%{v}.e12.example",
]  # fmt: skip
# Wide records; those of the last kinds are mostly at their limits.
KINDS = ["plain", "plain", "macros", "macros", "deep", "wide", "void", "ptr", "mx", "broken"]


class Tree:
    """What DNS says (a pair of name and type to records, or to a status), and a message from the first domain."""

    def __init__(self, answers, mail_from, helo, clients):
        self.answers, self.mail_from, self.helo, self.clients = answers, mail_from, helo, clients

    def with_answers(self, answers):
        return Tree(answers, self.mail_from, self.helo, self.clients)

    def snapshot(self):
        answers = []
        for (name, kind), records in self.answers.items():
            said = {"status": records} if isinstance(records, str) else {"records": records}
            answers.append({"name": name, "type": kind, **said})
        return {"format": "sendershift-snapshot/1", "closed": True, "answers": answers}

    def records(self):
        """The SPF records, and texts near them."""
        return [text for (_, kind), records in self.answers.items() if kind == "TXT" and isinstance(records, list) for text in records]


def dotted(client):
    """The value of the macro `i`."""
    address = ipaddress.ip_address(client)
    return client if address.version == 4 else ".".join(address.exploded.replace(":", ""))


def reverse(client):
    return ipaddress.ip_address(client).reverse_pointer


class Drawing:
    def __init__(self, draw):
        self.draw = draw
        self.kind = draw.choice(KINDS)
        self.answers = {}
        v4 = [f"192.0.2.{draw.randrange(32)}" for _ in range(5)] + ["198.51.100.7"]
        v6 = [f"2001:db8::{draw.randrange(32):x}" for _ in range(3)] + ["2001:db8:ffff::1"]
        self.clients = v4 + v6 + ["::ffff:" + v4[0]]
        self.local = draw.choice(["user", "user", "strong-bad", "a.b", "user+tag", "Jo%se", "x" * 63])
        self.helo = draw.choice(["mx.example.org", "d0.example", "helo", "MX-9.Example.Net"])

    def chance(self, often):
        return self.draw.random() < often

    def network(self):
        draw = self.draw
        if self.chance(0.6):
            prefix = draw.choice(["", "", "/32", "/31", "/30", "/29", "/28", "/24", "/1", "/0"])
            return f"ip4:192.0.2.{draw.randrange(32)}{prefix}"
        prefix = draw.choice(["", "", "/128", "/127", "/125", "/120", "/64", "/3", "/0"])
        return f"ip6:2001:db8::{draw.randrange(32):x}{prefix}"

    def dual(self):
        return self.draw.choice(["", "", "", "/30", "/24", "//124", "/29//120", "/0//0", "//0"])

    def host(self):
        """A host: with addresses of both families, of one, behind an alias, without any, or that does not answer."""
        return f"h{self.draw.randrange(9)}.example"

    def hosts(self):
        draw, answers = self.draw, self.answers
        for n in range(9):
            name = f"h{n}.example"
            v4 = [f"192.0.2.{draw.randrange(32)}" for _ in range(draw.choice([1, 1, 2, 3, 11]))]
            v6 = [f"2001:db8::{draw.randrange(32):x}" for _ in range(draw.choice([1, 2]))]
            fate = n if n < 4 else draw.randrange(6)
            if fate in (0, 1):
                answers[name, "A"] = v4
            if fate in (0, 2):
                answers[name, "AAAA"] = v6
            if fate == 3:
                answers[name, "CNAME"] = [self.draw.choice(["h0.example", "h1.example"])]
            if fate == 5 and self.chance(0.5):
                answers[name, "A"] = answers[name, "AAAA"] = "timeout"
        for n in range(4):
            count = draw.choice([1, 1, 2, 3, 4, 5, 10, 11]) if self.kind == "mx" or self.chance(0.2) else draw.choice([1, 2, 3])
            listed = [f"{10 * at} h{draw.choice([0, 1, 2, 3, 4, 5, 6, 7, 8])}.example" for at in range(1, count + 1)]
            if n == 3:
                listed = draw.choice([["0 ."], ["10 h1.example", "20 h1.example", "30 h1.example"]])
            fate = draw.random()
            if fate < 0.88:
                answers[f"m{n}.example", "MX"] = listed
            elif fate < 0.92:
                answers[f"m{n}.example", "MX"] = "servfail"

    def names(self):
        """Reverse lookups: names that belong to the client, names of others, names that lead nowhere."""
        draw = self.draw
        for client in self.clients:
            address = str(ipaddress.ip_address(client))
            if "ffff:" in client[:7] or not self.chance(0.7):
                continue
            if self.chance(0.06):
                self.answers[reverse(client), "PTR"] = "timeout"
                continue
            listed = []
            for _ in range(draw.choice([1, 1, 1, 2, 2, 3, 11])):
                name = f"n{draw.randrange(30)}.{draw.choice(['named.example', 'named.example', 'd0.example', 'd1.example', 'other.test'])}"
                kind = "A" if "." in address else "AAAA"
                fate = draw.random()
                if fate < 0.6 and not isinstance(self.answers.get((name, kind)), str):
                    self.answers.setdefault((name, kind), []).append(address)
                elif fate < 0.65:
                    self.answers.setdefault((name, kind), "timeout")
                listed.append(name)
            self.answers[reverse(client), "PTR"] = listed

    def macro(self):
        """A domain-spec with macros, which some clients' answers await."""
        spec = self.draw.choice(MACROS[-3:] if self.chance(0.5 if self.kind == 'ptr' else 0.2) else MACROS)
        domain, local = "d0.example", self.local
        for client in self.clients:
            if not self.chance(0.4):
                continue
            i, version = dotted(client), "ip6" if ":" in client else "in-addr"
            values = {
                "%{i}": i, "%{I}": i, "%{ir}": ".".join(reversed(i.split("."))), "%{v}": version, "%{l}": local, "%{L}": local.replace("%", "%25").replace("+", "%2B"),
                "%{h}": self.helo, "%{d}": domain, "%{d2}": domain, "%{o}": domain, "%{s}": f"{local}@{domain}", "%%": "%",
                "%{l1r+}": local.split("+")[0], "%{l1r-}": local.split("-")[0], "%{i1}": i.split(".")[-1], "%{dr}": "example.d0",
                "%{p}": "n1.named.example", "%{p2}": "named.example",
            }  # fmt: skip
            name = spec
            for macro, value in values.items():
                name = name.replace(macro, value)
            name = name.lower()
            if name.isascii() and all(0 < len(label) < 64 for label in name.split(".")):
                self.answers.setdefault((name, "A"), "timeout" if self.chance(0.03) else ["127.0.0.2"])
        return spec

    def term(self, deeper):
        """A term of the kind of the tree, or of any; `deeper` are the domains that it may include."""
        draw = self.draw
        kinds = {
            "net": 6, "include": 4 if deeper else 0, "a": 2, "mx": 1, "exists": 1, "macro": 1, "ptr": 0.4, "odd": 0.5,
        }  # fmt: skip
        if self.kind == "ptr":
            kinds.update({"macro": 4, "odd": 2})
        kinds[{"macros": "macro", "ptr": "ptr", "mx": "mx", "deep": "net", "wide": "include", "void": "void"}.get(self.kind, "net")] = 6
        what = draw.choices(list(kinds), list(kinds.values()))[0]
        if what == "include" and deeper:
            return "include:" + draw.choice(deeper)
        if what == "a":
            return f"a:{self.host()}{self.dual()}"
        if what == "mx":
            return f"mx:m{draw.randrange(4)}.example{self.dual()}"
        if what == "exists":
            return f"exists:{self.host()}"
        if what == "void":
            return draw.choice(["a:gone.example", "mx:gone.example", "exists:gone.example", f"a:{self.host()}", "mx:m3.example", f"ptr:{'x' * 64}.example"])
        if what == "macro":
            mechanism = draw.choice(["exists", "exists", "exists", "exists", "a", "include", "ptr", "mx"])
            return f"{mechanism}:{self.macro()}"
        if what == "ptr":
            return draw.choice(["ptr", "ptr:named.example", "ptr:d1.example", "PTR:other.test"])
        if what == "odd":
            return draw.choice(["a", "mx", "A:H0.Example.", "iP4:192.0.2.9", "mx/30", "a//120", f"include:{'x' * 64}.example", f"ptr:{'x' * 64}.example", "a:a..example"])
        return self.network()

    def record(self, domain, deeper):
        draw = self.draw
        count = draw.choice({"wide": [3, 6, 9, 12], "deep": [0, 1, 1, 2]}.get(self.kind, [0, 1, 2, 3, 4, 5]))
        terms = [draw.choice(QUALIFIERS) + self.term(deeper) for _ in range(count)]
        if self.kind == "deep" and deeper:
            terms.insert(draw.choice([0, len(terms)]), draw.choice(QUALIFIERS) + "include:" + deeper[0])
        if self.chance(0.025):
            terms.append("include:" + draw.choice([domain, "d0.example", "d0.example", "d0.example"]))
        if self.chance(0.4):
            terms.append(draw.choice(["-all", "~all", "?all", "all", "-all"]))
        if self.chance(0.5 if self.kind == 'deep' else 0.3 if deeper else 0.1):
            terms.append("redirect=" + draw.choice(deeper * 3 + ["nowhere.example", self.macro()]))
        if self.chance(0.15):
            terms.insert(0, draw.choice(["exp=why.example", "exp=why.example", "foo=bar", "foo=%{i}", "moo="]))
        if self.chance(0.015):
            terms.append(draw.choice(["x=1 x=2", "Redirect=d1.example", "exists:%{d0}.example"]))
        if self.chance(0.35 if self.kind == "broken" else 0.02):
            terms.insert(draw.randrange(len(terms) + 1), draw.choice(BROKEN))
        if self.chance(0.05):
            terms = terms[::-1]
        return draw.choice(["v=spf1 ", "v=spf1 ", "v=spf1 ", "V=SPF1 "]) + draw.choice([" ", " ", "  "]).join(terms)

    def tree(self):
        draw = self.draw
        self.hosts()
        self.names()
        size = 14 if self.kind == "deep" else draw.choice([1, 2, 3, 5, 7])
        domains = [f"d{n}.example" for n in range(size)]
        for n, domain in enumerate(domains):
            # Each includes the next few, so that the tree ends; a few include what is above.
            deeper = domains[n + 1 : n + 4]
            text = self.record(domain, deeper)
            fate = draw.random()
            if n == 0 and fate < 0.03:
                continue
            if fate < 0.05:
                self.answers[domain, "TXT"] = draw.choice([[], ["hello"], ["v=spf10 +all"], [text, text], [text, "v=spf1"], ["v=spf1mx"]])
            elif fate < 0.07:
                self.answers[domain, "TXT"] = "timeout"
            elif n == 0 or fate < 0.95:
                self.answers[domain, "TXT"] = [text] if self.chance(0.8) else ["token=1", text]
            if self.chance(0.2):
                self.answers.setdefault((domain, "A"), [f"192.0.2.{draw.randrange(32)}"])
                self.answers.setdefault((domain, "MX"), ["10 h0.example"])
        return Tree(self.answers, f"{self.local}@d0.example", self.helo, self.clients)
