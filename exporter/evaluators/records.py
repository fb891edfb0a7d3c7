"""Tells what of an answer is prose and what is code, JSON, a table or a list of records, and whether records loop."""

import re
from collections import Counter
from itertools import pairwise

import msgspec

from .words import ANSWER_LIMIT, plain

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FENCED = re.compile(r"\s*```\w{0,20}[ \t]*\n(.*?)\n?[ \t]*```\s*", re.DOTALL)
_CODE_END = (";", "{", "}", "[", "]", "},", "],", ")", "):", ",", "->", "\\")
_RECORD = re.compile(r"[|=\t;]|:(?:\s|\*\*)|,[^,]*,")
_PROSE_END = (".", "!", "?", "。", "！", "？", "।", "؟")
_JSON_LIMIT = 4 * ANSWER_LIMIT

_RUN = 4
_LAGS = 4
_TIMES = 8
"""So often in a row a block of records or code must be the same to be a loop; programs repeat themselves a little."""

_VALUES = frozenset((b"true", b"false", b"null", b"none", b"nan"))


def apart(text: str) -> tuple[list[str], str]:
    """The passages of prose in an answer, and all that is code, JSON, a table or a list of records."""
    strings = _strings(text)
    if strings is not None:
        return strings, text[:ANSWER_LIMIT]
    text = text[:ANSWER_LIMIT]
    prose: list[str] = []
    records: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and (not fence or (mark[1][0] == fence[0] and len(mark[1]) >= len(fence))):
            fence = "" if fence else mark[1]
        else:
            (records if fence or _is_record(line) else prose).append(line)
    return ["\n".join(prose)], "\n".join(records)


def _is_record(line: str) -> bool:
    line = line.strip()
    if line.startswith(("|", "{", "[{", '["')) or line.endswith(_CODE_END):
        return True
    return not line.endswith(_PROSE_END) and _RECORD.search(line) is not None


def _strings(text: str) -> list[str] | None:
    """Every string of an answer that is JSON, perhaps in a fence; None where it is none."""
    if len(text) > _JSON_LIMIT:
        return None
    fenced = _FENCED.fullmatch(text)
    text = fenced[1] if fenced else text.strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        waiting = [msgspec.json.decode(text.encode("utf-8", "replace"))]
    except (msgspec.DecodeError, RecursionError):
        return None
    found: list[str] = []
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
    return found


def looped_share(records: str) -> float:
    """The share of the words that repeat the words before them, block by block and exactly, many times in a row.

    Blocks that hold numbers alone may be data.
    """
    words = plain(records).split()
    lags = _lags(words)
    return max((_covered(words, lag) for lag in lags), default=0) / max(1, len(words))


def _lags(words: list[bytes]) -> list[int]:
    """How far before them most runs of four words occurred last."""
    last: dict[tuple[bytes, ...], int] = {}
    lags: Counter[int] = Counter()
    for place in range(len(words) - _RUN + 1):
        run = tuple(words[place : place + _RUN])
        if run in last:
            lags[place - last[run]] += 1
        last[run] = place
    return [lag for lag, _ in lags.most_common(_LAGS)]


def _covered(words: list[bytes], lag: int) -> int:
    """How many words are in stretches that equal the words so far before them, long enough to be a loop."""
    breaks = [lag - 1, *(at for at in range(lag, len(words)) if words[at] != words[at - lag]), len(words)]
    return sum(
        after - before - 1 + lag
        for before, after in pairwise(breaks)
        if after - before - 1 >= lag * (_TIMES - 1) and not _is_data(words[before + 1 : before + 1 + lag])
    )


def _is_data(block: list[bytes]) -> bool:
    return all(word.isdigit() or word in _VALUES for word in block)
