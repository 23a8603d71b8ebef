//! A step function over the addresses of one family.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::IpRange;

/// An address as an unsigned number: what the two families differ in.
pub(super) trait Address: Copy + Ord {
    const MIN: Self;
    const MAX: Self;
    fn next(self) -> Option<Self>;
    fn previous(self) -> Option<Self>;
    fn ip(self) -> IpAddr;
    fn range(first: Self, last: Self) -> IpRange;
    /// The longest prefix that begins with `first` and does not reach beyond `last`, and its last address.
    fn longest_prefix(first: Self, last: Self) -> Option<(IpNet, Self)>;
}

impl Address for u32 {
    const MIN: Self = Self::MIN;
    const MAX: Self = Self::MAX;

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn previous(self) -> Option<Self> {
        self.checked_sub(1)
    }

    fn ip(self) -> IpAddr {
        Ipv4Addr::from_bits(self).into()
    }

    fn range(first: Self, last: Self) -> IpRange {
        IpRange::V4(Ipv4Addr::from_bits(first), Ipv4Addr::from_bits(last))
    }

    fn longest_prefix(first: Self, last: Self) -> Option<(IpNet, Self)> {
        // All addresses of the family are more than a number of its own size holds.
        let count = last.checked_sub(first)?.checked_add(1);
        let host_bits = count.map_or(Self::BITS, Self::ilog2).min(first.trailing_zeros());
        let length = Self::BITS - host_bits;
        let net = Ipv4Net::new(Ipv4Addr::from_bits(first), u8::try_from(length).ok()?).ok()?;
        Some((net.into(), first | Self::MAX.checked_shr(length).unwrap_or(0)))
    }
}

impl Address for u128 {
    const MIN: Self = Self::MIN;
    const MAX: Self = Self::MAX;

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn previous(self) -> Option<Self> {
        self.checked_sub(1)
    }

    fn ip(self) -> IpAddr {
        Ipv6Addr::from_bits(self).into()
    }

    fn range(first: Self, last: Self) -> IpRange {
        IpRange::V6(Ipv6Addr::from_bits(first), Ipv6Addr::from_bits(last))
    }

    fn longest_prefix(first: Self, last: Self) -> Option<(IpNet, Self)> {
        // All addresses of the family are more than a number of its own size holds.
        let count = last.checked_sub(first)?.checked_add(1);
        let host_bits = count.map_or(Self::BITS, Self::ilog2).min(first.trailing_zeros());
        let length = Self::BITS - host_bits;
        let net = Ipv6Net::new(Ipv6Addr::from_bits(first), u8::try_from(length).ok()?).ok()?;
        Some((net.into(), first | Self::MAX.checked_shr(length).unwrap_or(0)))
    }
}

/// `first` from the lowest address on, and a new value from each start in `rest` on.
// INVARIANT: the starts in `rest` ascend and are above the lowest address; neighbours differ in value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Steps<A, V> {
    first: V,
    rest: Vec<(A, V)>,
}

impl<A: Address, V> Steps<A, V> {
    pub(super) fn constant(value: V) -> Self {
        Self { first: value, rest: Vec::new() }
    }

    fn with_capacity(first: V, steps: usize) -> Self {
        Self { first, rest: Vec::with_capacity(steps) }
    }

    pub(super) fn at(&self, address: A) -> &V {
        let above = self.rest.partition_point(|(start, _)| *start <= address);
        above.checked_sub(1).and_then(|step| self.rest.get(step)).map_or(&self.first, |(_, value)| value)
    }

    /// Every start with its value; the first is the lowest address.
    pub(super) fn steps(&self) -> impl Iterator<Item = (A, &V)> {
        iter::once((A::MIN, &self.first)).chain(self.rest.iter().map(|(start, value)| (*start, value)))
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = (IpRange, &V)> {
        let ends = self.rest.iter().filter_map(|(start, _)| start.previous()).chain(iter::once(A::MAX));
        self.steps().zip(ends).map(|((start, value), end)| (A::range(start, end), value))
    }
}

impl<A: Address, V: Eq> Steps<A, V> {
    /// The value from `start` on, which is the lowest address or above every start so far.
    fn push(&mut self, start: A, value: V) {
        if start == A::MIN {
            self.first = value;
        } else if *self.rest.last().map_or(&self.first, |(_, last)| last) != value {
            self.rest.push((start, value));
        }
    }

    pub(super) fn map<'a, W: Eq>(&'a self, mut f: impl FnMut(&'a V) -> W) -> Steps<A, W> {
        let mut mapped = Steps::with_capacity(f(&self.first), self.rest.len());
        for (start, value) in &self.rest {
            mapped.push(*start, f(value));
        }
        mapped
    }

    pub(super) fn zip<'a, W, X: Eq>(
        &'a self,
        other: &'a Steps<A, W>,
        mut f: impl FnMut(&'a V, &'a W) -> X,
    ) -> Steps<A, X> {
        let (mut left, mut right) = (&self.first, &other.first);
        let mut zipped = Steps::with_capacity(f(left, right), self.rest.len() + other.rest.len());
        let (mut lefts, mut rights) = (self.rest.iter().peekable(), other.rest.iter().peekable());
        loop {
            let start = match (lefts.peek(), rights.peek()) {
                (Some((left, _)), Some((right, _))) => *left.min(right),
                (Some((start, _)), None) | (None, Some((start, _))) => *start,
                (None, None) => return zipped,
            };
            if let Some((_, value)) = lefts.next_if(|(at, _)| *at == start) {
                left = value;
            }
            if let Some((_, value)) = rights.next_if(|(at, _)| *at == start) {
                right = value;
            }
            zipped.push(start, f(left, right));
        }
    }

    /// The same outside `first..=last`, which takes the value just below `first`; that is not the lowest address.
    pub(super) fn without(self, first: A, last: A) -> Self {
        let mut kept = Self::with_capacity(self.first, self.rest.len() + 1);
        // The value at `last`, where it is not the one just below `first`: it may go on above the gap.
        let mut hidden = None;
        for (start, value) in self.rest {
            if (first..=last).contains(&start) {
                hidden = Some(value);
                continue;
            }
            if start > last
                && let Some(value) = hidden.take()
                && let Some(after) = last.next().filter(|after| *after < start)
            {
                kept.push(after, value);
            }
            kept.push(start, value);
        }
        if let (Some(value), Some(after)) = (hidden, last.next()) {
            kept.push(after, value);
        }
        kept
    }
}

/// The fewest prefixes of the addresses from one to another, from the left.
pub(super) struct Prefixes<A> {
    rest: Option<(A, A)>,
}

impl<A> Prefixes<A> {
    pub(super) fn of(first: A, last: A) -> Self {
        Self { rest: Some((first, last)) }
    }
}

impl<A: Address> Iterator for Prefixes<A> {
    type Item = IpNet;

    fn next(&mut self) -> Option<IpNet> {
        let (first, last) = self.rest?;
        let (net, end) = A::longest_prefix(first, last)?;
        self.rest = end.next().filter(|next| *next <= last).map(|next| (next, last));
        Some(net)
    }
}

impl<A: Address> Steps<A, bool> {
    /// Appends the fewest prefixes that hold the addresses that are true.
    pub(super) fn cover(&self, nets: &mut Vec<IpNet>) {
        nets.reserve(self.rest.len() / 2 + 1);
        let mut steps = self.steps().peekable();
        while let Some((first, here)) = steps.next() {
            if *here {
                let last = steps.peek().and_then(|(next, _)| next.previous()).unwrap_or(A::MAX);
                nets.extend(Prefixes::of(first, last));
            }
        }
    }

    /// True in the ranges, given as first and last address in any order.
    pub(super) fn union_of(mut ranges: Vec<(A, A)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable_by_key(|(first, _)| *first);
        let mut union = Self::with_capacity(false, 2 * ranges.len());
        let mut ranges = ranges.into_iter().peekable();
        while let Some((first, mut last)) = ranges.next() {
            while let Some((_, end)) =
                ranges.next_if(|(start, _)| last.next().is_none_or(|after| *start <= after))
            {
                last = last.max(end);
            }
            union.push(first, true);
            if let Some(after) = last.next() {
                union.push(after, false);
            }
        }
        union
    }
}

impl<'a, A: Address, V: Eq> Steps<A, Option<&'a V>> {
    /// The value of the first range of the list that holds the address, if any does.
    pub(super) fn first_of(ranges: &'a [(A, A, V)]) -> Self {
        let holds_any = |(first, last, _): &&(A, A, V)| first <= last;
        let mut starts: Vec<(A, usize, A)> = (0..)
            .zip(ranges)
            .filter(|(_, range)| holds_any(range))
            .map(|(rank, (first, last, _))| (*first, rank, *last))
            .collect();
        starts.sort_unstable_by_key(|(first, rank, _)| (*first, *rank));
        let value = |rank: usize| ranges.get(rank).map(|(.., value)| value);
        // Most lists have no two ranges that overlap, and then their order does not matter.
        if starts.is_sorted_by(|(_, _, last), (first, ..)| last < first) {
            let mut layer = Self::with_capacity(None, 2 * starts.len());
            let mut starts = starts.into_iter().peekable();
            while let Some((first, rank, last)) = starts.next() {
                layer.push(first, value(rank));
                let next = starts.peek().map(|(first, ..)| *first);
                if let Some(after) = last.next().filter(|after| Some(*after) != next) {
                    layer.push(after, None);
                }
            }
            return layer;
        }
        let mut bounds = Vec::with_capacity(2 * starts.len());
        for (first, _, last) in &starts {
            bounds.extend(iter::once(*first).chain(last.next()));
        }
        bounds.sort_unstable();
        bounds.dedup();
        let mut layer = Self::with_capacity(None, bounds.len());
        let mut starts = starts.into_iter().peekable();
        // The ranges that have begun, the first of the list on top; an ended one leaves from the top.
        let mut open = BinaryHeap::new();
        for bound in bounds {
            while let Some((_, rank, last)) = starts.next_if(|(first, ..)| *first == bound) {
                open.push(Reverse((rank, last)));
            }
            while open.peek().is_some_and(|Reverse((_, last))| *last < bound) {
                open.pop();
            }
            layer.push(bound, open.peek().and_then(|Reverse((rank, _))| value(*rank)));
        }
        layer
    }
}
