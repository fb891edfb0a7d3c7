"""``python -m exporter`` is ``llmq``."""

import sys

from .cli import main

sys.exit(main())
