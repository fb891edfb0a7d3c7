"""``python -m exporter`` is ``llmq``."""

import sys

from .cli.main import main

sys.exit(main())
