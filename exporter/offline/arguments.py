"""The arguments of ``llmq calibrate`` and ``llmq anchors``. Knows argparse, runs nothing."""

import argparse
from pathlib import Path


def add_calibrate(calibrate: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmq calibrate``, without --config."""
    calibrate.add_argument("--anchors", metavar="FILE", type=Path, help="the anchor set (default: judge.anchors.file)")
    calibrate.add_argument("--evaluators", metavar="A,B", help="which rubrics (default: all that have anchors)")
    calibrate.add_argument(
        "--recorded", metavar="FILE", type=Path, help="instead: rows {id, label, judge: {NAME: reply}}; asks no judge"
    )
    calibrate.add_argument("--judge", metavar="NAME", help="which of the recorded judges (default: each)")
    calibrate.add_argument("--json", action="store_true", help="one JSON document a line")


def add_anchors(anchors: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmq anchors``."""
    anchors.add_argument("file", metavar="FILE.jsonl", type=Path, help="an anchor set, or with --fields other rows")
    anchors.add_argument(
        "--fields", metavar="A=B,C=D", help="where rows have question, answer, human, id, context, model"
    )
    anchors.add_argument("--evaluator", metavar="NAME", default="helpfulness", help="(default: %(default)s)")
    anchors.add_argument("--passes", metavar="A,B", default="", help="labels that pass; alone: every other one fails")
    anchors.add_argument(
        "--fails", metavar="A,B", default="", help="labels that fail; with --passes others are left out"
    )
    anchors.add_argument("--provenance", metavar="TEXT", default="", help="who labelled the rows, where they are from")
