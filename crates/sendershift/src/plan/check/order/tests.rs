//! The order of steps against reachability, computed the slow way.

use proptest::prelude::*;

use super::Order;

proptest! {
    #[test]
    fn agrees_with_reachability(
        count in 1usize..90,
        waits in proptest::collection::vec((0usize..90, 0usize..90), 0..120),
        forward in any::<bool>(),
    ) {
        let mut before = vec![Vec::new(); count];
        for (one, two) in waits.iter().map(|(one, two)| (one % count, two % count)) {
            if forward && one >= two { continue }
            before[two].push(one);
        }
        let mut reached = vec![vec![false; count]; count];
        for (step, before) in before.iter().enumerate() {
            for earlier in before { reached[*earlier][step] = true; }
        }
        for over in 0..count {
            for from in 0..count {
                for to in 0..count {
                    reached[from][to] |= reached[from][over] && reached[over][to];
                }
            }
        }
        match Order::new(before.clone()) {
            Ok(order) => {
                let mut pairs: Vec<(usize, usize)> =
                    (0..count).flat_map(|one| (0..count).map(move |two| (one, two))).collect();
                pairs.retain(|(one, two)| order.position(*one) <= order.position(*two));
                let unordered = order.unordered(pairs.iter().copied());
                for (one, two) in pairs {
                    prop_assert_eq!(unordered.contains(&(one, two)), !reached[one][two]);
                }
                for (step, before) in before.iter().enumerate() {
                    prop_assert!(before.iter().all(|earlier| order.position(*earlier) < order.position(step)));
                }
            }
            Err(cycle) => {
                prop_assert!((0..count).any(|step| reached[step][step]));
                let last = cycle.last().copied();
                for (step, earlier) in cycle.iter().zip(last.into_iter().chain(cycle.iter().copied())) {
                    prop_assert!(before[*step].contains(&earlier));
                }
            }
        }
    }
}
