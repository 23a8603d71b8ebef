//! Sets of addresses.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyInt;
use sendershift::net::{self, IpRange};

use crate::convert::{Address, Network, Networks, Text};
use crate::failure::exception;

/// So many networks are not written out.
const MANY: usize = 10;

/// A set of IPv4 and IPv6 addresses, exactly. Equal sets are equal however they were built.
///
/// An address that is mapped from IPv4 (`::ffff:192.0.2.1`) stands for the IPv4 address, as a client that has it is an IPv4 client (RFC 7208
/// section 5).
#[pyclass(frozen, module = "sendershift")]
pub(crate) struct AddressSet(pub(crate) net::AddressSet);

#[pymethods]
impl AddressSet {
    /// The addresses in any of the networks.
    #[new]
    #[pyo3(signature = (networks = Networks(Vec::new())))]
    fn new(networks: Networks) -> Self {
        Self(networks.0.into_iter().collect())
    }

    /// Every address that there is.
    #[staticmethod]
    fn all() -> Self {
        Self(net::AddressSet::all())
    }

    /// Reads the JSON that `to_json` wrote.
    #[staticmethod]
    fn from_json(text: Text) -> PyResult<Self> {
        net::AddressSet::from_json(&text.0).map(Self).map_err(exception)
    }

    /// As `from_json`, for what is already read.
    #[staticmethod]
    fn from_dict(py: Python<'_>, data: Bound<'_, PyAny>) -> PyResult<Self> {
        let text = py.import("sendershift._input")?.call_method1("written", ("data", data))?;
        Self::from_json(text.extract()?)
    }

    /// As `from_json`, for a file.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, Self>> {
        let read = py.import("sendershift._input")?.getattr("read_file")?;
        Ok(read.call1((py.get_type::<Self>().getattr("from_json")?, path))?.cast_into()?)
    }

    /// The networks as text: what documents have.
    fn to_list(&self) -> Vec<String> {
        self.0.cover().iter().map(ToString::to_string).collect()
    }

    /// The same below the key `networks`.
    fn to_dict(&self) -> BTreeMap<&'static str, Vec<String>> {
        BTreeMap::from([("networks", self.to_list())])
    }

    /// `to_dict` as JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// How many addresses are in the set.
    fn count<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyInt>> {
        let count = py.get_type::<PyInt>().call1((self.0.count().to_string(),))?;
        Ok(count.cast_into()?)
    }

    /// The fewest networks whose union is the set, IPv4 first, in ascending order.
    fn networks(&self) -> Vec<Network> {
        self.0.cover().into_iter().map(Network).collect()
    }

    /// The longest ranges in the set, each as its first and its last address; no two touch.
    fn ranges(&self) -> Vec<(IpAddr, IpAddr)> {
        self.0.ranges().map(|range: IpRange| (range.first(), range.last())).collect()
    }

    fn isdisjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }

    fn issubset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    fn issuperset(&self, other: &Self) -> bool {
        other.issubset(self)
    }

    fn __contains__(&self, ip: Address) -> bool {
        self.0.contains(ip.0)
    }

    fn __or__(&self, py: Python<'_>, other: &Self) -> Self {
        Self(py.detach(|| self.0.union(&other.0)))
    }

    fn __and__(&self, py: Python<'_>, other: &Self) -> Self {
        Self(py.detach(|| self.0.intersection(&other.0)))
    }

    fn __sub__(&self, py: Python<'_>, other: &Self) -> Self {
        Self(py.detach(|| self.0.difference(&other.0)))
    }

    fn __invert__(&self, py: Python<'_>) -> Self {
        Self(py.detach(|| self.0.complement()))
    }

    fn __bool__(&self) -> bool {
        !self.0.is_empty()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    /// An expression that makes the set, unless it is too long to be read.
    fn __repr__(&self) -> String {
        let texts: Vec<String> = self.to_list().iter().map(|text| format!("'{text}'")).collect();
        match texts.get(..MANY) {
            Some(first) => {
                let (first, networks) = (first.join(", "), texts.len());
                format!(
                    "<AddressSet [{first}, ...]: {networks} networks, {} addresses>",
                    self.0.count().brief()
                )
            }
            None => format!("AddressSet([{}])", texts.join(", ")),
        }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Self>().getattr("from_json")?, (self.to_json(),)))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __le__(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    fn __lt__(&self, other: &Self) -> bool {
        self.0 != other.0 && self.0.is_subset(&other.0)
    }

    fn __ge__(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    fn __gt__(&self, other: &Self) -> bool {
        self.0 != other.0 && other.0.is_subset(&self.0)
    }
}
