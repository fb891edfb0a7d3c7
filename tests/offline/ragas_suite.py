"""Write Ragas results from canned answers."""

from ragas import EvaluationDataset, evaluate
from ragas.metrics import ExactMatch, StringPresence

ROWS = [
    {"user_input": "What is the capital of France?", "response": "Paris", "reference": "Paris"},
    {"user_input": "What is the capital of Peru?", "response": "I do not know.", "reference": "Lima"},
]

if __name__ == "__main__":
    dataset = EvaluationDataset.from_list(ROWS)
    frame = evaluate(dataset, metrics=[ExactMatch(), StringPresence()], show_progress=False).to_pandas()
    frame.to_json("out.jsonl", orient="records", lines=True)
    frame.to_csv("out.csv", index=False)
