"""Do cited documents exist and support the sentence that cites them: `citation`; opens no address."""

import re
from collections.abc import Iterator, Sequence

from ..score import Score
from ..trace import Document, Trace
from .grounding import SOURCES, judged
from .registry import evaluator
from .words import ANSWER_LIMIT, read

_MOST = 200

# [1] [1, 2] [^1] but not a[1], [1](link) or [1]: definition
_NUMBERS = r"(?<![\w\]])\[\^?(?P<numbers>\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?![(:])"
# [doc-12] [source 3]: letters and a number, so that [Name] in a letter's template is no citation
_ID = r"(?<![\w\]])\[(?P<id>[A-Za-z][\w.:/-]{0,80}[-_:./ ]?\d[\w.:/-]{0,40})\](?![(:])"
_NAMED = r"\((?i:source|ref|doc|document|see)s?:?\s+(?P<named>[\w.:/-]{1,120})\)"
_BRACKET = r"【(?P<bracket>\d{1,3})[^】\n]{0,80}】"
_CITATION = re.compile("|".join((_NUMBERS, _ID, _NAMED, _BRACKET)))
_BREAK = re.compile(r"(?<=[.!?。])\s+(?![\[(【])|\n+")


@evaluator("citation", version="1")
def citation(trace: Trace) -> Score | None:
    """Cited ids exist among the documents, and that document supports the citing sentence: the worst one counts."""
    text = trace.answer or ""
    if not trace.context or not ("[" in text or "(" in text or "【" in text):
        return None
    documents = {one.id.lower(): one for one in trace.context if one.id}
    total, missing, weak = 0, 0, []
    worst = 1.0
    for sentence, cited in _citations(text[:ANSWER_LIMIT]):
        total += 1
        document = _document(cited, documents, trace.context)
        if document is None:
            missing += 1
            continue
        value = judged(read(sentence), SOURCES.ready([document.text]))
        worst = min(worst, value)
        if value < 0.5:
            weak.append(sentence[:300])
    if not total:
        return None
    if missing:
        return Score(0.0, False, f"{missing} of {total} citations name no document that was retrieved")
    if weak:
        note = f"{len(weak)} of {total} citations: the document does not support the sentence"
        return Score(worst, explanation=note, quotes=tuple(dict.fromkeys(weak))[:3])
    return Score(worst)


def _citations(text: str) -> Iterator[tuple[str, str]]:
    """Each citing sentence without its marks, with one id that it cites; at most _MOST."""
    count = 0
    for sentence in _BREAK.split(text):
        bare = None
        for found in _CITATION.finditer(sentence):
            for cited in re.split(r"\s*[,;]\s*", found.group(found.lastgroup or 0)):
                bare = bare if bare is not None else _CITATION.sub(" ", sentence).strip()
                yield bare, cited
                count += 1
                if count >= _MOST:
                    return


def _document(cited: str, documents: dict[str, Document], context: Sequence[Document]) -> Document | None:
    """The document by its id, else by its place counted from 1."""
    found = documents.get(cited.lower())
    if found is None and cited.isdigit() and 1 <= int(cited) <= len(context):
        return context[int(cited) - 1]
    return found
