//! How many addresses: more than any machine integer holds.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Serialize, Serializer};

/// The highest power of ten in a `u128`; 38 is the number of its zeros.
const LIMB: u128 = 10_u128.pow(38);

/// An exact number of addresses, written as a decimal string: `::/0` alone holds 2^128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressCount {
    // The number is `high * LIMB + low` with `low < LIMB`: decimal limbs make printing trivial.
    high: u128,
    low: u128,
}

impl AddressCount {
    /// The number of addresses between two, both included, from the difference of their values.
    pub(super) fn inclusive(difference: u128) -> Self {
        Self::from(difference) + Self::from(1)
    }

    /// The number for people: from 10^12 on, where nobody reads the digits, as a power of two, `~` if it is more than that.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::net::AddressCount;
    ///
    /// assert_eq!(AddressCount::from(256).brief(), "256");
    /// assert_eq!(AddressCount::from(1 << 96).brief(), "2^96");
    /// assert_eq!(AddressCount::from((1 << 96) + 256).brief(), "~2^96");
    /// assert_eq!(AddressCount::from((1 << 96) - 256).brief(), "~2^96");
    /// ```
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self { high: 0, low } if *low < 1_000_000_000_000 => low.to_string(),
            Self { high, low } => match high.checked_mul(LIMB).and_then(|high| high.checked_add(*low)) {
                Some(number) if number.is_power_of_two() => format!("2^{}", number.ilog2()),
                // The nearer power: half as much again is nearer to the next one.
                Some(number) => {
                    let power = number.ilog2();
                    format!("~2^{}", power + u32::from(number >> (power - 1) == 3))
                }
                // A set holds less than 2^129.
                None if *self == Self::from(u128::MAX) + Self::from(1) => "2^128".to_owned(),
                None => "~2^128".to_owned(),
            },
        }
    }
}

impl From<u128> for AddressCount {
    fn from(count: u128) -> Self {
        Self { high: count / LIMB, low: count % LIMB }
    }
}

impl Add for AddressCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let low = self.low + other.low;
        // One set holds less than 2^129, so it would take 2^125 sets to saturate this.
        Self { high: self.high.saturating_add(other.high).saturating_add(low / LIMB), low: low % LIMB }
    }
}

impl Sum for AddressCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for AddressCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.high {
            0 => write!(f, "{}", self.low),
            high => write!(f, "{high}{:038}", self.low),
        }
    }
}

impl Serialize for AddressCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
