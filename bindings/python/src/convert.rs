//! Addresses and networks as Python people have them: text, or objects of `ipaddress`.

use std::net::IpAddr;

use ipnet::IpNet;
use pyo3::exceptions::PyTypeError;
#[cfg(feature = "inspect")]
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::PyString;
#[cfg(feature = "inspect")]
use pyo3::{type_hint_identifier, type_hint_subscript, type_hint_union};
use sendershift::error::Problem;
use sendershift::net::{parse_client, parse_clients};

use crate::failure::exception;

/// Text that is given. In Python it may hold what is no character.
pub(crate) struct Text(pub(crate) String);

impl FromPyObject<'_, '_> for Text {
    type Error = PyErr;

    #[cfg(feature = "inspect")]
    const INPUT_TYPE: PyStaticExpr = type_hint_identifier!("builtins", "str");

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let no_character =
            |_| Problem::new("json.not-utf8", "the text holds a surrogate by itself, which is no character");
        let text = given.cast::<PyString>()?;
        text.to_str().map(|text| Self(text.to_owned())).map_err(no_character).map_err(exception)
    }
}

/// An address that is given.
#[derive(Clone, Copy)]
pub(crate) struct Address(pub(crate) IpAddr);

impl FromPyObject<'_, '_> for Address {
    type Error = PyErr;

    #[cfg(feature = "inspect")]
    const INPUT_TYPE: PyStaticExpr = type_hint_union!(
        type_hint_identifier!("builtins", "str"),
        type_hint_identifier!("ipaddress", "IPv4Address"),
        type_hint_identifier!("ipaddress", "IPv6Address")
    );

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        parse_client(&text("ip", &given)?).map(Self).map_err(exception)
    }
}

/// Networks that are given: anything that can be iterated, but for one text, which would be taken for its letters.
pub(crate) struct Networks(pub(crate) Vec<IpNet>);

impl FromPyObject<'_, '_> for Networks {
    type Error = PyErr;

    #[cfg(feature = "inspect")]
    const INPUT_TYPE: PyStaticExpr = type_hint_subscript!(
        type_hint_identifier!("collections.abc", "Iterable"),
        type_hint_union!(
            type_hint_identifier!("builtins", "str"),
            type_hint_identifier!("ipaddress", "IPv4Address"),
            type_hint_identifier!("ipaddress", "IPv6Address"),
            type_hint_identifier!("ipaddress", "IPv4Network"),
            type_hint_identifier!("ipaddress", "IPv6Network")
        )
    );

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let several = |found: &str| {
            PyTypeError::new_err(format!("argument 'networks': expected several, found {found}"))
        };
        if given.is_instance_of::<PyString>() {
            return Err(several("one text"));
        }
        // A network can be iterated, too, address by address.
        if given.hasattr("version")? {
            return Err(several("one"));
        }
        let network = |given: Bound<'_, PyAny>| parse_clients(&text("networks", &given)?).map_err(exception);
        let found = given.get_type().name()?;
        let given = given.try_iter().map_err(|_| several(&format!("'{found}'")))?;
        given.map(|given| network(given?)).collect::<PyResult<_>>().map(Self)
    }
}

/// A network that is returned.
pub(crate) struct Network(pub(crate) IpNet);

impl<'py> IntoPyObject<'py> for Network {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    #[cfg(feature = "inspect")]
    const OUTPUT_TYPE: PyStaticExpr = type_hint_union!(
        type_hint_identifier!("ipaddress", "IPv4Network"),
        type_hint_identifier!("ipaddress", "IPv6Network")
    );

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("ipaddress")?.call_method1("ip_network", (self.0.to_string(),))
    }
}

/// Text, or an object of `ipaddress`, which says what it is by its `version`.
fn text(argument: &str, given: &Bound<'_, PyAny>) -> PyResult<String> {
    if given.is_instance_of::<PyString>() || given.hasattr("version")? {
        // What is no text in UTF-8 is no address either.
        return Ok(given.str()?.to_string_lossy().into_owned());
    }
    let found = given.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "argument '{argument}': expected text or an object of ipaddress, found '{found}'"
    )))
}
