"""JSON Schema, validated within a budget: drafts 4, 6, 7, 2019-09 and 2020-12; fetches nothing.

The schemas come from traces, so both schema and instance may be hostile. ``compiled`` turns a schema into nodes
(``node``), each with the checks that its keywords ask for (``assertions``, ``applicators``, ``unevaluated``), as its
draft reads them (``drafts``, ``detect``), with references resolved among what the schema holds itself (``resources``).
``Validator.problem`` walks an instance, stops at the first broken keyword, and raises BudgetError where the walk takes
more steps or is deeper than it may. A node that several places refer to is asked once for each value (``Run``).
"""

from .budget import STEPS, BudgetError, Run
from .errors import SchemaError
from .validator import Validator, compiled

__all__ = ["STEPS", "BudgetError", "Run", "SchemaError", "Validator", "compiled"]
