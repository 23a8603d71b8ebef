//! What the tests share: the vectors of `tests/vectors`, the test suite of RFC 7208, a second reading of SPF, and what a process has spent.

pub mod oracle;
pub mod spent;
pub mod suite;
pub mod vectors;
mod yaml;

use std::panic::resume_unwind;
use std::thread;

/// Hands seeds out to all cores, and gives back what each made of its share.
pub fn on_all_cores<T: Send>(
    seeds: &(impl Iterator<Item = u64> + Clone + Sync),
    work: impl Fn(&mut dyn Iterator<Item = u64>) -> T + Sync,
) -> Vec<T> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(8);
    thread::scope(|scope| {
        let begin = |worker| {
            let work = &work;
            scope.spawn(move || work(&mut seeds.clone().skip(worker).step_by(workers)))
        };
        let threads: Vec<_> = (0..workers).map(begin).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}
