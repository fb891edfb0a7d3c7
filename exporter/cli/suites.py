"""The commands about offline suites and what feeds them: ``llmq eval``, ``llmq offline push``, ``llmq review``."""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from ..config import load
from ..config.specs import only
from ..evaluators import installed
from ..model.score import Outcome
from ..model.trace import UNKNOWN
from ..offline import dataset, readers
from ..offline.application import KEY, Ask, NoAnswerError, command, endpoint
from ..offline.client import DEFAULT_URL, TOKEN, ExchangeError, LlmqClient
from ..offline.expected import NAME as EXPECTED
from ..offline.expected import VERSION as EXPECTED_VERSION
from ..offline.expected import judged
from ..offline.push import Of, results, steady
from ..offline.readers.run import NotReadableError, RunCounts, RunTally, SuiteRun
from ..offline.report import Summary
from ..offline.result import MOST_RESULTS, OfflineResult, encoded
from ..review import export
from ..review import status as review_status
from ..runtime.os_errors import why
from .console import OK, PROBLEM, USAGE, complain, opened, say, with_progress

_PATH = "/v1/offline-results"


def add_eval(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmq eval``, without --config."""
    parser.add_argument(
        "--evaluators",
        metavar="A,B",
        help="which ones run (default: those that the config enables, and expected, which reads what a row expects)",
    )
    again = parser.add_argument_group("asking the application again, instead of scoring the rows' answers")
    again.add_argument("--endpoint", metavar="URL", help=f"OpenAI-compatible, such as http://HOST/v1; key in {KEY}")
    again.add_argument("--model", metavar="NAME", default="", help="the model, or what the endpoint wants as one")
    again.add_argument(
        "--command", metavar="CMD", dest="application", help="reads a row as JSON, prints the answer; run for each row"
    )
    again.add_argument("--timeout", metavar="S", type=float, default=120.0, help="for an answer (default: %(default)s)")
    again.add_argument("--at-once", metavar="N", type=int, default=4, help="asked at once (default: %(default)s)")
    parser.add_argument("--output", metavar="FILE", default="-", help="where the scores go (default: -, here)")
    parser.add_argument("--push", metavar="URL", help="then push the counts to this llmq, as an offline result")
    _add_version(parser, "the rows'")
    parser.add_argument("file", metavar="FILE.jsonl", help="rows {id, input, context, output, …}; - reads them here")


def add_offline(parser: argparse.ArgumentParser) -> None:
    """Add ``llmq offline push``."""
    push = _sub(_actions(parser), "push", "push result files of promptfoo, Inspect, DeepEval, Ragas, or JUnit reports")
    push.add_argument("--to", metavar="URL", default=DEFAULT_URL, help="which llmq (default: %(default)s)")
    push.add_argument("--format", choices=readers.FORMATS, help="(default: what the file looks like)")
    push.add_argument(
        "--pass-mark", metavar="N", type=_mark, default=0.5, help="for scores without verdicts (default: %(default)s)"
    )
    push.add_argument(
        "--scores",
        metavar="NAME:MARK,…",
        type=_marks,
        default={},
        help="columns or scorers that are scores on a scale of their own, and from where on they pass",
    )
    _add_version(push, "needed")
    push.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="JSON, JSONL, CSV or XML, as the tool wrote it"
    )


def add_review(parser: argparse.ArgumentParser) -> None:
    """Add ``llmq review status`` and ``llmq review export``."""
    actions = _actions(parser)
    status = _sub(actions, "status", "say what waits for people, by reason")
    status.add_argument("--from", dest="source", metavar="URL", default=DEFAULT_URL, help="which llmq (%(default)s)")
    status.add_argument("--json", action="store_true", help="as GET /api/review answers")
    take = _sub(actions, "export", "write what people reviewed, each case once, in the form that a tool reads")
    take.add_argument("--from", dest="source", metavar="URL", default=DEFAULT_URL, help="which llmq (%(default)s)")
    take.add_argument("--format", choices=tuple(export.FORMATS), default="jsonl", help="(default: %(default)s)")
    take.add_argument("--app", metavar="NAME", help="only the cases of this app")
    take.add_argument("--output", metavar="FILE", default="-", help="where to (default: -, here)")


def _actions(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    return parser.add_subparsers(dest="action", metavar="ACTION", required=True)


def _sub(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str
) -> argparse.ArgumentParser:
    token = f"A server with tokens needs one in the environment variable {TOKEN}."
    return actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {token}")


def _add_version(parser: argparse.ArgumentParser, app: str) -> None:
    parser.add_argument(
        "--app", metavar="NAME", required=app == "needed", default="", help=f"as traces name it ({app})"
    )
    parser.add_argument(
        "--suite", metavar="NAME", default="", help="(default: as the file says, or its name without times)"
    )
    parser.add_argument("--model-version", metavar="NAME", default="", help="as traces name it")
    parser.add_argument("--prompt-version", metavar="NAME", default="", help="as traces name it")
    parser.add_argument(
        "--run-id", metavar="ID", default="", help="the same id counts once (default: as the file says)"
    )
    parser.add_argument(
        "--no-questions",
        action="store_true",
        help="send no signatures of the questions: what the suite misses is not told",
    )


def _mark(text: str) -> float:
    try:
        mark = float(text)
    except ValueError:
        mark = -1.0
    if not 0.0 <= mark <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return mark


def _marks(text: str) -> dict[str, float]:
    marks: dict[str, float] = {}
    for one in text.split(","):
        name, _, mark = one.rpartition(":")
        try:
            marks[name.strip()] = float(mark)
        except ValueError:
            name = ""
        if not name.strip():
            raise argparse.ArgumentTypeError(f"{one} is not NAME:MARK, such as answer_score:3")
    return marks


# llmq eval


class _Counts:
    """What is pushed of a data set: verdicts by app, and the questions."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._tallies: dict[str, RunTally] = {}
        self._questions: dict[str, dict[str, None]] = {}

    def add(self, case: dataset.SuiteCase, outcome: Outcome) -> None:
        app = self._app or case.trace.app
        tally = self._tallies.setdefault(app, RunTally())
        for one in outcome.evaluations:
            tally.add(one.evaluator, one.evaluator_version, passed=one.verdict == "pass", score=one.score)
        if case.trace.question:
            self._questions.setdefault(app, {})[case.trace.question] = None

    def runs(self) -> Iterable[tuple[str, SuiteRun]]:
        for app, tally in self._tallies.items():
            counted: tuple[RunCounts, ...] = tally.counted()
            if counted:
                yield app, SuiteRun(tool="llmq", counted=counted, questions=tuple(self._questions.get(app, ())))


def evaluate(options: argparse.Namespace) -> int:
    """Run ``llmq eval``."""
    if options.output != "-" and Path(options.output).absolute() == Path(options.file).absolute():
        return complain("llmq eval: --output would overwrite the rows", USAGE)
    try:
        ask = _application(options)
    except NoAnswerError as error:
        return complain(f"llmq eval: {error}", USAGE)
    registry = installed()
    config = load(options.config)
    specs = config.evaluators
    names = [EXPECTED] if options.evaluators is None else options.evaluators.split(",")
    if options.evaluators is not None:
        specs = only([name for name in names if name.strip() != EXPECTED], specs, registry)
    panel = config.panel(registry, only=specs)
    versions = {name: panel.versions[name][0] for name, spec in specs.items() if spec.enabled}
    if reads_expected := EXPECTED in map(str.strip, names):
        versions[EXPECTED] = EXPECTED_VERSION
    summary, counts = Summary(), _Counts(options.app)
    code = OK
    with (
        opened(options.file, "rb", sys.stdin.buffer) as rows,
        opened(options.output, "wb", sys.stdout.buffer) as output,
    ):
        for case in with_progress(dataset.cases(rows, ask, max(1, options.at_once)), "rows"):
            if isinstance(case, dataset.LineError):
                code = complain(f"{options.file}: {case}", PROBLEM)
                continue
            outcome = panel.evaluate(case.trace)
            if reads_expected and case.wanted:
                said = judged(case.trace.answer or case.trace.refusal or "", case.wanted)
                outcome = replace(outcome, evaluations=(*outcome.evaluations, said))
            summary.add(outcome)
            counts.add(case, outcome)
            output.write(dataset.encoded(dataset.results(case, outcome, versions)))
    print(*summary.lines(), sep="\n", file=sys.stderr)
    return _push_counts(options, counts, code) if options.push else code


def _application(options: argparse.Namespace) -> Ask | None:
    if options.endpoint and options.application:
        raise NoAnswerError("give --endpoint or --command, not both")
    if options.application:
        return command(options.application, options.timeout)
    return endpoint(options.endpoint, options.model, options.timeout) if options.endpoint else None


def _push_counts(options: argparse.Namespace, counts: _Counts, code: int) -> int:
    if code != OK:
        return complain("llmq eval: not pushed: some rows could not be read", PROBLEM)
    run_id, now = options.run_id or uuid4().hex, time.time()
    name = "suite" if options.file == "-" else steady(Path(options.file).stem) or "suite"
    found: list[OfflineResult] = []
    for app, run in counts.runs():
        if app == UNKNOWN:
            return complain('llmq eval: not pushed: name the app by --app, or by "app" in each row', USAGE)
        found += results(run, _of(options, app, run_id), name=name, content=b"", changed_at=now)
    if not found:
        return complain("llmq eval: not pushed: no evaluator gave a verdict", PROBLEM)
    return _send(options.push, found, options.file, to_stderr=True)


def _of(options: argparse.Namespace, app: str, run_id: str) -> Of:
    return Of(
        app=app,
        suite=options.suite,
        model_version=options.model_version or getattr(options, "model", ""),
        prompt_version=options.prompt_version,
        run_id=run_id,
        questions=not options.no_questions,
    )


# llmq offline push


def push(options: argparse.Namespace) -> int:
    """Run ``llmq offline push``: every file that can be read is pushed, and the others are named."""
    codes = [_push_file(options, path) for path in options.files]
    return max(codes)


def _push_file(options: argparse.Namespace, path: Path) -> int:
    try:
        content = path.read_bytes()
        run = readers.read(content, pass_mark=options.pass_mark, tool=options.format, named=options.scores)
        of = _of(options, options.app, options.run_id)
        found = results(run, of, name=path.stem, content=content, changed_at=path.stat().st_mtime)
    except OSError as error:
        return complain(f"{path}: cannot be read: {why(error)}", PROBLEM)
    except NotReadableError as error:
        return complain(f"{path}: {error}", PROBLEM)
    return _send(options.to, found, str(path))


class _Taken(msgspec.Struct):
    newest: int
    duplicate: int
    older: int


def _send(url: str, found: list[OfflineResult], name: str, *, to_stderr: bool = False) -> int:
    if len(found) > MOST_RESULTS:
        return complain(f"{name}: {len(found)} results in one run; llmq takes {MOST_RESULTS}", PROBLEM)
    try:
        taken = msgspec.json.decode(LlmqClient(url).post(_PATH, encoded(found)), type=_Taken)
    except ExchangeError as error:
        return complain(f"{name}: not pushed: {error}", PROBLEM)
    except msgspec.DecodeError:
        return complain(f"{name}: {url} does not answer as llmq does: is it one of this version?", PROBLEM)
    line = f"{name}: {taken.newest} new, {taken.duplicate} known, {taken.older} older than what is known"
    if to_stderr:
        return complain(line, OK)
    say(line)
    return OK


# llmq review


def review(options: argparse.Namespace) -> int:
    """Run ``llmq review``."""
    return _status(options) if options.action == "status" else _export_reviewed(options)


def _status(options: argparse.Namespace) -> int:
    try:
        body = LlmqClient(options.source).get(review_status.PATH)
        found = review_status.read(body)
    except ExchangeError as error:
        return complain(f"llmq review status: {error}", PROBLEM)
    for line in [body.decode()] if options.json else review_status.lines(found):
        say(line)
    return OK


def _export_reviewed(options: argparse.Namespace) -> int:
    try:
        found = export.cases(LlmqClient(options.source).get("/api/review/reviewed"))
    except (ExchangeError, export.NotReviewedError) as error:
        return complain(f"llmq review export: {error}", PROBLEM)
    chosen = [one for one in found if options.app in (None, one.app)]
    with opened(options.output, "wb", sys.stdout.buffer) as output:
        output.writelines(export.FORMATS[options.format](chosen))
    complain(f"{len(chosen)} cases", OK)
    return OK
