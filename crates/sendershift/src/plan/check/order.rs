//! The order that waits give to steps.

use std::collections::BTreeSet;

/// Steps by index, sorted so that each stands after all that it waits for.
#[derive(Debug)]
pub(super) struct Order {
    before: Vec<Vec<usize>>,
    sorted: Vec<usize>,
    position: Vec<usize>,
}

impl Order {
    /// The order of steps that each come after those in `before`.
    ///
    /// # Errors
    ///
    /// The steps of a cycle, each waiting for the one in front of it and the first for the last.
    pub(super) fn new(before: Vec<Vec<usize>>) -> Result<Self, Vec<usize>> {
        let count = before.len();
        let mut next = vec![Vec::new(); count];
        for (step, earlier) in before.iter().enumerate() {
            for earlier in earlier {
                if let Some(next) = next.get_mut(*earlier) {
                    next.push(step);
                }
            }
        }
        let mut waits: Vec<usize> = before.iter().map(Vec::len).collect();
        let mut ready: BTreeSet<usize> = (0..count).filter(|step| waits.get(*step) == Some(&0)).collect();
        let mut sorted = Vec::with_capacity(count);
        let mut position = vec![usize::MAX; count];
        while let Some(step) = ready.pop_first() {
            if let Some(position) = position.get_mut(step) {
                *position = sorted.len();
            }
            sorted.push(step);
            for later in next.get(step).into_iter().flatten() {
                if let Some(waits) = waits.get_mut(*later) {
                    *waits -= 1;
                    if *waits == 0 {
                        ready.insert(*later);
                    }
                }
            }
        }
        let order = Self { before, sorted, position };
        match (0..count).find(|step| order.position(*step) == usize::MAX) {
            Some(step) => Err(order.cycle(step)),
            None => Ok(order),
        }
    }

    /// Where a step stands among all.
    pub(super) fn position(&self, step: usize) -> usize {
        self.position.get(step).copied().unwrap_or(usize::MAX)
    }

    fn before(&self, step: usize) -> &[usize] {
        self.before.get(step).map_or(&[], Vec::as_slice)
    }

    /// A cycle that is met on the way back from a step without a position: such a step waits for another such step.
    fn cycle(&self, mut step: usize) -> Vec<usize> {
        let mut way = Vec::new();
        let mut met = BTreeSet::new();
        while met.insert(step) {
            way.push(step);
            let unsorted = |earlier: &&usize| self.position(**earlier) == usize::MAX;
            step = self.before(step).iter().find(unsorted).copied().unwrap_or(step);
        }
        let mut cycle: Vec<usize> = way.into_iter().skip_while(|met| *met != step).collect();
        cycle.reverse();
        let first = (0..cycle.len()).min_by_key(|at| cycle.get(*at)).unwrap_or_default();
        cycle.rotate_left(first);
        cycle
    }

    /// Those of the pairs of which the second step does not come after the first one, directly or through others.
    pub(super) fn unordered(
        &self,
        pairs: impl IntoIterator<Item = (usize, usize)>,
    ) -> BTreeSet<(usize, usize)> {
        let indirect: BTreeSet<(usize, usize)> =
            pairs.into_iter().filter(|(first, second)| !self.before(*second).contains(first)).collect();
        let mut open: Vec<(usize, usize)> = indirect.into_iter().collect();
        open.sort_by_key(|(first, second)| (self.position(*first), self.position(*second)));
        // One bit for each pair travels from its first step along the order: 64 pairs in one pass.
        open.chunks(64).flat_map(|pairs| self.unreached(pairs)).collect()
    }

    fn unreached(&self, pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let from = pairs.iter().map(|(first, _)| self.position(*first)).min().unwrap_or(0);
        let to = pairs.iter().map(|(_, second)| self.position(*second)).max().unwrap_or(0);
        let mut reached = vec![0u64; self.sorted.len()];
        let at = |reached: &[u64], step: usize| reached.get(step).copied().unwrap_or(0);
        let mut starting = pairs.iter().enumerate().peekable();
        for step in self.sorted.iter().copied().take(to.saturating_add(1)).skip(from) {
            let mut bits = self.before(step).iter().fold(0, |bits, earlier| bits | at(&reached, *earlier));
            while let Some((bit, _)) = starting.next_if(|(_, (first, _))| *first == step) {
                bits |= 1 << bit;
            }
            if let Some(reached) = reached.get_mut(step) {
                *reached = bits;
            }
        }
        // A step is not after itself.
        let missed = |(bit, (first, second)): &(usize, &(usize, usize))| {
            first == second || at(&reached, *second) & (1 << bit) == 0
        };
        pairs.iter().enumerate().filter(missed).map(|(_, pair)| *pair).collect()
    }
}

#[cfg(test)]
mod tests;
