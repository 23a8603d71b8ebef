"""A BIND server on a loopback port, and whether its answers are ours."""

import contextlib
import pathlib
import socket
import subprocess
import tempfile
import time

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

CONFIG = """
options {{
    directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; empty-zones-enable no; notify no; minimal-responses yes; dnssec-validation no;
}};
controls {{ }};
{zones}
"""
ZONE = 'zone "{apex}" {{ type primary; file "{path}"; check-names ignore; check-integrity no; check-wildcard no; }};\n'


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(named, files):
    """Runs a server with the zones {apex: path} and gives its port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        zones = "".join(ZONE.format(apex=apex, path=path) for apex, path in files.items())
        config = pathlib.Path(folder) / "named.conf"
        config.write_text(CONFIG.format(folder=folder, port=port, zones=zones))
        log = (pathlib.Path(folder) / "log").open("w+")
        process = subprocess.Popen([named, "-g", "-c", str(config), "-p", str(port)], stdout=log, stderr=log)
        try:
            for _ in range(100):
                if process.poll() is not None:
                    break
                with contextlib.suppress(dns.exception.Timeout, OSError):
                    if all(asked(port, dns.name.from_text(apex), "SOA").answer for apex in files):
                        break
                time.sleep(0.1)
            else:
                log.seek(0)
                raise SystemExit("the server does not answer:\n" + log.read())
            if process.poll() is not None:
                log.seek(0)
                raise SystemExit("the server ended:\n" + log.read())
            yield port
        finally:
            process.terminate()
            process.wait()
            log.close()


def asked(port, name, kind):
    query = dns.message.make_query(name, kind)
    query.flags &= ~dns.flags.RD
    return dns.query.udp_with_fallback(query, "127.0.0.1", port=port, timeout=5)[0]


def meaning(reply, name):
    """What a reply says of the name itself, in our words."""
    rcode, authoritative = reply.rcode(), bool(reply.flags & dns.flags.AA)
    at_name = [rrset for rrset in reply.answer if rrset.name == name]
    if at_name:
        is_alias = at_name[0].rdtype == dns.rdatatype.CNAME and reply.question[0].rdtype != dns.rdatatype.CNAME
        # An alias that a DNAME makes is not in the zone (RFC 6672 section 2.2).
        if any(rrset.rdtype == dns.rdatatype.DNAME for rrset in reply.answer):
            return ("unknown", None, None)
        return ("alias" if is_alias else "records", at_name[0].ttl, {rdata.to_digestable().hex() for rdata in at_name[0]})
    if rcode == dns.rcode.NXDOMAIN and authoritative:
        return ("nxdomain", None, None)
    if rcode == dns.rcode.NOERROR and authoritative:
        return ("nodata", None, None)
    if rcode == dns.rcode.NOERROR and any(rrset.rdtype == dns.rdatatype.NS for rrset in reply.authority):
        return ("unknown", None, None)
    return (dns.rcode.to_text(rcode), None, None)


def mine(answer):
    if answer["records"] is None:
        return (answer["answer"], None, None)
    kind = dns.rdatatype.from_text("CNAME" if answer["answer"] == "alias" else answer["type"])
    records = (dns.rdata.from_text(dns.rdataclass.IN, kind, text) for text in answer["records"])
    return (answer["answer"], answer["ttl"], {record.to_digestable().hex() for record in records})


def compare(named, zones, documents):
    """How many answers were compared, and those that differ."""
    files = {document["apex"]: zones / f"{name}.zone" for name, document in documents.items()}
    count, wrong = 0, {}
    with server(named, files) as port:
        for file, document in documents.items():
            for answer in document["answers"]:
                name = dns.name.from_text(answer["name"], origin=dns.name.root)
                theirs = meaning(asked(port, name, answer["type"]), name)
                count += 1
                if mine(answer) != theirs:
                    key = (file, "named", f"{answer['name']} {answer['type']}")
                    wrong[key] = f"ours {mine(answer)}, theirs {theirs}"
    return count, wrong
