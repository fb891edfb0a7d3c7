"""The evaluator `citation`: do cited documents exist and support the sentence that cites them? Opens no address."""

from collections.abc import Sequence

from ..model.score import Score, Skipped
from ..model.trace import Document, Trace
from .citation_marks import cited
from .grounding import judged
from .languages import strange_to
from .registry import evaluator
from .sources import MOST_FACTS, reusable
from .words import ANSWER_LIMIT, CONTEXT_LIMIT, prose, read

_QUOTED = 3
_QUOTE_LENGTH = 300


@evaluator("citation", version="2")
def citation(trace: Trace) -> Score | Skipped | None:
    """Cited ids exist among the documents, and that document supports the citing sentence: the worst one counts."""
    if not trace.context or not trace.answer:
        return None
    pairs = cited(prose(trace.answer)[:ANSWER_LIMIT], [one.id for one in trace.context])
    if not pairs:
        return None
    missing = sum(one.place is None for one in pairs)
    if missing:
        return Score(0.0, False, f"{missing} of {len(pairs)} citations name no document that was retrieved")
    cited_by = [(one.sentence, one.place) for one in pairs if one.place is not None and trace.context[one.place].text]
    return _supported(cited_by, trace.context) if cited_by else Skipped("not_captured")


def _supported(cited_by: Sequence[tuple[str, int]], context: Sequence[Document]) -> Score | Skipped:
    places = {place for _, place in cited_by}
    room = CONTEXT_LIMIT // len(places)
    ready = {place: reusable(context[place].text[:room], MOST_FACTS // len(places)) for place in places}
    readings = {sentence: read(sentence) for sentence, _ in cited_by}
    values = {
        (sentence, place): judged(readings[sentence], ready[place]) for sentence, place in dict.fromkeys(cited_by)
    }
    worst = min(values.values())
    weak = sorted((value, sentence) for (sentence, _), value in values.items() if value < 0.5)
    if not weak:
        return Score(worst)
    if strange_to(" ".join(readings), [context[place].text for place in places]):
        return Skipped("language")
    note = f"{len(weak)} of {len(values)} citing sentences are not supported by the document that they cite"
    if any(len(context[place].text) > room for place in places):
        note += f"; looked at the first {room} characters of each document"
    return Score(worst, None, note, tuple([sentence[:_QUOTE_LENGTH] for _, sentence in weak[:_QUOTED]]))
