//! Records that both libraries are asked about.

use std::fmt::Write as _;

pub enum Data {
    Txt(String),
    A(Vec<&'static str>),
    Aaaa(Vec<&'static str>),
    /// The name does not exist; for the questions that both ask.
    NxDomain(&'static str),
}

pub struct Estate {
    pub name: &'static str,
    pub answers: Vec<(String, Data)>,
    /// A case, the client's address, and the result that both must have.
    pub cases: Vec<(&'static str, &'static str, &'static str)>,
}

pub const DOMAIN: &str = "vendor.example";

pub fn all() -> Vec<Estate> {
    vec![flat(), includes(), tree()]
}

/// `count` prefixes of both families from `first` on: 10.x.y.0/24 and 2001:db8:x:y::/64.
fn prefixes(first: usize, count: usize) -> String {
    (first..first + count).step_by(2).fold(String::new(), |mut text, n| {
        let _ = write!(
            text,
            "ip4:10.{}.{}.0/24 ip6:2001:db8:{:x}:{:x}::/64 ",
            n / 256,
            n % 256,
            n / 256,
            n % 256
        );
        text
    })
}

/// More than fits into DNS, but what a policy of many records comes to.
pub fn long() -> Estate {
    Estate { name: "2,000 prefixes", ..one_record(2_000) }
}

fn flat() -> Estate {
    Estate { name: "200 prefixes", ..one_record(200) }
}

fn one_record(count: usize) -> Estate {
    Estate {
        name: "",
        answers: vec![(DOMAIN.to_owned(), Data::Txt(format!("v=spf1 {}-all", prefixes(0, count))))],
        cases: vec![
            ("early, v4", "10.0.0.9", "pass"),
            ("late, v4", "10.0.198.9", "pass"),
            ("none, v4", "192.0.2.1", "fail"),
            ("early, v6", "2001:db8:0:0::9", "pass"),
            ("late, v6", "2001:db8:0:c6::9", "pass"),
            ("none, v6", "2001:db9::1", "fail"),
        ],
    }
}

fn includes() -> Estate {
    let names: Vec<String> = (0..10).map(|n| format!("_spf{n}.vendor.example")).collect();
    let apex =
        names.iter().fold("v=spf1 ".to_owned(), |text, name| format!("{text}include:{name} ")) + "-all";
    let mut answers = vec![(DOMAIN.to_owned(), Data::Txt(apex))];
    for (index, name) in names.into_iter().enumerate() {
        answers.push((name, Data::Txt(format!("v=spf1 {}~all", prefixes(index * 200, 200)))));
    }
    Estate {
        name: "10 includes of 200",
        answers,
        cases: vec![
            ("early, v4", "10.0.0.9", "pass"),
            ("late, v4", "10.7.206.9", "pass"),
            ("none, v4", "192.0.2.1", "fail"),
            ("early, v6", "2001:db8:0:0::9", "pass"),
            ("late, v6", "2001:db8:7:ce::9", "pass"),
            ("none, v6", "2001:db9::1", "fail"),
        ],
    }
}

/// Seven includes, an `a`, and an `exists` below one of them: nine lookups.
fn tree() -> Estate {
    let apex = "v=spf1 include:_spf.vendor.example include:suite.example include:gateway.example include:status.example \
                include:_spf.sales.example include:marketing.example include:desk.example a:out.vendor.example ~all";
    let mut answers = vec![
        (DOMAIN.to_owned(), Data::Txt(apex.to_owned())),
        ("out.vendor.example".to_owned(), Data::A(vec!["203.0.113.77"])),
        ("out.vendor.example".to_owned(), Data::Aaaa(vec!["2001:db8:ffff::77"])),
        ("_spf.sales.example".to_owned(), Data::Txt("v=spf1 exists:%{i}.mta.sales.example -all".to_owned())),
    ];
    for ip in ["203.0.113.77", "192.0.2.1"] {
        answers.push((format!("{ip}.mta.sales.example"), Data::NxDomain("A")));
    }
    for ip in ["2001:db8:ffff::77", "2001:db9::1"] {
        let ip: std::net::Ipv6Addr = ip.parse().expect("an address");
        let nibbles: Vec<String> =
            ip.octets().iter().flat_map(|o| [o >> 4, o & 15]).map(|n| format!("{n:x}")).collect();
        answers.push((format!("{}.mta.sales.example", nibbles.join(".")), Data::NxDomain("A")));
    }
    for (index, name) in [
        "_spf.vendor.example",
        "suite.example",
        "gateway.example",
        "status.example",
        "marketing.example",
        "desk.example",
    ]
    .into_iter()
    .enumerate()
    {
        answers.push((name.to_owned(), Data::Txt(format!("v=spf1 {}-all", prefixes(index * 20, 20)))));
    }
    Estate {
        name: "nine-lookup tree",
        answers,
        cases: vec![
            ("early, v4", "10.0.0.9", "pass"),
            ("late, v4", "203.0.113.77", "pass"),
            ("none, v4", "192.0.2.1", "softfail"),
            ("early, v6", "2001:db8:0:0::9", "pass"),
            ("late, v6", "2001:db8:ffff::77", "pass"),
            ("none, v6", "2001:db9::1", "softfail"),
        ],
    }
}
