"""Calibration of the judge: has it score anchors at a steady rate, applies the gate, and exposes its measures.

Knows anchors, verdicts and gauges; the statistics are the judge package's, and the effect of verdicts on SLIs is not
handled here. Its state is stored, so that a restart loses no anchor's verdict and no decision.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from ..judge.agreement import Confusion, agreement, corrected
from ..judge.anchors import Anchor, Cursor, due
from ..judge.bias import length_association, own_family, own_family_gap
from ..judge.case import Judgement
from ..judge.drift import diagnose, score_drift
from ..judge.gate import GateDecision, Roles, ScoredAnchor, Version, decide, fallen
from ..judge.measures import measures, scored
from ..judge.queue import Job
from ..judge.rubric import Rubric
from ..metrics.registry import Metrics
from ..model.score import Verdict
from ..recording.unit_of_work import Recorder
from ..records.judge import AnchorVerdicts, Judge, LiveTraffic, LiveVerdict
from . import gauges
from .history import KnownJudge, known, moved, next_of, passed
from .online import OnlineJudge

_FASTER: Final = 10
"""How many times as many anchors are asked while production moves."""
_BURST: Final = 60
"""Anchors that are asked so."""
_EVERY: Final = 1.0
_SHOW_EVERY: Final = 15.0

_log = logging.getLogger(__name__)


class Calibration:
    """Schedules anchors, applies the gate, and exposes measures. ``now`` is Unix seconds."""

    def __init__(
        self,
        judging: OnlineJudge,
        recorder: Recorder,
        metrics: Metrics,
        anchors: Iterable[Anchor] = (),
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._anchors = _keyed(anchors)
        self.decisions: dict[Judge, GateDecision] = {}
        """The gate's last word on each version that was not admitted yet."""
        self._judging = judging
        self._recorder = recorder
        self._metrics = metrics
        self._now = now
        self._said: dict[Judge, dict[str, AnchorVerdicts]] = {}
        self._cursors: dict[str, Cursor] = {}
        self._traffic: dict[Judge, LiveTraffic] = {}
        self._reviewed: dict[Judge, Confusion] = {}
        self._asked: set[bytes] = set()
        self._hurried: dict[Judge, int] = {}
        """Anchors that are still to be asked faster, of judges whose verdicts on production moved."""
        self._fallen: set[Judge] = set()
        """Admitted versions that fell below the gate."""
        self._unshown: set[Judge] = set()

    def configure(self, anchors: Iterable[Anchor]) -> None:
        """Use these anchors; versions that gave no verdict are asked again, because the cause may be gone."""
        self._anchors = _keyed(anchors)
        for said in self._said.values():
            for key in [key for key, one in said.items() if one.last.judge is None]:
                del said[key]
        self._unshown |= {*self._said, *self._traffic, *self._reviewed, *self._versions()}

    async def recover(self) -> None:
        """Load the state of an earlier run; raises StoreError."""
        for (evaluator, version, anchor), verdicts in await self._recorder.judge_anchors.all():
            if not verdicts.at:  # kept by an earlier llmq, which noted no times: from now on it ages
                verdicts = msgspec.structs.replace(verdicts, at=self._now())  # noqa: PLW2901
                self._recorder.judge_anchors.put((evaluator, version, anchor), verdicts)
            self._said.setdefault((evaluator, version), {})[anchor] = verdicts
        self._cursors = dict(await self._recorder.judge_drips.all())
        self._traffic = dict(await self._recorder.judge_traffic.all())
        self._reviewed = dict(await self._recorder.judge_reviews.all())
        self._unshown |= {*self._said, *self._traffic, *self._reviewed, *self._versions()}

    async def run(self) -> None:
        """Schedule anchors, decide and expose measures until cancelled."""
        show_at = 0.0
        while True:
            self.drip()
            if self._now() >= show_at:
                show_at = self._now() + _SHOW_EVERY
                self.show()
            await asyncio.sleep(_EVERY)

    # What is asked.

    def drip(self) -> None:
        """Queue the anchors that are due: a few an hour for the active version, all at once for a candidate.

        Anchors without a verdict of the candidate are retried, a few an hour; so are all anchors of a version that was
        demoted.
        """
        for rubric in self._judging.settings.rubrics:
            mine = self._for(rubric)
            roles = self._judging.bench.roles(rubric.name)
            if roles.acting is not None:
                self._drip_acting(rubric.name, roles.acting, mine)
            if roles.shadow is not None:
                said = self._said.get((rubric.name, roles.shadow.version), {})
                for key, anchor in mine.items():
                    if key not in said:
                        self._ask(roles.shadow, key, anchor)
                unanswered = {key: one for key, one in mine.items() if key in said and said[key].last.judge is None}
                is_fallen = self._is_fallen((rubric.name, roles.shadow.version))
                self._drip(f"{rubric.name} again", roles.shadow, unanswered or (mine if is_fallen else {}))
                self._decide(rubric.name)

    def _for(self, rubric: Rubric) -> dict[str, Anchor]:
        """The anchors of a rubric, by their keys."""
        some = self._anchors.items()
        return {key: one for key, one in some if one.evaluator == rubric.name and rubric.applies_to(one.case())}

    def _drip(self, name: str, version: Version, anchors: Mapping[str, Anchor], faster: int = 1) -> str | None:
        """Queue the anchor that is due, if there is one, and return its key; ``name`` is that of the schedule.

        Of anchors that were asked before, the most informative one comes first.
        """
        per_hour = self._judging.settings.anchors.per_hour * faster
        key, after = due(anchors, self._cursors.get(name, Cursor()), self._now(), per_hour)
        if key is None:
            return None
        said = self._said.get((anchors[key].evaluator, version.version), {})
        if all(one in said for one in anchors):
            key = next_of({one: said[one] for one in anchors})
        self._cursors[name] = after
        self._recorder.judge_drips.put(name, after)
        self._ask(version, key, anchors[key])
        return key

    def _drip_acting(self, evaluator: str, version: Version, anchors: Mapping[str, Anchor]) -> None:
        """Ask the active version, faster for a while after its pass rate in production moved: was it the judge?"""
        judge = (evaluator, version.version)
        is_hurried = self._hurried.get(judge, 0) > 0
        if self._drip(evaluator, version, anchors, _FASTER if is_hurried else 1) and is_hurried:
            self._hurried[judge] -= 1

    def _hurry(self, judge: Judge, traffic: LiveTraffic) -> None:
        """Detect that the pass rate in production moved; once until it is stable again."""
        if not moved(traffic):
            self._hurried.pop(judge, None)
        elif judge not in self._hurried:
            self._hurried[judge] = _BURST
            self._cursors.pop(judge[0], None)
            _log.info("anchors asked faster, for verdicts on production moved: evaluator=%s version=%s", *judge)

    def _ask(self, version: Version, key: str, anchor: Anchor) -> None:
        now = self._now()
        job = Job(
            trace_id=f"anchor {key}",
            evaluator=anchor.evaluator,
            version=version.version,
            role="anchor",
            sample="random",
            where=("", "", "", ""),
            case=anchor.case(),
            created_at=now,
            due_at=now,
        )
        if job.key not in self._asked and not self._judging.queue.is_full:
            self._asked.add(job.key)
            self._judging.queue.put(job)
            self._judging.worker.wake()

    # What was said.

    def observe(self, job: Job, judgement: Judgement | None) -> None:
        """Record a judgement, by the active version or a shadow."""
        judge = (job.evaluator, job.version)
        if job.role == "anchor":
            self._asked.discard(job.key)
            self._take_anchor(judge, job, judgement)
        elif judgement is not None and job.role != "repeat" and job.sample != "targeted":
            self._take_traffic(judge, job, judgement)

    def reviewed(self, judge: Judge, said: Verdict, human: Verdict) -> None:
        """Record a human label of a case that the judge had judged."""
        self._recorder.tally.judge_compared(judge, (said, human), "review")
        before = self._reviewed.get(judge, Confusion())
        name = f"{said}_{human}"
        after = msgspec.structs.replace(before, **{name: getattr(before, name) + 1})
        self._reviewed[judge] = after
        self._recorder.judge_reviews.put(judge, after)
        self._unshown.add(judge)

    def _take_anchor(self, judge: Judge, job: Job, judgement: Judgement | None) -> None:
        key = job.trace_id.removeprefix("anchor ")
        version = self._judging.bench.versions.get(judge)
        anchor = self._anchors.get(key)
        if version is None or anchor is None:
            return
        now = scored(anchor, version.rubric.pass_mark, judgement)
        found = self._said.setdefault(judge, {})
        before = found.setdefault(key, AnchorVerdicts(now, now))  # keep the last verdict where the judge gives none now
        if now.judge is not None:
            self._recorder.tally.judge_compared(judge, (now.judge, now.human), "anchor")
            first = before.first if before.first.judge is not None else now
            found[key] = AnchorVerdicts(first, now, self._now())
            self._recorder.judge_anchors.put((*judge, key), found[key])
        self._unshown.add(judge)
        self._decide(judge[0])
        self._hold(judge)

    def _take_traffic(self, judge: Judge, job: Job, judgement: Judgement) -> None:
        version = self._judging.bench.versions.get(judge)
        family = own_family(version.model, job.case.model) if version else None
        traffic = self._traffic.setdefault(judge, LiveTraffic())
        traffic.add(LiveVerdict(judgement.score, judgement.verdict, len(job.case.answer), family), self._now())
        self._unshown.add(judge)

    # What is decided.

    def _decide(self, evaluator: str) -> None:
        roles = self._judging.bench.roles(evaluator)
        if roles.shadow is None:
            return
        judge = (evaluator, roles.shadow.version)
        said, anchors = self._last(judge), len(self._for(roles.shadow.rubric))
        before = self._last((evaluator, roles.acting.version)) if roles.acting else []
        decision = decide(roles.shadow.version, said, anchors, self._judging.settings.gate, before)
        known = self.decisions.get(judge)
        tried = len(said) >= anchors
        if tried and not decision.open and (known is None or known.reasons != decision.reasons):
            _log.info("judge not admitted: evaluator=%s version=%s: %s", *judge, "; ".join(decision.reasons))
        self.decisions[judge] = decision
        self._unshown.add(judge)
        if decision.open:
            _log.info("judge admitted: evaluator=%s version=%s", evaluator, roles.shadow.version)
            self._fallen.discard(judge)
            self._unshown |= self._versions()
            standing = self._judging.bench.admit(evaluator)
            self._recorder.judge_standings.put(evaluator, standing)

    def _hold(self, judge: Judge) -> None:
        """If an active version is surely below the gate, raise the gauge, and shadow it where the config says so."""
        acting = self._judging.bench.roles(judge[0]).acting
        if acting is None or acting.version != judge[1]:
            return
        gate = self._judging.settings.gate
        reasons = fallen(agreement(self._known(judge).evidence.confusion, gate.confidence), gate)
        if not reasons:
            self._fallen.discard(judge)
        elif judge not in self._fallen:
            self._fallen.add(judge)
            _log.error("judge fell below its gate: evaluator=%s version=%s: %s", *judge, "; ".join(reasons))
            if gate.fallen == "shadow":
                self._dismiss(judge)

    def _is_fallen(self, judge: Judge) -> bool:
        return judge in self._fallen or judge[1] in self._judging.bench.standings[judge[0]].fallen

    def _dismiss(self, judge: Judge) -> None:
        """Demote a version and drop its verdicts on anchors: it is asked about all of them again."""
        standing = self._judging.bench.dismiss(judge[0])
        self._recorder.judge_standings.put(judge[0], standing)
        for key in self._said.pop(judge, {}):
            self._recorder.judge_anchors.drop((*judge, key))
        self._unshown |= {judge, *self._versions()}

    def _known(self, judge: Judge) -> KnownJudge:
        """What the current anchors say of a judge now."""
        said = {key: one for key, one in self._said.get(judge, {}).items() if key in self._anchors}
        shadow = self._judging.bench.roles(judge[0]).shadow
        is_shadow = shadow is not None and shadow.version == judge[1]
        return known(said, self._traffic.get(judge) or LiveTraffic(), self._now(), all_count=is_shadow)

    def _last(self, judge: Judge) -> list[ScoredAnchor]:
        """The last verdict of a version on each current anchor."""
        said = self._said.get(judge, {})
        return [said[key].last for key in self._anchors if key in said]

    # What is shown.

    def show(self) -> None:
        """Expose changed measures, and store the verdicts on live traffic."""
        shut = {(name, now.shadow.version) for name, now in self._roles() if now.shadow is not None}
        asked = self._versions()
        for judge in self._unshown - asked:
            gauges.show_nothing(self._metrics, judge)
        for judge in asked:
            stopped = self._judging.worker.errors.stopped(judge)
            reason = stopped.stop if stopped else None
            gauges.show_state(self._metrics, judge, reason, self._judging.replied.get(judge, ""))
        for judge in self._unshown & asked:
            gauges.show_gate(self._metrics, judge, is_open=judge not in shut)
            gauges.show_fallen(self._metrics, judge, is_fallen=self._is_fallen(judge))
            self._show_anchors(judge)
            if judge in self._reviewed:
                gauges.show_agreement(self._metrics, judge, "review", agreement(self._reviewed[judge]))
            if judge in self._traffic:
                self._show_traffic(judge, self._traffic[judge])
        self._unshown.clear()

    def _show_anchors(self, judge: Judge) -> None:
        version = self._judging.bench.versions.get(judge)
        said = self._said.get(judge, {})
        if version is not None and said:
            found = [(one, said[key].last) for key, one in self._anchors.items() if key in said]
            confusion = self._known(judge).evidence.confusion
            gauges.show_measures(self._metrics, judge, measures(found, version.model, confusion=confusion))

    def _show_traffic(self, judge: Judge, traffic: LiveTraffic) -> None:
        recent, reference = traffic.last(), traffic.reference
        known = [(one.own_family, one.verdict) for one in recent if one.own_family is not None]
        gauges.show_traffic(
            self._metrics,
            judge,
            length_association((one.length, one.score) for one in recent),
            own_family_gap(known),
        )
        drift = score_drift([one.score for one in reference], [one.score for one in recent])
        now = self._known(judge)
        judged, found = now.window.judged, now.evidence
        gauges.show_drift(self._metrics, judge, drift, diagnose(passed(reference), judged, found.shift), found.asked)
        gauges.show_rates(self._metrics, judge, judged, corrected(*judged, found.confusion))
        self._hurry(judge, traffic)
        self._recorder.judge_traffic.put(judge, traffic)

    def _roles(self) -> list[tuple[str, Roles]]:
        return [(rubric.name, self._judging.bench.roles(rubric.name)) for rubric in self._judging.settings.rubrics]

    def _versions(self) -> set[Judge]:
        """The versions that are asked now."""
        return {
            (name, version.version)
            for name, now in self._roles()
            for version in (now.acting, now.shadow)
            if version is not None
        }


def _keyed(anchors: Iterable[Anchor]) -> dict[str, Anchor]:
    """Anchors by their keys, which take a hash each."""
    return {one.key: one for one in anchors}
