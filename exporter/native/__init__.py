"""The kernels: C code for what is done with every byte that comes in, and whether it is used.

One extension module, ``_kernels``, is built when llmq is installed, if there is a C compiler with Python's headers.
What it does is written in Python as well, beside its users, with the same results; that is used where the module was
not built, and where ``LLMQ_NO_EXTENSIONS`` is set.
"""

import os
from typing import Final, Literal

try:
    from . import _kernels
except ImportError:
    _kernels = None  # type: ignore[assignment]

COMPILED: Final = _kernels is not None and not os.environ.get("LLMQ_NO_EXTENSIONS")
"""Are the kernels used?"""
KERNELS: Final[Literal["c", "python"]] = "c" if COMPILED else "python"
"""In which language they run, as the label of ``llmq_exporter_build_info`` says."""
DESCRIPTION: Final = "kernels in C" if COMPILED else "kernels in Python: the same results, slower"
