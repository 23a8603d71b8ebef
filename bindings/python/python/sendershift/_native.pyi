"""
The native part of sendershift; use the package.
"""

from _typeshed import SupportsGetItem
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from os import PathLike
from typing import Any, Final, SupportsIndex, final

__all__ = ["VERSION", "AddressSet", "Evidence", "Policy", "Results", "Table", "cells", "check_many", "cost_many", "expect_document", "line", "operations", "promises", "run"]

VERSION: Final[str]

@final
class AddressSet:
    """
    A set of IPv4 and IPv6 addresses, exactly. Equal sets are equal however they were built.

    An address that is mapped from IPv4 (`::ffff:192.0.2.1`) stands for the IPv4 address, as a client that has it is an IPv4 client (RFC 7208
    section 5).
    """
    def __and__(self, other: AddressSet, /) -> AddressSet: ...
    def __bool__(self, /) -> bool: ...
    def __contains__(self, ip: str | IPv4Address | IPv6Address, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ge__(self, other: AddressSet, /) -> bool: ...
    def __gt__(self, other: AddressSet, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __invert__(self, /) -> AddressSet: ...
    def __le__(self, other: AddressSet, /) -> bool: ...
    def __lt__(self, other: AddressSet, /) -> bool: ...
    def __new__(cls, /, networks: Iterable[str | IPv4Address | IPv6Address | IPv4Network | IPv6Network] = ...) -> AddressSet:
        """
        The addresses in any of the networks.
        """
    def __or__(self, other: AddressSet, /) -> AddressSet: ...
    def __reduce__(self, /) -> tuple[Any, tuple[str]]: ...
    def __repr__(self, /) -> str:
        """
        An expression that makes the set, unless it is too long to be read.
        """
    def __str__(self, /) -> str: ...
    def __sub__(self, other: AddressSet, /) -> AddressSet: ...
    @staticmethod
    def all() -> AddressSet:
        """
        Every address that there is.
        """
    def count(self, /) -> int:
        """
        How many addresses are in the set.
        """
    @staticmethod
    def from_dict(data: Any) -> AddressSet:
        """
        As `from_json`, for what is already read.
        """
    @staticmethod
    def from_file(path: str | PathLike[str]) -> AddressSet:
        """
        As `from_json`, for a file.
        """
    @staticmethod
    def from_json(text: str) -> AddressSet:
        """
        Reads the JSON that `to_json` wrote.
        """
    def isdisjoint(self, /, other: AddressSet) -> bool: ...
    def issubset(self, /, other: AddressSet) -> bool: ...
    def issuperset(self, /, other: AddressSet) -> bool: ...
    def networks(self, /) -> list[IPv4Network | IPv6Network]:
        """
        The fewest networks whose union is the set, IPv4 first, in ascending order.
        """
    def ranges(self, /) -> list[tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]]:
        """
        The longest ranges in the set, each as its first and its last address; no two touch.
        """
    def to_dict(self, /) -> dict[str, list[str]]:
        """
        The same below the key `networks`.
        """
    def to_json(self, /) -> str:
        """
        `to_dict` as JSON.
        """
    def to_list(self, /) -> list[str]:
        """
        The networks as text: what documents have.
        """

@final
class Evidence:
    """
    What DNS said, read once.
    """
    def __new__(cls, /, texts: SupportsGetItem[int, tuple[str, str]]) -> Evidence:
        """
        Reads texts, each with its name, as one snapshot.
        """

@final
class Policy:
    """
    The result of a record at every address, with what it costs. Equal policies have the same results at the same cost everywhere.
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def __new__(cls, /, dns: Evidence, subject: str, domain: str | None = None) -> Policy:
        """
        Compiles the policy of a domain, or of a record that `domain` would publish.
        """
    def intended(self, /) -> Results:
        """
        The results without limits: what the record intends.
        """
    def under(self, /, receiver: str | None = None) -> Results:
        """
        The results at a kind of receiver.
        """

@final
class Results:
    """
    The results of a policy at one kind of receiver.
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __ne__(self, value: object, /) -> bool: ...
    def always(self, /, result: str) -> AddressSet:
        """
        The addresses that have this result whatever else is the case.
        """
    def cases(self, /, ip: str | IPv4Address | IPv6Address) -> str:
        """
        Every result that is possible at an address, with what it assumes, as a JSON document.
        """
    def result(self, /, ip: str | IPv4Address | IPv6Address) -> str | None:
        """
        The result at an address, if nothing but the address decides it.
        """
    def results(self, /, tables: Iterator[Any]) -> Table:
        """
        The results at the addresses of a table.
        """
    def sometimes(self, /, result: str) -> AddressSet:
        """
        The addresses that can have this result.
        """

@final
class Table:
    """
    A table that is returned: pyarrow, polars, pandas and `DuckDB` take it as it is.
    """
    def __arrow_c_schema__(self, /) -> object: ...
    def __arrow_c_stream__(self, /, requested_schema: object | None = None) -> object: ...
    def __len__(self, /) -> int: ...
    def __repr__(self, /) -> str: ...

def cells(columns: SupportsGetItem[int, tuple[str, SupportsGetItem[int, SupportsGetItem[int, SupportsIndex] | None], SupportsGetItem[int, str | None]]]) -> Table:
    """
    A table of columns whose values are of many types. Of each value: its octets, if it is text, or what people call its type; neither of null.
    """

def check_many(dns: Evidence, tables: Iterator[Any], receiver: str | None = None) -> Table:
    """
    `check_host()` for each row of tables.
    """

def cost_many(dns: Evidence, tables: Iterator[Any], receiver: str | None = None) -> Table:
    """
    What the record of each row costs.
    """

def expect_document(text: str, format: str | None, shape: str) -> None:
    """
    Refuses a text that is no document of a format, if one is given, or not of a shape, which is JSON.
    """

def line(text: str) -> str:
    """
    A text that stands in a document, in one line and without control characters.
    """

def operations() -> list[str]:
    """
    The names of all operations, sorted.
    """

def promises() -> list[tuple[str, str]]:
    """
    The names of all promises of a proof, and what each says.
    """

def run(operation: str, input: str, evidence: SupportsGetItem[int, tuple[str, Evidence]] | None = None, progress: Any | None = None) -> str:
    """
    Carries out an operation on a JSON document and returns a JSON document. Other threads run meanwhile, and Ctrl-C ends it.

    With `evidence` the document has the other arguments of the operation, and the places of problems are those in each of them.

    `progress` is called now and then by operations that take long; where it returns `False`, they end with what they have.
    """
