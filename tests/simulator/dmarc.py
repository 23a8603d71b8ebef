"""DMARC as far as it is needed here (RFC 9989): the tree walk, discovery of the policy, alignment."""

from plan import tags

POLICIES = ("none", "quarantine", "reject")


def parse(text):
    """The tags of a policy record; None where it is broken and so DMARC does not apply (RFC 9989 section 4.10.1)."""
    found = tags(text)
    if found is None:
        return None
    wrong = [tag for tag in ("p", "sp", "np") if tag in found and found[tag].lower() not in POLICIES]
    if wrong and "mailto:" not in found.get("rua", ""):
        return None
    if wrong:
        found = {tag: value for tag, value in found.items() if tag not in ("p", "sp", "np")}
    p = found.get("p", "none").lower()
    sp = found.get("sp", p).lower()
    found["policies"] = (p, sp, found.get("np", sp).lower())
    return found


class Walker:
    """Walks over what one receiver sees. `texts` gives the TXT records of a name."""

    def __init__(self, texts):
        self.texts = texts
        self.asked = {}

    def find(self, domain):
        """The policy record of a domain: its tags, None, or "broken"."""
        if domain not in self.asked:
            texts = [text.decode("utf-8", "replace") for text in self.texts("_dmarc." + domain)]
            texts = [text for text in texts if text.replace(" ", "").split(";")[0] == "v=DMARC1"]
            self.asked[domain] = (parse(texts[0]) or "broken") if len(texts) == 1 else None
        return self.asked[domain]

    def walk(self, start):
        """The organizational domain and the public suffix, if any (sections 4.10 and 4.10.2)."""
        labels = start.split(".")
        domains = [start] + [".".join(labels[at:]) for at in range(max(1, len(labels) - 7), len(labels))]
        organizational = start
        for domain in domains:
            found = self.find(domain)
            if not isinstance(found, dict):
                continue
            psd = found.get("psd", "u").lower()
            if psd == "n":
                return domain, None
            if psd == "y" and domain != start:
                below = len(domain.split(".")) + 1
                return ".".join(labels[-below:]), domain
            organizational = domain
            if psd == "y":
                break
        return organizational, None

    def discover(self, author):
        """The record that applies, and the policies that it may mean for the author domain; or None (section 4.10.1)."""
        organizational, suffix = self.walk(author)
        for domain in (author, organizational, suffix):
            found = self.find(domain) if domain else None
            if found == "broken":
                return None
            if found:
                return found, found["policies"][:1] if domain == author else found["policies"]
        return None

    def aligned(self, author, identifier, mode):
        if author == identifier:
            return True
        return mode != "s" and self.walk(author)[0] == self.walk(identifier)[0]
