//! Two pieces of code timed in turn, so that a machine that changes its speed changes it for both.

use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;
const ROUND: Duration = Duration::from_millis(30);

/// Times of one call, in nanoseconds: the median of the rounds of each, and of their ratios pair by pair.
pub struct Pair {
    pub ours: f64,
    pub peer: f64,
    pub ratio: f64,
}

pub fn pair<O, P>(ours: impl Fn() -> O, peer: impl Fn() -> P) -> Pair {
    let (calls_ours, calls_peer) = (calls(&ours), calls(&peer));
    let rounds: Vec<(f64, f64)> =
        (0..ROUNDS).map(|_| (round(&ours, calls_ours), round(&peer, calls_peer))).collect();
    Pair {
        ours: median(rounds.iter().map(|(ours, _)| *ours)),
        peer: median(rounds.iter().map(|(_, peer)| *peer)),
        ratio: median(rounds.iter().map(|(ours, peer)| peer / ours)),
    }
}

pub fn alone<T>(code: impl Fn() -> T) -> f64 {
    let calls = calls(&code);
    median((0..ROUNDS).map(|_| round(&code, calls)))
}

/// How many calls fill a round; finding out warms up, too.
fn calls<T>(code: &impl Fn() -> T) -> u32 {
    let mut calls = 1;
    loop {
        let start = Instant::now();
        (0..calls).for_each(|_| drop(black_box(code())));
        let took = start.elapsed();
        if took >= ROUND / 4 {
            return ((f64::from(calls) * ROUND.as_secs_f64() / took.as_secs_f64()) as u32).max(1);
        }
        calls *= 2;
    }
}

fn round<T>(code: &impl Fn() -> T, calls: u32) -> f64 {
    let start = Instant::now();
    (0..calls).for_each(|_| drop(black_box(code())));
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} us", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

pub fn row(name: &str, pair: &Pair) {
    println!("| {name} | {} | {} | {:.1} |", time(pair.ours), time(pair.peer), pair.ratio);
}
