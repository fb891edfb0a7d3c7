"""Where a rule holds: labels that Prometheus adds (cluster, namespace) survive in every rule, and never mix.

Rules are written as if there were one environment. Here each aggregation and join gets the labels by which environments
are told apart, each query of an annotation their values, and each metric of llmq the selector.
"""

import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .rulefile import Alert, Group, Record

_CONSTANT: Final = "sli, objective"
"""What objectives and alert lines are joined on: they are the same everywhere, and have no labels of a place."""

_GROUPING: Final = re.compile(r"\b(by|on) \(([^()]*)\)")
_MATCHERS: Final = r'\{(?:[^{}"]|"(?:\\.|[^"\\])*")*\}'
_EXPOSED: Final = re.compile(rf"(?<![\w:`])(llmq_\w+|up)(?![\w:(])({_MATCHERS})?")
_QUERY: Final = re.compile(r"printf `([^`]*)` ((?:[$.]\w[\w.]* )+)\| query")


class Scope(Struct, frozen=True, kw_only=True):
    """``labels`` are kept apart in every rule; ``selector`` holds matchers, as of a namespace, for all that is read."""

    labels: tuple[str, ...] = ()
    selector: str = ""

    def group(self, group: Group) -> Group:
        """The group, its rules in this scope."""
        return replace(group, rules=[self._rule(rule) for rule in group.rules])

    def _rule(self, rule: Record | Alert) -> Record | Alert:
        if isinstance(rule, Record):
            return replace(rule, expr=self.expression(rule.expr))
        return replace(
            rule,
            expr=self.expression(rule.expr),
            description=self.template(rule.description),
            notes={name: self.template(text) for name, text in rule.notes.items()},
        )

    def expression(self, expr: str) -> str:
        """The expression, its sums and joins by these labels too, reading what the selector picks."""
        return self._selected(_GROUPING.sub(self._grouping, expr))

    def _grouping(self, found: re.Match[str]) -> str:
        keyword, labels = found[1], found[2]
        if labels == _CONSTANT:
            return found[0]
        names = [*filter(None, labels.split(", "))]
        return f"{keyword} ({', '.join([*names, *(label for label in self.labels if label not in names)])})"

    def _selected(self, expr: str) -> str:
        if not self.selector:
            return expr

        def add(found: re.Match[str]) -> str:
            matchers = found[2][1:-1] if found[2] else ""
            return f"{found[1]}{{{','.join(filter(None, [matchers, self.selector]))}}}"

        return _EXPOSED.sub(add, expr)

    def template(self, text: str) -> str:
        """The annotation, its queries asking for series with the same values of these labels."""
        return _QUERY.sub(self._query, text)

    def _query(self, found: re.Match[str]) -> str:
        expr, arguments = found[1], found[2].split()
        whose = arguments[0][: arguments[0].rindex(".") + 1]
        first = len(arguments) + 1
        same = "".join(f",{label}=%[{number}]q" for number, label in enumerate(self.labels, first))
        # The first matcher of a series is that of the first argument: one place for each series, and no other.
        asked = re.sub(r"(\{\w+=%\[1\]q)", rf"\1{same}", expr)
        return f"printf `{asked}` {' '.join([*arguments, *(whose + label for label in self.labels)])} | query"
