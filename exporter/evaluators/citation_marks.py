"""Citation marks: what in an answer is one, which sentence it belongs to, and which document it names; judges nothing.

A number names a document by its place, counted from 1, unless a document has it as its id. Anything else in brackets
is a mark where it names a document's id, or has the form of their ids (``kb-99`` beside ``kb-11``). Code, JSON, list
numbers, indices, intervals and links to elsewhere are none.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

import re2
from msgspec import Struct

MOST_MARKS = 100
"""Marks of one answer that are looked at."""

_LONGEST_RANGE = 50
_PLACE_WORD = (
    r"(?:doc(?:ument)?s?|sources?|refs?|references?|passages?|chunks?|contexts?|snippets?|results?|citations?|cites?|"
    r"excerpts?|quellen?|dokumente?|fuentes?|documentos?|fontes?|fonti|bronn?(?:en)?|"
    r"источник(?:и)?|документ(?:ы)?|مصدر|مستند|स्रोत|文档|文件|文献|来源|來源|资料|資料|参考|參考|出典|文書|출처|문서)"
)
_NAMED_PLACE = re.compile(rf"{_PLACE_WORD}[\s.:#№_-]{{0,3}}(\d{{1,3}})", re.IGNORECASE)
_BARE = re.compile(r"\^?(\d{1,3})")
_RANGE = re.compile(r"\^?(\d{1,3})\s?[-\u2010-\u2014]\s?\^?(\d{1,3})")
_SEPARATOR = re.compile(r"\s*[,;&、，；]\s*|\s+(?:and|und|et|y|e|en|и)\s+")

_CODE = re.compile(r"(?m)^ {0,3}(`{3,}|~{3,})[^\n]*(?:\n(?! {0,3}\1)[^\n]*)*(?:\n {0,3}\1[^\n]*)?|`[^`\n]+`")
_MARK = re.compile(
    r"""(?P<image>!?)\[(?P<label>[^\[\]\n]{1,200})\]\((?P<target>[^()\s]{1,500})(?:\s[^()\n]{0,200})?\)  # a link
    | \[\[(?P<double>[^\[\]\n]{1,200})\]\](?:\([^()\s]{1,500}\))?
    | [\[［〔](?P<bracket>[^\[\]［］〔〕\n]{1,200})[\]］〕]
    | 【(?P<lens>[^【】\n]{1,120})】
    | [(（](?:(?i:ref|reference|see)s?
        |(?P<word>(?i:source|doc|document|quelle|fuente|fonte|bron|источник|来源|來源|出典|출처)s?))
      [:：.]?\s?(?P<round>[^()（）\[\]【\n]{1,120})[)）]
    | (?P<raised>[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]{1,3})
    | <sup>(?P<sup>[\d,;\s]{1,20})</sup>""",
    re.VERBOSE,
)
_STARTS = re2.compile(
    "[\\[［〔【\u00b9\u00b2\u00b3\u2070\u2074-\u2079]|<sup>"
    "|[(（](?i:ref|see|source|doc|quelle|fuente|fonte|bron|источник|来源|來源|出典|출처)"
)
"""With what each mark begins."""
_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789")
_FILE_SEARCH = re.compile(r"\d{1,3}:(\d{1,3})(?:†.*)?")
_BROWSED = re.compile(r"(\d{1,3})†(.*)")
_END = re.compile(r"[.!?][\"'”’)]*(?=\s)|[。！？।؟][\"'”’」』）]*|\n+")
_LETTER = re.compile(r"[^\W\d_]+\Z")
_WORD_BEFORE = re.compile(r"([A-Za-z_À-ɏ][\wÀ-ɏ]{0,40})\s?\Z")
_DIGITS = re.compile(r"\d+")
_SCHEME = re.compile(r"[a-z]{2,10}://(?:www\.)?")
_QUERY = re.compile(r"[?#]")
_CODE_AFTER = re.compile(r"\s?[=+]|\.[a-z_]")
_HEX = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,64}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INDEXED = _words(
    """a arg args argv arr array b block buf buffer byte bytes c cell cells char chars cols column columns coords data
    df dict elements entries fields files grid i idx ids index indices input items j k key keys line lines list lst map
    matrix n names node nodes num nums numbers obj object objects output params parts path points ptr queue records
    response result results row rows s set stack str string strings table temp text tmp tokens tuple user users val
    value values var vec vector vectors words x xs y ys z"""
)
"""Words before a bracket that make it an index."""
_LISTING = _words("between ci domain interval range return returns set tuple list array vector")
"""Words before a bracket that make it an interval or a list."""
_UNITS = _words("ft in km cm mm dm nm mi yd sq mol kg sec feet inch meter metre mile yard")
"""Words that have powers."""


class Cited(Struct, frozen=True, gc=False):
    """A sentence without its marks, and the place (from 0) of one document that it cites; None where there is none."""

    sentence: str
    place: int | None


class _Found(Struct, frozen=True, gc=False):
    """A mark: where it begins in the text without marks, the places that it names, and how sure it is to be a mark."""

    at: int
    places: tuple[int | None, ...]
    kind: Literal["single", "list", "raised", "note"]
    number: str = ""


class _Names:
    """The ids of the documents, and what is written like one."""

    def __init__(self, ids: Sequence[str | None]) -> None:
        self.count = len(ids)
        self._places: dict[str, int] = {}
        self._files: dict[str, int] = {}
        for place, name in enumerate(ids):
            if name:
                self._places.setdefault(_bare(name), place)
                self._files.setdefault(_file(name), place)
        self._shapes = {_shape(name) for name in self._places if not name.isdigit()}

    def of(self, name: str) -> int | None:
        """The place of the document with this id: an address without its scheme, a file without its folders too."""
        bare = _bare(name)
        if (place := self._places.get(bare)) is not None:
            return place
        return self._places.get(_file(name)) if "/" in bare else self._files.get(bare)

    def by_place(self, number: str) -> int | None:
        """The place that a number names: the document with this id, else the one at this place."""
        known = self._places.get(number)
        if known is not None or not 1 <= int(number) <= self.count:
            return known
        return int(number) - 1

    def alike(self, name: str) -> bool:
        """Whether a name has the form of the documents' ids: their letters, with other digits."""
        shape = _shape(_bare(name))
        return shape in self._shapes and "#" in shape


def cited(text: str, ids: Sequence[str | None]) -> list[Cited]:
    """Each citing sentence of an answer with each document that it cites; ``ids`` are those of the documents."""
    if not _may_cite(text):
        return []
    names = _Names(ids)
    bare, found = _marks(_CODE.sub(_blanked, text), names)
    found = _without_lists(_without_entries(found, bare, names))
    if not found:
        return []
    spans = _sentences(bare)
    starts = [start for start, _ in spans]
    pairs: list[Cited] = []
    for mark in found:
        start, end = spans[max(0, bisect_right(starts, _belongs_at(bare, mark.at)) - 1)]
        sentence = " ".join(bare[start:end].split())
        pairs += (Cited(sentence, place) for place in mark.places)
    return pairs[:MOST_MARKS]


def _may_cite(text: str) -> bool:
    """Whether anything in a text begins as a mark does."""
    if "[" not in text and "(" not in text and "<" not in text and text.isascii():
        return False
    return _STARTS.search(text.encode("utf-8", "replace")) is not None


def _blanked(code: re.Match[str]) -> str:
    return "\n" * code[0].count("\n") or " "


def _marks(text: str, names: _Names) -> tuple[str, list[_Found]]:
    """The text without its marks, and the marks."""
    pieces: list[str] = []
    found: list[_Found] = []
    length = done = 0
    code_ends = mark_ends = -1
    for match in _MARK.finditer(text):
        if len(found) == MOST_MARKS:
            break
        start, end = match.span()
        if match["bracket"] and start != mark_ends and (start == code_ends or _is_code(text, start, end)):
            code_ends = end
            continue
        mark = _read(match, text, names)
        if mark is None:
            continue
        mark_ends = end
        pieces.append(text[done : match.start()])
        length += len(pieces[-1])
        done = match.end()
        found.append(_Found(length, *mark))
    pieces.append(text[done:])
    return "".join(pieces), found


_Read = tuple[tuple[int | None, ...], Literal["single", "list", "raised", "note"], str]


def _read(match: re.Match[str], text: str, names: _Names) -> _Read | None:
    """What a mark names, or None where it is none."""
    kind, inside = match.lastgroup, (match[match.lastgroup or 0] or "").strip()
    if match["target"] is not None:
        return None if match["image"] else _link(match["label"].strip(), match["target"], names)
    if kind == "lens":
        return _lens(inside, names)
    if kind in ("raised", "sup"):
        return _raised(inside.translate(_RAISED), text[max(0, match.start() - 24) : match.start()], names)
    if kind == "round":
        return _round(inside, names, numbers=match["word"] is not None)
    return _bracket(inside, names)


def _link(label: str, target: str, names: _Names) -> _Read | None:
    place = names.of(target)
    if place is None:
        place = names.of(label)
    if place is None and target.startswith("#"):
        return _bracket(label, names)
    return None if place is None else ((place,), "single", "")


def _lens(inside: str, names: _Names) -> _Read | None:
    """【4:0†source】 of a file search: the message, and the place of the document from 0; 【2】 as [2]."""
    if match := _FILE_SEARCH.fullmatch(inside):
        listed = int(match[1])
        return (listed if listed < names.count else None,), "single", ""
    if match := _BROWSED.fullmatch(inside):
        place = names.of(match[2])
        if place is None:
            place = names.by_place(match[1])
        return None if place is None else ((place,), "single", "")
    return _bracket(inside, names)


def _raised(digits: str, before: str, names: _Names) -> _Read | None:
    """A superscript after a word or a sentence's end; after a digit, a unit or a variable it is a power."""
    stem = before.rstrip("\"'”’)*_")[-24:]
    word = _LETTER.search(stem)
    if word and word[0][-1] < "\u2e80" and (len(word[0]) < 4 or word[0].lower() in _UNITS):
        return None
    if not word and not stem.endswith((".", ",", ";", ":", "!", "?", "。", "，", "」")):
        return None
    numbers = _DIGITS.findall(digits)
    places = [names.by_place(number) for number in numbers]
    if None in places and len(numbers) == 1:
        apart = [names.by_place(digit) for digit in numbers[0]]
        places = places if None in apart else apart
    return tuple(places), "raised", ""


def _round(inside: str, names: _Names, *, numbers: bool) -> _Read | None:
    """(see kb-11), or (source: 2) where ``numbers`` alone may be meant: what names a document, or looks like an id."""
    return _named(_SEPARATOR.split(inside), names, numbers=numbers)


def _bracket(inside: str, names: _Names) -> _Read | None:
    place = names.of(inside)
    if place is not None:
        return (place,), "single", ""
    parts = _SEPARATOR.split(inside)
    if all(_BARE.fullmatch(part) or _RANGE.fullmatch(part) for part in parts):
        return _numbers(parts, names)
    return _named(parts, names, numbers=False)


def _named(parts: Sequence[str], names: _Names, *, numbers: bool) -> _Read | None:
    """What ids, and numbers after a word such as "Source", name; numbers alone too where ``numbers`` says so."""
    places: list[int | None] = []
    for part in parts:
        if (place := names.of(part)) is not None or names.alike(part):
            places.append(place)
        elif match := _NAMED_PLACE.fullmatch(part):
            numbers = True
            places.append(names.by_place(match[1]))
        elif numbers and (match := _BARE.fullmatch(part)):
            places.append(names.by_place(match[1]))
    return (tuple(places), "single", "") if places else None


def _numbers(parts: Sequence[str], names: _Names) -> _Read | None:
    numbers: list[str] = []
    for part in parts:
        if match := _RANGE.fullmatch(part):
            low, high = int(match[1]), int(match[2])
            if not 0 < low < high <= low + _LONGEST_RANGE:
                return None
            numbers += map(str, range(low, high + 1))
        else:
            numbers.append(part.removeprefix("^"))
    if len(numbers) == 1:
        kind: Literal["note", "single"] = "note" if parts[0].startswith("^") else "single"
        return (names.by_place(numbers[0]),), kind, numbers[0]
    if "0" in numbers and names.of("0") is None:
        return None
    return tuple(names.by_place(number) for number in numbers), "list", ""


def _is_code(text: str, start: int, end: int) -> bool:
    """Whether brackets are a list, an index, an interval or a call's argument."""
    before, inside, after = text[max(0, start - 48) : start], text[start + 1 : end - 1], text[end : end + 3]
    if before.endswith("[") or after.startswith("]") or (before.endswith("(") and before[-2:-1].isalnum()):
        return True
    if before.rstrip(" ").endswith(("=", '":', "':", "+", "∈", "<")) or _CODE_AFTER.match(after):
        return True
    word = _WORD_BEFORE.search(before)
    if word is None or not inside[:1].isdigit():
        return False
    if before[-1:].isspace():
        return word[1].lower() in _LISTING and "," in inside
    return _is_variable(word[1])


def _is_variable(word: str) -> bool:
    """Whether a word to which a number in brackets is attached is one of a program, as in ``rows[1]``."""
    name = word.lower()
    camel = word[1:] not in (name[1:], word[1:].upper())
    return len(name) < 2 or camel or name in _INDEXED or "_" in name or not name.isalpha()


def _without_entries(found: list[_Found], text: str, names: _Names) -> list[_Found]:
    """The marks less those that begin a line of a list of references, or number a list's items."""
    leading = [mark for mark in found if mark.number and _begins_line(text, mark.at)]
    if not leading:
        return found
    inline = {mark.number for mark in found if mark not in leading}
    entries = [mark for mark in leading if mark.number in inline or text[mark.at : mark.at + 1] == ":"]
    numbering = [mark.number for mark in leading] == [str(n) for n in range(1, len(leading) + 1)]
    if not inline and numbering and len(leading) > 1:
        return [mark for mark in found if mark not in leading]
    told = {mark.number: place for mark in entries if (place := _told(text, mark.at, names)) is not None}
    explained = {mark.number for mark in entries if mark.kind == "note"}
    kept = [mark for mark in found if mark not in entries]
    return [
        _Found(mark.at, (told[mark.number],), mark.kind, mark.number) if mark.number in told else mark
        for mark in kept
        if mark.number in told or mark.places != (None,) or mark.number not in explained
    ]


def _told(text: str, at: int, names: _Names) -> int | None:
    """The document that an entry of a list of references names."""
    line = text[at : at + 500].partition("\n")[0]
    return next((place for word in line.split() if (place := names.of(word.strip("():,.;<>\"'"))) is not None), None)


def _begins_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t>*-")


def _without_lists(found: list[_Found]) -> list[_Found]:
    """The marks less lists, large numbers and superscripts where nothing shows that documents are cited like that."""
    sure = any(mark.places != (None,) * len(mark.places) for mark in found)
    raised = any(None not in mark.places for mark in found if mark.kind == "raised")
    return [
        mark
        for mark in found
        if (mark.kind != "raised" or raised) and (sure or (mark.kind != "list" and len(mark.number) < 3))
    ]


def _sentences(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    for end in _END.finditer(text):
        if text[start : end.end()].strip():
            spans.append((start, end.end()))
            start = end.end()
    if text[start:].strip() or not spans:
        spans.append((start, len(text)))
    return spans


def _belongs_at(text: str, at: int) -> int:
    """A character of the sentence to which a mark belongs: the one before it, or after it where it begins a line."""
    before = text[:at].rstrip(" \t") if at < 2000 else text[at - 2000 : at].rstrip(" \t")
    offset = 0 if at < 2000 else at - 2000
    if not before or before.endswith("\n"):
        return at + len(text[at : at + 2000]) - len(text[at : at + 2000].lstrip())
    return offset + len(before) - 1


def _bare(name: str) -> str:
    """An id in lower case, without the scheme of an address and a slash at its end."""
    return _SCHEME.sub("", name.strip().lower()).rstrip("/")


def _file(name: str) -> str:
    """The last part of an address or a path, without its query."""
    return _QUERY.split(_bare(name))[0].rpartition("/")[2]


def _shape(name: str) -> str:
    return "hex#" if _HEX.fullmatch(name) else _DIGITS.sub("#", name)
