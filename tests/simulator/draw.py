"""Draws small plans at random, right and wrong ones: `python tests/simulator/draw.py FOLDER COUNT`.

Each has a domain, its mail and the steps of a move, with waits around the lengths that matter.
"""

import json
import random
import sys
from pathlib import Path

KEYS = [
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkpVu4rBf0tjsK60SOXHaRPwMoqi42LYLeKtPutLKAVx5frk2ofWI1bhJXY7V3WpVbOypHyzS92GKm8bl0yXonXeZytVZfuSF/juOuy4PE0yUm8A9MerdtKygMEzcHL5pawuFz51johu2I8SL2i/CTy6MOQ8SNfKRVPR0m68XApQIDAQAB",
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDGbvUyDs1qag3jMoGcmuK0FUzs4m2/YgW0xYGyuGxoZ9S2QWeppukKI8rpvzgkKuE+yUoCzGptPFHOafQYtxihzkzoGu0lMyJt93Anf5AHr8qB51lEgIBYicM9CA9Sn0cQkgaceNe4IT43HORFtMEzir4wWYxfO7PW1w9/SHvqmQIDAQAB",
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC3v2UQ1Fz52FPpU7Il5O2tzfBYenM3iVkVPW/yOIz9wWm8xGX0uxC+YgU8+43z/ZYz/YqjIVfL2h2ma5mCq/0LTscAFyoqvXi7CgV0DRPjlWMnM7kYYRarC7q28QwpiPD/zyZhtrmc4Hac4VfEP90/yN2AxmdoOeswl8rc81UcowIDAQAB",
]
NETS = ["192.0.2.0/28", "198.51.100.64/27", "2001:db8:7::/64"]
TTLS = [60, 300, 3600]
QUEUE, LATE = 5000, 9000


class Drawing:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.answers, self.steps, self.now = [], [], {}
        self.last = {}
        self.stale = self.rng.choice([0, 600])
        self.likely = self.rng.choice([0.5, 0.9, 0.97])

    def maybe(self, chance=0.5):
        return self.rng.random() < chance

    def there(self, name, kind, records, sure=None):
        ttl = self.rng.choice(TTLS)
        sure = self.maybe(0.9) if sure is None else sure
        self.answers.append({"name": name, "type": kind, "ttl": ttl, "authoritative": sure, "records": records})
        self.now[name, kind] = (records, ttl)

    def after(self, *earlier):
        """Waits for some steps, mostly long enough."""
        waits = {}
        for step in [one for one in earlier if one] + [one["id"] for one in self.steps if self.maybe(0.3)]:
            exact = self.rng.choice([60, 300, 600, 900, 1800, 3600]) + self.stale
            lengths = [0, exact - 1, exact, QUEUE - 1, QUEUE, LATE - 1, LATE]
            good = self.rng.choice([3600 + self.stale, 86_400 + self.stale, LATE])
            waits[step] = good if self.maybe(self.likely) else self.rng.choice(lengths)
        return [{"step": step, "at_least": f"PT{seconds}S"} for step, seconds in waits.items()]

    def step(self, kind, *earlier, **more):
        name = f"{kind}-{len(self.steps)}"
        self.steps.append({"id": name, "kind": kind, "after": self.after(*earlier), **more})
        return name

    def change(self, changes, *earlier, lowered=False):
        """One step that makes RRsets of names what they should be."""
        listed = []
        for (name, kind), records in changes.items():
            before, ttl = self.now.get((name, kind), ([], None))
            after = self.rng.choice(TTLS) if records else None
            gone, new = ([one for one in old if one not in other] for old, other in ((before, records), (records, before)))
            if gone or new or (lowered and after != ttl):
                listed.append({"name": name, "type": kind, "ttl_before": ttl, "ttl_after": after, "remove": gone, "add": new})
                self.now[name, kind] = (records, after)
        if not listed:
            return None
        keys = [(change["name"], change["type"]) for change in listed]
        # Changes of one name are ordered: with an alias at it, those of all types.
        earlier = {*earlier, *(self.last[key[0]] for key in keys if key[0] in self.last)}
        step = self.step("dns", *sorted(one for one in earlier if one), changes=listed)
        self.last.update((key[0], step) for key in keys)
        return step

    def draw(self):
        rng = self.rng
        domain, other = "firm.example", rng.choice(["firm.example", "news.firm.example", "other.example"])
        for zone in ("firm.example", "other.example", "esp.example", *(["news.firm.example"] if self.maybe(0.3) else [])):
            soa = f"ns.{zone}. host.{zone}. 1 7200 900 1209600 {rng.choice(TTLS)}"
            self.there(zone, "SOA", [soa], True)
        self.there("s1.esp.example", "TXT", [f"v=DKIM1; k=rsa; p={KEYS[0]}"])
        policy = rng.choice(["none", "reject", "quarantine; sp=none", "none; sp=reject", "reject; adkim=s", "reject; aspf=s"])
        self.there("_dmarc.firm.example", "TXT", [f"v=DMARC1; p={policy}"])
        if self.maybe(0.7):
            self.there("_dmarc.other.example", "TXT", ["v=DMARC1; p=" + rng.choice(["none", "reject"])])
        if self.maybe(0.2):
            self.there("_dmarc.news.firm.example", "TXT", ["v=DMARC1; p=" + rng.choice(["none", "reject"])])
        inside, outside = f"ip4:{NETS[0]}", [f"ip4:{NETS[1]}", f"ip6:{NETS[2]}"]
        self.there("_spf.esp.example", "TXT", [f"v=spf1 {' '.join(outside)} -all"])
        listed = rng.choice(["include:_spf.esp.example", " ".join(outside), "include:_spf.firm.example", "redirect=_spf.firm.example"])
        if "_spf.firm" in listed and self.maybe():
            self.there("_spf.firm.example", "TXT", [f"v=spf1 {' '.join(outside)} -all"])
        if self.maybe(0.2):
            # The first source is one host, and its address moves with the rest.
            inside = "a:mta.firm.example"
        self.there(domain, "TXT", ["token", f"v=spf1 {inside} -all"])
        self.first = rng.choice(["s1._domainkey.firm.example"] * 3 + ["keys.firm.example"])
        if self.first == "keys.firm.example":
            self.there("s1._domainkey.firm.example", "CNAME", ["keys.firm.example."])
        self.there(self.first, "TXT", [f"v=DKIM1; k=rsa; p={KEYS[0]}"])
        self.there("mta.firm.example", "A", ["192.0.2.3"])
        own = ["192.0.2.3"] if inside.startswith("a:") else NETS[:1]
        sources = [{"id": "own", "addresses": own}, {"id": "esp", "addresses": NETS[1:]}]
        alias = self.maybe(0.3)
        if alias:
            self.there("s2.esp.example", "TXT", [f"v=DKIM1; k=rsa; p={KEYS[1]}"])
        bounce = rng.choice([domain, other, None])

        def identity(name, author, mail_from, selector, source):
            dkim = [{"domain": author, "selector": selector}] if selector else []
            return {"id": name, "author_domain": author, "mail_from": mail_from, "helo": domain, "dkim": dkim, "sources": source}

        old_source, new_source = rng.choice([(["own"], ["esp"]), (["own"], ["own"]), (["own"], ["own", "esp"])])
        selector = rng.choice(["s1", "s2", "s2", "s2"])
        old = identity("old", domain, rng.choice([domain, domain, None]), "s1", old_source)
        new = identity("new", other, bounce, selector, new_source)
        stream = {
            "id": "mail", "identities": [old, new], "live": ["old"], "needs_both": self.maybe(0.3),
            "spf_only": self.maybe(0.1), "signed_at": rng.choice(["injection", "injection", "delivery"]),
        }
        if self.maybe(0.1):
            self.answers = [one for one in self.answers if one["name"] != domain or one["type"] != "TXT"]
            self.now.pop((domain, "TXT"))
        if self.maybe(0.2) and (domain, "TXT") in self.now:
            self.change({(domain, "TXT"): self.now[domain, "TXT"][0]}, lowered=True)
        prepared = self.prepare(domain, other, bounce, selector, alias, inside, listed, outside)
        self.move(prepared, domain, other, inside, listed)
        if self.maybe(0.1):
            stream["judged_from"] = rng.choice(prepared or [self.steps[0]["id"]])
        parameters = {
            "start": "2026-11-02T00:00:00Z", "resolver_stale": f"PT{self.stale}S", "queue_lifetime": f"PT{QUEUE}S",
            "signature_lifetime": f"PT{LATE}S", "ttl_ceiling": "PT7200S",
        }
        if self.maybe(0.2):
            parameters["within_limits_from"] = rng.choice(self.steps)["id"]
        evidence = {"format": "sendershift-snapshot/1", "closed": True, "answers": self.answers}
        return {
            "format": "sendershift-plan/1", "parameters": parameters, "sources": sources, "streams": [stream],
            "steps": self.steps, "evidence": evidence,
        }

    def prepare(self, domain, other, bounce, selector, alias, inside, listed, outside):
        """The records that the new identity needs, in one step or several."""
        wanted = {}
        key = [f"v=DKIM1; k=rsa; p={KEYS[2 if self.maybe(0.1) else 1]}"]
        at = f"{selector}._domainkey.{other}"
        if selector == "s2" and alias:
            wanted[at, "CNAME"] = ["s2.esp.example."]
        elif selector == "s2" or other != domain:
            wanted[at, "TXT"] = key
        elif self.maybe(0.3):
            wanted[at, "TXT"] = key
        both = f"v=spf1 {inside} {listed}" + ("" if "redirect" in listed else " -all")
        if bounce and bounce != domain:
            wanted[bounce, "TXT"] = [both]
        if "_spf.firm" in listed:
            wanted["_spf.firm.example", "TXT"] = [f"v=spf1 {' '.join(outside)} -all"]
        wanted[domain, "TXT"] = ["token", both]
        if self.maybe(0.5):
            wanted[f"_dmarc.{other}", "TXT"] = ["v=DMARC1; p=" + self.rng.choice(["none", "reject", "quarantine; adkim=s"])]
        wanted = {key: value for key, value in wanted.items() if self.maybe(0.95)}
        parts = [dict([item]) for item in wanted.items()] if self.maybe() else [wanted]
        return [step for step in map(self.change, parts) if step]

    def move(self, prepared, domain, other, inside, listed):
        """The new identity comes, the old one goes, and so do its records."""
        rng, steps = self.rng, self.steps
        starts, stops = [{"stream": "mail", "identity": "new"}], [{"stream": "mail", "identity": "old"}]
        if self.maybe(0.15):
            on = f"2026-11-02T0{rng.randrange(1, 9)}:00:00Z"
            steps.append({"id": "date", "kind": "external", "on": on, "stops": stops})
            self.step("send", *prepared, starts=starts)
            gone = "date"
        elif self.maybe():
            gone = self.step("send", *prepared, starts=starts, stops=stops)
        else:
            started = self.step("send", *prepared, starts=starts)
            gone = self.step("send", started, stops=stops)
        fate = rng.random()
        if fate < 0.5:
            self.change({(self.first, "TXT"): []}, gone)
        elif fate < 0.6:
            self.change({(self.first, "TXT"): [f"v=DKIM1; k=rsa; p={KEYS[2]}"]}, gone)
        elif fate < 0.8:
            # An alias in place of the key, or the key in place of the alias.
            aliased = self.first == "keys.firm.example"
            there = "s1._domainkey.firm.example"
            text, target = f"v=DKIM1; k=rsa; p={KEYS[0]}", rng.choice(["s2.esp.example.", "s1.esp.example."])
            self.change({(there, "CNAME"): [] if aliased else [target], (there, "TXT"): [text] if aliased else []}, gone)
        if self.maybe(0.1) and inside.startswith("a:"):
            self.change({("mta.firm.example", "A"): ["192.0.2.3", "192.0.2.4"][self.maybe() :]}, gone)
        if self.maybe(0.6):
            self.change({(domain, "TXT"): ["token", f"v=spf1 {rng.choice([inside, listed])} -all"]}, gone)
        if self.maybe(0.4):
            self.change({(f"_dmarc.{other}", "TXT"): ["v=DMARC1; p=" + rng.choice(["reject", "reject; adkim=s; aspf=s"])]}, gone)
        if self.maybe(0.2):
            self.change({("_spf.firm.example", "TXT"): []}, gone)


def main():
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + count):
        (folder / f"{seed:05}.json").write_text(json.dumps(Drawing(seed).draw()))


if __name__ == "__main__":
    main()
