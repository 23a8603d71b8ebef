//! Two pieces of code timed in turn, so that a machine that changes its speed changes it for both.
//!
//! What is measured is the time that the thread was on a processor. Other programs only ever make code slower: the least time
//! is that of the code itself, the median tells how busy the machine was.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

const ROUND: Duration = Duration::from_micros(500);
const ROW: Duration = Duration::from_millis(1500);
const ROUNDS: usize = 21;

/// Times of one call, in nanoseconds: least and median.
#[derive(Clone, Copy)]
pub struct Times {
    pub least: f64,
    pub median: f64,
}

/// Times of both, and the median of their ratios round by round.
pub struct Pair {
    pub ours: Times,
    pub peer: Times,
    pub ratio: f64,
}

pub fn pair<O, P>(ours: impl Fn() -> O, peer: impl Fn() -> P) -> Pair {
    let (calls_ours, calls_peer) = (calls(&ours), calls(&peer));
    let rounds = rounds(|| (round(&ours, calls_ours), round(&peer, calls_peer)));
    Pair {
        ours: times(rounds.iter().map(|(ours, _)| *ours)),
        peer: times(rounds.iter().map(|(_, peer)| *peer)),
        ratio: times(rounds.iter().map(|(ours, peer)| peer / ours)).median,
    }
}

pub fn alone<T>(code: impl Fn() -> T) -> Times {
    let calls = calls(&code);
    times(rounds(|| round(&code, calls)).into_iter())
}

fn rounds<T>(mut round: impl FnMut() -> T) -> Vec<T> {
    let start = Instant::now();
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS || start.elapsed() < ROW {
        rounds.push(round());
    }
    rounds
}

/// How many calls fill a round; finding out warms up, too.
fn calls<T>(code: &impl Fn() -> T) -> u32 {
    let mut calls = 1;
    while round(code, calls) * f64::from(calls) < ROUND.as_secs_f64() * 1e9 {
        calls *= 2;
    }
    calls
}

fn round<T>(code: &impl Fn() -> T, calls: u32) -> f64 {
    let start = ThreadTime::now();
    (0..calls).for_each(|_| drop(black_box(code())));
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn times(values: impl Iterator<Item = f64>) -> Times {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    Times { least: values[0], median: values[values.len() / 2] }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 99.95 => format!("{n:.1} ns"),
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} us", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

pub fn head() {
    println!("| row | sendershift | peer | peer / sendershift | median of the ratios |");
    println!("|---|---:|---:|---:|---:|");
}

pub fn row(name: &str, pair: &Pair) {
    let Pair { ours, peer, ratio } = pair;
    let quotient = peer.least / ours.least;
    println!("| {name} | {} | {} | {quotient:.1} | {ratio:.1} |", time(ours.least), time(peer.least));
}

/// A row without a peer, of so many things done by one call.
pub fn row_alone(name: &str, times: Times, things: usize) {
    let each = things as f64;
    println!("| {name} | {} (median {}) | | | |", time(times.least / each), time(times.median / each));
}
