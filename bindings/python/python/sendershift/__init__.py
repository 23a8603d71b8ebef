"""Plans a change of mail-sending domain and proves that declared messages stay authenticated.

Everything is decided by the core, which is written in Rust; this package gives and takes Python values.
"""

from __future__ import annotations

from . import dkim, dmarc, domain, spf
from ._call import Progress, call
from ._dmarc import DkimKey, DmarcCheck, DmarcRecord, DmarcVerdict, Drift
from ._errors import InvalidError, MissingEvidenceError, Problem, Question, SendershiftError
from ._native import VERSION as __version__
from ._native import AddressSet, Table, operations
from ._plan import After, Change, Course, Migration, Parameters, Plan, Planned, Step, Use, Value, Values, Version
from ._policy import Case, Policy, Results, Unknown
from ._proof import PROMISES, Counterexample, PromiseVerdict, Proof, Remark
from ._snapshot import Answer, Snapshot
from ._spf import (
    Compacted,
    Difference,
    Finding,
    Report,
    RrSet,
    SpfCheck,
    SpfCost,
    SpfRecord,
    SpfResult,
    SpfTerm,
    Witness,
)
from ._tables import ArrowTable

__all__ = [
    "PROMISES",
    "AddressSet",
    "After",
    "Answer",
    "ArrowTable",
    "Case",
    "Change",
    "Compacted",
    "Course",
    "Counterexample",
    "Difference",
    "DkimKey",
    "DmarcCheck",
    "DmarcRecord",
    "DmarcVerdict",
    "Drift",
    "Finding",
    "InvalidError",
    "Migration",
    "MissingEvidenceError",
    "Parameters",
    "Plan",
    "Planned",
    "Policy",
    "Problem",
    "Progress",
    "PromiseVerdict",
    "Proof",
    "Question",
    "Remark",
    "Report",
    "Results",
    "RrSet",
    "SendershiftError",
    "Snapshot",
    "SpfCheck",
    "SpfCost",
    "SpfRecord",
    "SpfResult",
    "SpfTerm",
    "Step",
    "Table",
    "Unknown",
    "Use",
    "Value",
    "Values",
    "Version",
    "Witness",
    "__version__",
    "call",
    "dkim",
    "dmarc",
    "domain",
    "operations",
    "spf",
]
