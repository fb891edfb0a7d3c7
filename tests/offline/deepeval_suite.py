"""Write a DeepEval result file from canned answers."""

from deepeval import evaluate
from deepeval.evaluate.configs import AsyncConfig, DisplayConfig
from deepeval.metrics import ExactMatchMetric, PatternMatchMetric
from deepeval.test_case import LLMTestCase

CASES = [
    LLMTestCase(name="fr", input="What is the capital of France?", actual_output="Paris", expected_output="Paris"),
    LLMTestCase(
        name="pe", input="What is the capital of Peru?", actual_output="I do not know.", expected_output="Lima"
    ),
]

if __name__ == "__main__":
    evaluate(
        CASES,
        metrics=[ExactMatchMetric(), PatternMatchMetric(pattern=r"[A-Z]\w+")],
        async_config=AsyncConfig(run_async=False),
        display_config=DisplayConfig(show_indicator=False, print_results=False),
    )
