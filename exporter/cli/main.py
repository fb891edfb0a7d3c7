"""The command line: the argument parser, and the output of most commands."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Struct

from .. import __version__, native
from ..config import Config, ConfigError, load
from ..config.cardinality import LIVE_VERSIONS, series_cost
from ..config.specs import UnknownEvaluatorError
from ..dashboards import files as board_files
from ..demo import arguments as demo_arguments
from ..evaluators import installed
from ..judge import recorded
from ..judge.anchors import AnchorsError, encoded
from ..judge.anchors import read as read_anchors
from ..judge.imported import Mapping, imported
from ..judge.recorded import NoJudgeError
from ..model.trace import Trace
from ..offline import arguments as calibration_arguments
from ..offline.calibrate import NotSetUpError, calibrated
from ..offline.calibration import calibrated_lines, inventory, recorded_lines
from ..offline.client import ExchangeError
from ..offline.forecast import forecast_lines
from ..offline.probe import probed
from ..offline.replay import CaptureError, Replay
from ..offline.report import Paint, Summary, alert_lines, evaluator_lines, table, trace_lines
from ..offline.trial import Trial, rubrics_listed
from ..recording.trace_document import document
from ..rules import files as rule_files
from ..rules.files import RuleSettings
from ..rules.folder import GeneratedKind, compared, differences, in_the_way, settle
from ..rules.rulefile import Form
from ..rules.slo import Slo
from ..runtime.log import configure
from ..runtime.os_errors import whose
from . import forget as forgetting
from . import judge as judging
from . import store as storing
from . import suites
from .console import OK, PROBLEM, USAGE, clear, complain, counter, say, with_progress

Render = Callable[[Sequence[Slo], RuleSettings], dict[str, str]]

_EXAMPLES = """examples:
  llmq serve                                     listen on 127.0.0.1:4318, keep traces in llmq.db
  llmq check llmq.yaml                           is the config right, what does it cost, what can each alert see?
  llmq rules --config llmq.yaml                  write the Prometheus rules of its SLOs into alerts/
  llmq replay traces.pb traces.logs.pb           score captured traces, here and now
  llmq eval suite.jsonl --output scores.jsonl    score an offline suite with the same evaluators
  llmq offline push out.json --app support       push what promptfoo, Inspect, DeepEval, Ragas or JUnit wrote
  llmq review export --format promptfoo          what people reviewed, as the next offline suite
  llmq forget --user u-123                       delete all that is kept of a user
  llmq store check llmq.db                       what is in the store, and is it whole?
  llmq judge probe --config llmq.yaml            ask the judge about one case, and see all of it
  llmq calibrate --config llmq.yaml              ask the judge about the anchors: may it count?

exit codes: 0 all is well, 1 a problem was found and printed, 2 the command line was wrong
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except ConfigError as error:
        return complain(str(error), PROBLEM)
    except UnknownEvaluatorError as error:
        return complain(f"llmq {options.command}: {error}", USAGE)
    except BrokenPipeError:
        # whoever read our output has seen enough; Python would complain when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PROBLEM
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return complain(f"llmq {options.command}: {whose(error)}", PROBLEM)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="llmq",
        description="Score LLM traces as they arrive, and turn their quality into Prometheus metrics.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"llmq {__version__}, {native.DESCRIPTION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    serve = _command(commands, "serve", _serve, "receive traces, score them, expose /metrics")
    _takes_config(serve)
    serve.add_argument("--listen", metavar="HOST:PORT", help="where to listen (wins over the config)")
    serve.add_argument("--store", metavar="URL", help="where to keep traces, such as sqlite:///llmq.db (wins, too)")

    check = _command(commands, "check", _check, "name every error of a config, its cost in series, its alerts' reach")
    check.add_argument("config", metavar="CONFIG", type=Path)
    check.add_argument("--live", action="store_true", help="ask the judge about one case, too: does it give a verdict?")

    rules = _command(commands, "rules", _rules, "write the Prometheus rules of the config's SLOs")
    _generates(rules, "alerts")
    rules.add_argument(
        "--format", choices=get_args(Form), default="file", help="for Prometheus, for its operator, for mimirtool"
    )
    summary = "write the Grafana dashboards of the config's SLOs"
    _generates(_command(commands, "dashboards", _dashboards, summary), "dashboards")

    replay = _command(commands, "replay", _replay, "score captured OTLP traces on the console, without a server")
    _takes_config(replay)
    replay.add_argument("--json", action="store_true", help="one JSON document a line, as /api/traces/{id} answers")
    replay.add_argument("--judge", action="store_true", help="ask the config's judge, too; says first what it costs")
    replay.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help=".pb or .json, also with .gz; .logs in its name for logs"
    )

    evaluate = _command(commands, "eval", suites.evaluate, "score an offline suite: rows of JSON in, rows of JSON out")
    _takes_config(evaluate)
    suites.add_eval(evaluate)
    suites.add_offline(_command(commands, "offline", suites.push, "push the results of other tools' offline runs"))
    suites.add_review(
        _command(commands, "review", suites.review, "what waits for people; reviewed cases, for the next offline run")
    )

    forgetting.add_forget(_command(commands, "forget", forgetting.forget, forgetting.SUMMARY))

    storing.add_store(_command(commands, "store", storing.run, storing.SUMMARY))

    calibrate = _command(
        commands, "calibrate", _calibrate, "how well a judge agrees with people, and whether it may count"
    )
    _takes_config(calibrate)
    calibration_arguments.add_calibrate(calibrate)
    judging.add_judge(_command(commands, "judge", judging.run, judging.SUMMARY))
    summary = "check an anchor set, or make one of rows that people labelled"
    calibration_arguments.add_anchors(_command(commands, "anchors", _anchors, summary))

    listing = _command(commands, "evaluators", _evaluators, "list the evaluators, their versions and options")
    _takes_config(listing)
    listing.add_argument("--json", action="store_true", help="one JSON document a line")

    summary = "a whole stack on this machine, with live traffic and an incident"
    demo_arguments.add_to(_command(commands, "demo", _demo, summary))
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(run=run)
    return parser


def _generates(parser: argparse.ArgumentParser, folder: str) -> None:
    _takes_config(parser)
    parser.add_argument("--output", metavar="DIR", type=Path, default=Path(folder), help=f"where (default: {folder})")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files that differ")


def _takes_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", type=Path, help="the config (default: the built-in defaults)")


def _serve(options: argparse.Namespace) -> int:
    from ..app.serving import ListenError, serve  # noqa: PLC0415 - the other commands need no server, and start faster without one
    from ..store.errors import StoreError  # noqa: PLC0415 - as above

    config = load(options.config, listen=options.listen, store=options.store)
    _warn(config)
    log = configure()
    try:
        asyncio.run(serve(config, log))
    except (StoreError, ListenError) as error:
        return complain(f"llmq serve: {error}", PROBLEM)
    return OK


def _check(options: argparse.Namespace) -> int:
    config = load(options.config)
    costs = series_cost(config)
    worst, likely = sum(cost.worst for cost in costs), sum(cost.likely for cost in costs)
    megabytes = sum(cost.worst_bytes for cost in costs) / 1e6
    rows = [(cost.metric, f"{cost.likely:,}", f"{cost.worst:,}") for cost in costs]
    for line in table([("series by metric", "likely", "at most"), *rows, ("all", f"{likely:,}", f"{worst:,}")], (1, 2)):
        print(line)
    print(
        f"\nlikely: each route belongs to one app and has {LIVE_VERSIONS} model and {LIVE_VERSIONS} prompt versions at"
        f" a time; at most: labels.slices ({config.labels.slices:,}) and what labels.budgets admit, a scrape of about"
        f" {megabytes:.1f} MB, or a thirtieth of that as Prometheus asks for it, compressed"
    )
    print(*alert_lines(config), sep="\n")
    print(*forecast_lines(config.judge), sep="\n")
    _warn(config)
    if worst > config.labels.series_ceiling:
        ceiling = f"labels.series_ceiling ({config.labels.series_ceiling:,})"
        complain(f"warning: {worst:,} series are possible, more than {ceiling}: lower labels.slices", OK)
    code = _check_live(config) if options.live else OK
    if code == OK:
        print(f"{options.config}: no errors")
    return code


def _check_live(config: Config) -> int:
    try:
        found = asyncio.run(probed(config.judge))
    except NotSetUpError as error:
        return complain(f"llmq check --live: {error}", PROBLEM)
    if found.problem:
        return complain(f"judge: {found.line}", PROBLEM)
    print(f"judge: {found.line}")
    return OK


def _rules(options: argparse.Namespace) -> int:
    return _generate(options, partial(rule_files.render, form=options.format), rule_files.KIND)


def _dashboards(options: argparse.Namespace) -> int:
    return _generate(options, board_files.render, board_files.KIND)


def _generate(options: argparse.Namespace, render: Render, kind: GeneratedKind) -> int:
    config = load(options.config)
    _warn(config)
    files = compared(options.output, render(config.slos, config.alerting), kind)
    command = f"llmq {options.command}"
    problems = in_the_way(files, command) or (differences(files, command) if options.check else [])
    for problem in problems:
        complain(problem, PROBLEM)
    if not problems and options.check:
        print(f"{len(files)} files are what the config makes")
    elif not problems:
        print(*(f"{file.path}: {settle(file)}" for file in files), sep="\n")
    return PROBLEM if problems else OK


def _replay(options: argparse.Namespace) -> int:
    config = load(options.config)
    panel = config.panel(installed())
    replay, summary = Replay(config), Summary()
    code = OK
    for path in with_progress(options.files, "files"):
        try:
            replay.add(path)
        except CaptureError as error:
            code = complain(str(error), PROBLEM)
    paint = Paint(colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    traces: Iterable[Trace] = list(replay.traces()) if options.judge else replay.traces()
    try:
        trial = _tried(Trial(config.judge, traces)) if isinstance(traces, list) else None
    except NotSetUpError as error:
        return complain(f"llmq replay: {error}", PROBLEM)
    for trace in traces:
        outcome = trial.added(trace, panel.evaluate(trace)) if trial else panel.evaluate(trace)
        summary.add(outcome)
        if options.json:
            print(msgspec.json.encode(document(trace, outcome, content=True)).decode())
        else:
            print(*trace_lines(trace, outcome, paint), "", sep="\n")
    if not options.json:
        print(*summary.lines(), sep="\n")
    _account(replay)
    return code


def _tried(trial: Trial) -> Trial:
    """Say what asking the judge costs, and ask it."""
    complain(trial.announced(), OK)
    asyncio.run(trial.run(counter("verdicts")))
    clear()
    complain(trial.accounted(), OK)
    return trial


def _account(replay: Replay) -> None:
    """Say what was in the files and is not in the report."""
    if replay.empty:
        complain(f"traces without an LLM request: {replay.empty}", OK)
    for reason, count in replay.rejected.items():
        complain(f"spans and log records refused ({reason}): {count}", OK)


def _calibrate(options: argparse.Namespace) -> int:
    try:
        return _recorded(options) if options.recorded else asyncio.run(_asked(options))
    except (AnchorsError, NoJudgeError) as error:
        return complain(str(error), PROBLEM)
    except NotSetUpError as error:
        return complain(f"llmq calibrate: {error}", PROBLEM)


def _recorded(options: argparse.Namespace) -> int:
    with options.recorded.open("rb") as lines:
        found = recorded.rows(lines, str(options.recorded))
    for name in [options.judge] if options.judge else recorded.judges(found):
        measured = recorded.measure(found, name)
        _report(measured, recorded_lines(measured), options)
    return OK


async def _asked(options: argparse.Namespace) -> int:
    chosen = tuple(options.evaluators.split(",")) if options.evaluators else ()
    code = OK
    async for found in calibrated(load(options.config).judge, options.anchors, chosen, counter("anchors")):
        _report(found, calibrated_lines(found), options)
        code = code if found.decision.open else PROBLEM
    return code


def _report(found: Struct, lines: Iterable[str], options: argparse.Namespace) -> None:
    clear()
    if options.json:
        print(msgspec.json.encode(found).decode())
    else:
        print(*lines, "", sep="\n")


def _anchors(options: argparse.Namespace) -> int:
    source = str(options.file)
    try:
        with options.file.open("rb") as lines:
            if options.fields is None:
                print(*table(inventory(read_anchors(lines, source)), right=(1, 2)), sep="\n")
                return OK
            mapping = Mapping.of(options.evaluator, options.fields, options.passes, options.fails, options.provenance)
            if problems := mapping.problems():
                return complain("\n".join(f"llmq anchors: --fields {problem}" for problem in problems), USAGE)
            for line in encoded(imported(lines, mapping, source)):
                print(line.decode(), end="")
    except AnchorsError as error:
        return complain(str(error), PROBLEM)
    return OK


def _evaluators(options: argparse.Namespace) -> int:
    registry, config = installed(), load(options.config)
    versions = config.panel(registry).versions
    for one in (*registry.listing(versions), *rubrics_listed(config.judge)):
        print(*((msgspec.json.encode(one).decode(),) if options.json else evaluator_lines(one)), sep="\n")
    for problem in registry.problems:
        complain(problem, PROBLEM)
    return PROBLEM if registry.problems else OK


def _demo(options: argparse.Namespace) -> int:
    if options.part == "bad":
        return _bad_answers(options)
    try:
        from ..demo import command  # noqa: PLC0415 - the other commands do without OpenTelemetry's SDK
    except ModuleNotFoundError as error:
        return complain(f"llmq demo needs {error.name}: pip install 'llm-quality-exporter[demo]'", PROBLEM)
    try:
        asyncio.run(command.perform(options, say))
    except command.DemoError as error:
        return complain(f"llmq demo: {error}", PROBLEM)
    return OK


def _bad_answers(options: argparse.Namespace) -> int:
    from ..demo import bad  # noqa: PLC0415 - the other commands do without the story

    try:
        bad.send(options.to, options.count, say)
    except ExchangeError as error:
        return complain(f"llmq demo bad: {error}", PROBLEM)
    return OK


def _warn(config: Config) -> None:
    for warning in config.warnings:
        complain(f"warning: {warning}", OK)
