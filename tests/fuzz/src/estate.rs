//! Domains with SPF records of every kind that refer to each other and to a few hosts.

use std::fmt::Write as _;
use std::net::IpAddr;

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Value, json};

/// Evidence about the sender's domain `d0.example`, and clients to ask about.
#[derive(Debug)]
pub struct Estate {
    /// A snapshot document.
    pub json: String,
    /// Clients beside those at the borders of the policy.
    pub clients: Vec<IpAddr>,
    /// Which receiver judges, beside the one without limits.
    pub receiver: usize,
    /// The local part of the sender.
    pub local_part: &'static str,
}

/// A zone in which every name exists by a wildcard, one in which none does, and hosts of all kinds.
const HOSTS: &str = r#"[
    {"name":"wild.example","type":"SOA","authoritative":true,"records":["ns.wild.example. h.wild.example. 1 2 3 4 5"]},
    {"name":"*.wild.example","type":"A","authoritative":true,"records":["192.0.2.7","127.0.0.2"]},
    {"name":"*.wild.example","type":"TXT","authoritative":true,"records":["v=spf1 ip4:192.0.2.4/30 ?all"]},
    {"name":"h0.example","type":"A","records":["192.0.2.1","192.0.2.9"]},
    {"name":"h0.example","type":"AAAA","records":["2001:db8::1"]},
    {"name":"h1.example","type":"A","records":["192.0.2.3"]},
    {"name":"h2.example","type":"AAAA","records":["2001:db8::9","::ffff:192.0.2.8"]},
    {"name":"h3.example","type":"A","status":"timeout"},
    {"name":"h4.example","type":"CNAME","records":["h0.example"]},
    {"name":"h5.example","type":"CNAME","records":["h5.example"]},
    {"name":"m0.example","type":"MX","records":["10 h1.example","20 h2.example","30 h0.example"]},
    {"name":"m1.example","type":"MX","records":["10 gone1.example","20 h4.example","30 gone2.example","40 h0.example"]},
    {"name":"m2.example","type":"MX","records":["1 h0.example","2 x.example","3 x.example","4 x.example","5 x.example","6 x.example","7 x.example","8 x.example","9 x.example","10 x.example","11 h1.example"]},
    {"name":"m3.example","type":"MX","records":["0 ."]},
    {"name":"2.2.0.192.in-addr.arpa","type":"PTR","records":["h9.example","named.example"]},
    {"name":"named.example","type":"A","records":["192.0.2.2"]},
    {"name":"text.example","type":"TXT","records":["%{i} is not allowed to send from %{d}"]}
]"#;

impl<'a> Arbitrary<'a> for Estate {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let receiver = usize::from(u.arbitrary::<u8>()?);
        let mut answers: Vec<Value> = serde_json::from_str(HOSTS).unwrap();
        for n in 0..u.int_in_range(1..=DOMAINS)? {
            let name = format!("d{n}.example");
            answers.push(match u.int_in_range(0..=23)? {
                0 => json!({ "name": name, "type": "TXT", "status": "timeout" }),
                1 => json!({ "name": name, "type": "TXT", "records": [record(u)?, record(u)?] }),
                2 => json!({ "name": name, "type": "CNAME", "records": [domain(u)?] }),
                3 => json!({ "name": name, "type": "TXT", "records": [] }),
                _ => json!({ "name": name, "type": "TXT", "records": ["other", record(u)?] }),
            });
        }
        let json = json!({ "format": "sendershift-snapshot/1", "closed": true, "zones": ["wild.example"], "answers": answers });
        let clients = (0..4).map(|_| client(u)).collect::<Result<_>>()?;
        let local_part = *u.choose(&["user", "", "a.b-c", "x y", "\u{e9}"])?;
        Ok(Self { json: json.to_string(), clients, receiver, local_part })
    }
}

const DOMAINS: u8 = 6;

fn client(u: &mut Unstructured<'_>) -> Result<IpAddr> {
    Ok(match u.int_in_range(0..=4)? {
        0 => IpAddr::from(u.arbitrary::<[u8; 4]>()?),
        1 => IpAddr::from(u.arbitrary::<[u8; 16]>()?),
        2 => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(u.arbitrary::<u8>()? & 15)]),
        3 => IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0200 | u16::from(u.arbitrary::<u8>()? & 15)]),
        _ => IpAddr::from([192, 0, 2, u.arbitrary::<u8>()? & 15]),
    })
}

fn record(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = "v=spf1".to_owned();
    for _ in 0..u.int_in_range(0..=7)? {
        let term = term(u)?;
        let _ = write!(text, " {}{term}", u.choose(&["", "", "", "+", "-", "~", "?"])?);
    }
    match u.int_in_range(0..=11)? {
        0..=4 => text.push_str(u.choose(&[" -all", " ~all", " ?all", " +all"])?),
        5 => {
            let _ = write!(text, " redirect={}", domain_spec(u)?);
        }
        6 => {
            let _ = write!(text, " exp={} -all", u.choose(&["text.example", "%{d}", "gone.example"])?);
        }
        _ => {}
    }
    Ok(text)
}

fn term(u: &mut Unstructured<'_>) -> Result<String> {
    let host = u.int_in_range(0..=15u8)?;
    Ok(match u.int_in_range(0..=23)? {
        0..=3 => format!("ip4:192.0.2.{host}/{}", u.int_in_range(24..=32u8)?),
        4 => format!("ip4:{}.0.0.0/{}", host << 4, u.int_in_range(0..=8u8)?),
        5 | 6 => format!("ip6:2001:db8::{host:x}/{}", u.int_in_range(120..=128u8)?),
        7 => format!("ip6:{}::/{}", u.choose(&["2000", "8000", "::ffff:192.0.2.1", ""])?, host * 8),
        8..=12 => format!("include:{}", domain_spec(u)?),
        13 | 14 => format!("a:{}{}", domain_spec(u)?, cidr(u)?),
        15 => format!("a{}", cidr(u)?),
        16 | 17 => format!("mx:{}{}", domain_spec(u)?, cidr(u)?),
        18 | 19 => format!("exists:{}", domain_spec(u)?),
        20 => (*u.choose(&["ptr", "ptr:example", "ptr:h9.example", "mx"])?).to_owned(),
        21 => "all".to_owned(),
        22 => format!("unknown={}", domain_spec(u)?),
        _ => {
            let octets: [u8; 6] = u.arbitrary()?;
            octets.iter().map(|octet| char::from(b'!' + octet % 94)).collect()
        }
    })
}

fn cidr(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=5)? {
        0 => format!("/{}", u.int_in_range(0..=32u8)?),
        1 => format!("//{}", u.int_in_range(0..=128u8)?),
        2 => format!("/{}//{}", u.int_in_range(24..=32u8)?, u.int_in_range(120..=128u8)?),
        _ => String::new(),
    })
}

fn domain(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=12)? {
        0..=6 => format!("d{}.example", u.int_in_range(0..=DOMAINS)?),
        7..=9 => format!("h{}.example", u.int_in_range(0..=6)?),
        10 | 11 => format!("m{}.example", u.int_in_range(0..=4)?),
        _ => (*u.choose(&["a.wild.example", "wild.example", "example", "gone.test"])?).to_owned(),
    })
}

/// A domain, often behind macros of all kinds.
fn domain_spec(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(0..=5u8)?.saturating_sub(2) {
        match u.int_in_range(0..=5)? {
            0 => text.push_str(u.choose(&["%%.", "%_.", "%-.", "x.", "%{D}.", "%{h}."])?),
            _ => {
                let letter = u.choose(&["i", "i", "i", "s", "l", "o", "d", "p", "v", "h"])?;
                let digits = u.choose(&["", "", "1", "2", "9"])?;
                let reversed = u.choose(&["", "r"])?;
                let delimiters = u.choose(&["", "", "-", ".-", "+"])?;
                let _ = write!(text, "%{{{letter}{digits}{reversed}{delimiters}}}.");
            }
        }
    }
    let end = match u.int_in_range(0..=5)? {
        0 => "wild.example".to_owned(),
        1 => "%{d}".to_owned(),
        2 => "%{d1r}.example".to_owned(),
        _ => domain(u)?,
    };
    Ok(text + &end)
}
