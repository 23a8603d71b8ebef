//! What `check_many` of the Python package is timed beside: the same rows, answered by the core on as many threads.
//!
//! `rows SNAPSHOT ROWS`, where a row is address, sender and HELO name with tabs between: prints the seconds, and how often each result.

#![expect(clippy::print_stdout, reason = "a command talks to people")]

use std::collections::BTreeMap;
use std::error::Error;
use std::thread::{self, available_parallelism};
use std::time::Instant;

use sendershift::dns::Snapshot;
use sendershift::net::parse_address;
use sendershift::spf::{Checked, Profile, Query, check};

type Row<'a> = (&'a str, &'a str, &'a str);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut file = || std::fs::read_to_string(arguments.next().unwrap_or_default());
    let (snapshot, rows) = (file()?, file()?);
    let rows: Vec<Row<'_>> = rows.lines().map(row).collect::<Option<_>>().ok_or("three cells a row")?;
    let threads = available_parallelism()?.get();

    let start = Instant::now();
    let evidence = Snapshot::from_json(&snapshot)?;
    let answers: Vec<Option<Checked>> = thread::scope(|scope| {
        let parts = rows.chunks(rows.len().div_ceil(threads).max(1));
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().map(|row| answer(&evidence, *row)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    let seconds = start.elapsed().as_secs_f64();

    let mut results: BTreeMap<&str, u64> = BTreeMap::new();
    for answer in answers.iter().flatten() {
        *results.entry(answer.result.as_str()).or_default() += 1;
    }
    println!("{seconds} {results:?}");
    Ok(())
}

fn row(line: &str) -> Option<Row<'_>> {
    let (ip, rest) = line.split_once('\t')?;
    let (mail_from, helo) = rest.split_once('\t')?;
    Some((ip, mail_from, helo))
}

fn answer(evidence: &Snapshot, (ip, mail_from, helo): Row<'_>) -> Option<Checked> {
    check(evidence, &Query::new(parse_address(ip).ok()?, mail_from, helo), Profile::DEFAULT).ok()
}
