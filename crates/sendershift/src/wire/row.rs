//! Requests that are rows of a table: what a cell may be is decided here, for every language and every kind of table.

use std::net::IpAddr;

use crate::dns::Evidence;
use crate::error::{Error, Invalid, Problem};
use crate::name::{DomainName, return_path};
use crate::net::parse_address;
use crate::spf::{self, Checked, Cost, Profile, Query, Subject};

/// One cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// Text. Octets, as tables may hold what claims to be UTF-8 and is not.
    Text(&'a [u8]),
    /// A value of another type, with what people call it.
    Other(&'a str),
}

/// Answers the check of a row: its client's address, MAIL FROM address and HELO name, of which only the last one may be null.
///
/// # Errors
///
/// Every problem of the cells (`document.missing-key`, `document.wrong-type`, `json.not-utf8`, `net.bad-address`, `name.not-an-address`), each with its column as
/// its [`argument`](Problem::argument), and places in the cell; the questions whose answers the evidence does not hold.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::error::Error;
/// use sendershift::spf::{Profile, SpfResult};
/// use sendershift::wire::row::{Cell, check};
///
/// let dns = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [{ "name": "example.net", "type": "TXT", "records": ["v=spf1 ip4:192.0.2.0/24 -all"] }]
/// }"#)?;
/// let sender = Cell::Text(b"bob@example.net");
/// let (query, checked) = check(&dns, &Profile::RFC7208, Cell::Text(b"192.0.2.1"), sender, Cell::Null)?;
/// assert_eq!((query.domain().unwrap().as_str(), checked.result), ("example.net", SpfResult::Pass));
///
/// let Err(Error::Invalid(invalid)) = check(&dns, &Profile::RFC7208, Cell::Text(b"192.0.2"), Cell::Null, Cell::Null)
/// else { panic!("that was wrong") };
/// let codes: Vec<&str> = invalid.problems.iter().map(|problem| problem.code).collect();
/// assert_eq!(codes, ["net.bad-address", "document.missing-key"]);
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn check(
    evidence: &dyn Evidence,
    profile: &'static Profile,
    ip: Cell<'_>,
    mail_from: Cell<'_>,
    helo: Cell<'_>,
) -> Result<(Query, Checked), Error> {
    let mut row = Row::default();
    let ip = row.required("ip", ip, parse_address);
    let mail_from = row.required("mail_from", mail_from, return_path);
    let helo = row.optional("helo", helo, Ok);
    let (ip, mail_from) = row.finish(ip.zip(mail_from))?;
    let query = Query::new(ip, mail_from, helo.unwrap_or_default());
    let checked = spf::check(evidence, &query, profile)?;
    Ok((query, checked))
}

/// Answers the cost of a row: a domain, or a record that the domain in the second cell would publish, which may be null.
///
/// # Errors
///
/// As [`check()`] and [`spf::cost`]; problems of a subject are those of [`Subject::parse`].
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::Profile;
/// use sendershift::wire::row::{Cell, cost};
///
/// let record = Cell::Text(b"v=spf1 ip4:192.0.2.0/24 -all");
/// let cost = cost(&Snapshot::default(), &Profile::RFC7208, record, Cell::Null)?;
/// assert_eq!((cost.within, cost.lookups.total), (true, 0));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn cost(
    evidence: &dyn Evidence,
    profile: &'static Profile,
    subject: Cell<'_>,
    domain: Cell<'_>,
) -> Result<Cost, Error> {
    let mut row = Row::default();
    let subject = row.required("subject", subject, Ok);
    let at = row.optional("domain", domain, DomainName::parse);
    let subject = row.finish(subject)?;
    let subject = Subject::parse(subject, at).map_err(|invalid| Invalid {
        problems: invalid.problems.into_iter().map(|problem| of("subject", problem)).collect(),
    })?;
    spf::cost(evidence, &subject, profile)
}

/// Reads the address of a row.
///
/// # Errors
///
/// As [`check()`], of this cell.
///
/// # Examples
///
/// ```
/// use sendershift::wire::row::{Cell, address};
///
/// assert!(address(Cell::Text(b"2001:db8::1")).is_ok());
/// assert_eq!(address(Cell::Other("Int64")).unwrap_err().problems[0].code, "document.wrong-type");
/// ```
pub fn address(ip: Cell<'_>) -> Result<IpAddr, Invalid> {
    let mut row = Row::default();
    let ip = row.required("ip", ip, parse_address);
    row.finish(ip)
}

/// A problem of the cell in a column.
fn of(column: &str, problem: Problem) -> Problem {
    Problem { argument: Some(column.into()), ..problem }
}

/// Gathers the problems of one row.
#[derive(Default)]
struct Row {
    problems: Vec<Problem>,
}

impl Row {
    fn required<'a, T>(
        &mut self,
        key: &str,
        cell: Cell<'a>,
        read: impl FnOnce(&'a str) -> Result<T, Problem>,
    ) -> Option<T> {
        if cell == Cell::Null {
            let message = format!("the key `{key}` is missing");
            self.problems.push(of(key, Problem::new("document.missing-key", message)));
        }
        self.optional(key, cell, read)
    }

    fn optional<'a, T>(
        &mut self,
        key: &str,
        cell: Cell<'a>,
        read: impl FnOnce(&'a str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = match cell {
            Cell::Null => return None,
            Cell::Text(octets) => std::str::from_utf8(octets).map_err(|error| {
                let at = error.valid_up_to();
                Problem::new("json.not-utf8", format!("`{key}` is not UTF-8 text")).at(at..at)
            }),
            Cell::Other(kind) => {
                let message = format!("`{key}`: expected text, found {kind}");
                Err(Problem::new("document.wrong-type", message))
            }
        };
        text.and_then(read).map_err(|problem| self.problems.push(of(key, problem))).ok()
    }

    /// What was read of the required cells, unless anything was wrong.
    fn finish<T>(self, read: Option<T>) -> Result<T, Invalid> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(Invalid { problems: self.problems }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, check, cost};
    use crate::dns::Snapshot;
    use crate::error::Error;
    use crate::spf::Profile;

    fn codes<T: std::fmt::Debug>(answer: Result<T, Error>) -> Vec<&'static str> {
        match answer {
            Err(Error::Invalid(invalid)) => invalid.problems.iter().map(|problem| problem.code).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_problem_of_a_row_is_told() {
        let dns = Snapshot::default();
        let row = |ip, mail_from, helo| codes(check(&dns, Profile::DEFAULT, ip, mail_from, helo));
        let ip = Cell::Text(b"192.0.2.1");
        assert_eq!(row(Cell::Null, Cell::Null, Cell::Null), ["document.missing-key"; 2]);
        let Err(Error::Invalid(invalid)) =
            check(&dns, Profile::DEFAULT, Cell::Text(b"x"), Cell::Text(b"y y"), Cell::Null)
        else {
            panic!("that was wrong")
        };
        let columns: Vec<_> = invalid.problems.iter().map(|problem| problem.argument.as_deref()).collect();
        assert_eq!(columns, [Some("ip"), Some("mail_from")]);
        assert_eq!(row(ip, Cell::Text(b"a\xff@b"), Cell::Null), ["json.not-utf8"]);
        assert_eq!(row(ip, Cell::Text(b"Bob <a@b.example>"), Cell::Null), ["name.not-an-address"]);
        // A HELO name may be missing, and must not be wrong.
        assert_eq!(row(ip, Cell::Text(b""), Cell::Other("a list")), ["document.wrong-type"]);
        assert_eq!(
            row(Cell::Text(b""), Cell::Other("a list"), Cell::Null),
            ["net.bad-address", "document.wrong-type"]
        );
    }

    #[test]
    fn a_wrong_domain_beside_a_subject_is_not_passed_over() {
        let row = |subject, domain| codes(cost(&Snapshot::default(), Profile::DEFAULT, subject, domain));
        let record = Cell::Text(b"v=spf1 mx -all");
        assert_eq!(row(record, Cell::Null), ["spf.needs-domain"]);
        assert_eq!(row(record, Cell::Text(b"a..b")), ["name.empty-label"]);
        assert_eq!(row(Cell::Null, Cell::Null), ["document.missing-key"]);
    }
}
