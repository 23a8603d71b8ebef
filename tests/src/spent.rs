//! What this process has spent so far, as far as the system says.

/// Milliseconds that processors have spent on this process, in steps of ten: others may be busy beside it.
#[must_use]
pub fn processor_time() -> Option<u128> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15; the second one, in parentheses, may have spaces (proc(5)).
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u128>().ok();
    Some((ticks()? + ticks()?) * 10)
}

/// The most memory that this process has held, in KiB; 0 where the system does not say.
#[must_use]
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
