"""Free text → bounded label values. Knows labels and their budgets; knows nothing of metrics or traces."""

from typing import NamedTuple


class Slice(NamedTuple):
    """The label values that every quality metric is cut by, already bounded."""

    app: str
    route: str
    model_version: str
    prompt_version: str
