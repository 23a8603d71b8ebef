//! Compiled policies: the result of a record at every address.

use pyo3::prelude::*;
use sendershift::dns::Snapshot;
use sendershift::name::DomainName;
use sendershift::spf::{self, Assumed, Profile, SpfResult, Subject};
use serde_json::json;

use crate::addresses::AddressSet;
use crate::convert::Address;
use crate::failure::exception;
use crate::many;
use crate::tables::{Given, Table};

/// The result of a record at every address, with what it costs. Equal policies have the same results at the same cost everywhere.
#[pyclass(frozen, eq, hash, module = "sendershift._native")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Policy(spf::Policy);

#[pymethods]
impl Policy {
    /// Compiles the policy of a domain, or of a record that `domain` would publish, on a snapshot document.
    #[staticmethod]
    #[pyo3(signature = (snapshot, subject, domain = None))]
    fn compile(py: Python<'_>, snapshot: &str, subject: &str, domain: Option<&str>) -> PyResult<Self> {
        let compiled = py.detach(|| {
            let evidence = Snapshot::from_json(snapshot)?;
            let at = domain.map(DomainName::parse).transpose()?;
            let subject = Subject::parse(subject, at)?;
            spf::Policy::compile(&subject.publish_on(&evidence), &subject.domain)
        });
        compiled.map(Self).map_err(exception)
    }

    /// The results at a kind of receiver.
    #[pyo3(signature = (receiver = None))]
    fn under(&self, receiver: Option<&str>) -> PyResult<Results> {
        let profile = receiver.map_or(Ok(Profile::DEFAULT), Profile::named).map_err(exception)?;
        Ok(Results(self.0.under(profile)))
    }

    /// The results without limits: what the record intends.
    fn intended(&self) -> Results {
        Results(self.0.intended())
    }
}

/// The results of a policy at one kind of receiver.
#[pyclass(frozen, eq, hash, module = "sendershift._native")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Results(spf::Results);

#[pymethods]
impl Results {
    /// The result at an address, if nothing but the address decides it.
    fn result(&self, ip: Address) -> Option<&'static str> {
        self.0.certain(ip.0).map(SpfResult::as_str)
    }

    /// The results at the addresses of a table.
    fn results(&self, py: Python<'_>, table: Given) -> PyResult<Table> {
        many::results(py, &self.0, table)
    }

    /// Every result that is possible at an address, with what it assumes, as a JSON document.
    fn cases(&self, ip: Address) -> String {
        let cases = self.0.at(ip.0).into_iter().map(|case| {
            let assuming: Vec<Assumed> = case.assuming.into_iter().map(Assumed::from).collect();
            json!({ "result": case.leaf, "assuming": assuming })
        });
        cases.collect::<serde_json::Value>().to_string()
    }

    /// The addresses that have this result whatever else is the case.
    fn always(&self, result: &str) -> PyResult<AddressSet> {
        let result = SpfResult::named(result).map_err(exception)?;
        Ok(AddressSet(self.0.always(result)))
    }

    /// The addresses that can have this result.
    fn sometimes(&self, result: &str) -> PyResult<AddressSet> {
        let result = SpfResult::named(result).map_err(exception)?;
        Ok(AddressSet(self.0.sometimes(result)))
    }
}
