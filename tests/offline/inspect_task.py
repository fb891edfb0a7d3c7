"""Write Inspect logs from canned answers."""

import inspect_ai
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import exact, includes
from inspect_ai.solver import solver

ANSWERS = {"fr": "Paris", "pe": "I do not know.", "pe2": "It is Lima."}
SAMPLES = [
    Sample(id="fr", input="What is the capital of France?", target="Paris"),
    Sample(id="pe", input="What is the capital of Peru?", target="Lima"),
    Sample(id="pe2", input="Which city is Peru's capital?", target="Lima"),
]


@solver
def canned():
    async def solve(state, generate):
        state.output = ModelOutput.from_content("stub-model-1", ANSWERS[state.sample_id])
        state.messages.append(state.output.message)
        return state

    return solve


if __name__ == "__main__":
    task = inspect_ai.Task(name="support", version=3, dataset=SAMPLES, solver=canned(), scorer=[includes(), exact()])
    for form in ("json", "eval"):
        inspect_ai.eval(task, model="mockllm/model", log_dir="logs", log_format=form, display="none", epochs=2)
