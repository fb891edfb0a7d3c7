"""JSON Schema, validated within a budget: drafts 4, 6, 7, 2019-09 and 2020-12; fetches nothing.

The schemas come from traces, so both schema and instance may be hostile.

compiler     a schema → nodes
draft        what a draft is
drafts       each draft: its keywords, and which one a schema without ``$schema`` means
resources    references, resolved within the schema
node         one schema: the checks that its keywords ask for
assertions, applicators   the checks: of a value itself, and those that apply schemas to parts of it
expressions  the regular expressions of schemas
values       equality and numbers as JSON Schema means them
context      what the builder of a keyword knows: the schema around it, how to read its value
budget       how many steps and how deep a walk may be: BudgetError beyond
validator    walks an instance and stops at the first broken keyword
errors       a schema that cannot be used
"""

from .budget import STEPS, BudgetError, ValidationRun
from .errors import SchemaError
from .validator import Validator, compiled

__all__ = ["STEPS", "BudgetError", "SchemaError", "ValidationRun", "Validator", "compiled"]
