//! Compiled policies: the result of a record at every address.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyIterator;
use sendershift::spf::{self, Assumed, SpfResult};
use sendershift::wire;
use serde_json::json;

use crate::addresses::AddressSet;
use crate::convert::{Address, Text};
use crate::failure::exception;
use crate::many;
use crate::run::{Evidence, interruptible};
use crate::tables::Table;

/// The result of a record at every address, with what it costs. Equal policies have the same results at the same cost everywhere.
#[pyclass(frozen, eq, hash, module = "sendershift._native")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Policy(spf::Policy);

#[pymethods]
impl Policy {
    /// Compiles the policy of a domain, or of a record that `domain` would publish.
    #[new]
    #[pyo3(signature = (dns, subject, domain = None))]
    fn new(py: Python<'_>, dns: &Evidence, subject: Text, domain: Option<Text>) -> PyResult<Self> {
        let dns = Arc::clone(&dns.0);
        let compiled = interruptible(py, None, move |_| {
            wire::policy(&*dns, &subject.0, domain.as_ref().map(|domain| domain.0.as_str()))
        });
        compiled?.map(Self).map_err(exception)
    }

    /// The results at a kind of receiver.
    #[pyo3(signature = (receiver = None))]
    fn under(&self, receiver: Option<Text>) -> PyResult<Results> {
        Ok(Results(Arc::new(self.0.under(many::profile(receiver)?))))
    }

    /// The results without limits: what the record intends.
    fn intended(&self) -> Results {
        Results(Arc::new(self.0.intended()))
    }
}

/// The results of a policy at one kind of receiver.
#[pyclass(frozen, eq, hash, module = "sendershift._native")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Results(Arc<spf::Results>);

#[pymethods]
impl Results {
    /// The result at an address, if nothing but the address decides it.
    fn result(&self, ip: Address) -> Option<&'static str> {
        self.0.certain(ip.0).map(SpfResult::as_str)
    }

    /// The results at the addresses of a table.
    fn results(&self, py: Python<'_>, tables: Bound<'_, PyIterator>) -> PyResult<Table> {
        many::results(py, Arc::clone(&self.0), tables)
    }

    /// Every result that is possible at an address, with what it assumes, as a JSON document.
    fn cases(&self, py: Python<'_>, ip: Address) -> String {
        let cases = py.detach(|| self.0.at(ip.0)).into_iter().map(|case| {
            let assuming: Vec<Assumed> = case.assuming.into_iter().map(Assumed::from).collect();
            json!({ "result": case.leaf, "assuming": assuming })
        });
        cases.collect::<serde_json::Value>().to_string()
    }

    /// The addresses that have this result whatever else is the case.
    fn always(&self, py: Python<'_>, result: Text) -> PyResult<AddressSet> {
        let result = SpfResult::named(&result.0).map_err(exception)?;
        Ok(AddressSet(py.detach(|| self.0.always(result))))
    }

    /// The addresses that can have this result.
    fn sometimes(&self, py: Python<'_>, result: Text) -> PyResult<AddressSet> {
        let result = SpfResult::named(&result.0).map_err(exception)?;
        Ok(AddressSet(py.detach(|| self.0.sometimes(result))))
    }
}
