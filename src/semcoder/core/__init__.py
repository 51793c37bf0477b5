"""The records that flow, the value model, content ids and the JSON codec. Standard library only."""

from semcoder.core.codec import SCHEMA_VERSION, decode, dump, encode, load
from semcoder.core.encode import Encoder
from semcoder.core.records import (
    LIMIT_STATUSES,
    Claim,
    Detail,
    Direction,
    Invocation,
    LineNo,
    Monologue,
    Origin,
    Outcome,
    Program,
    ProgramId,
    Raised,
    Sample,
    Score,
    Status,
    Usage,
    check_claim,
    content_id,
)
from semcoder.core.unfolding import TooLarge
from semcoder.core.values import NotLiteral, Value, canonical_json, literal_text

__all__ = [
    "LIMIT_STATUSES",
    "SCHEMA_VERSION",
    "Claim",
    "Detail",
    "Direction",
    "Encoder",
    "Invocation",
    "LineNo",
    "Monologue",
    "NotLiteral",
    "Origin",
    "Outcome",
    "Program",
    "ProgramId",
    "Raised",
    "Sample",
    "Score",
    "Status",
    "TooLarge",
    "Usage",
    "Value",
    "canonical_json",
    "check_claim",
    "content_id",
    "decode",
    "dump",
    "encode",
    "literal_text",
    "load",
]
