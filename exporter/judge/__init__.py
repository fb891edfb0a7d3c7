"""The judge: a model that scores a sample of traces by written rubrics, and is itself measured, pinned and gated."""
