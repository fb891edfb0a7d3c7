"""Every metric of quality, judge, users and reviewers, declared once by its literal name: ``llmq_…``.

Knows nothing of when they move or how they are kept.
"""

from typing import get_args

from ..model.score import FailureReason, JudgeFailure, Verdict
from .series import Family, counter, gauge, histogram

SLICE = ("app", "route", "model_version", "prompt_version")
RATINGS = ("thumbs_up", "thumbs_down")
JUDGE = ("evaluator", "evaluator_version")
ESTIMATE = ("value", "low", "high")
"""An estimate is three gauges: its value and the ends of its 95 % interval."""


# Quality, beside latency and cost

REQUESTS = counter(
    "llmq_requests_total",
    "Requests of LLM applications that were recorded, one per trace.",
    *SLICE,
    expires_with=SLICE,
)
REQUEST_DURATION = histogram(
    "llmq_request_duration_seconds",
    "Time from the start to the end of a request's trace.",
    *SLICE,
    bounds=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0),
    expires_with=SLICE,
)
TOKENS = counter(
    "llmq_tokens_total",
    "Tokens that the models reported, each generation of a trace once.",
    "direction",
    *SLICE,
    siblings={"direction": ("input", "output")},
    expires_with=SLICE,
)
COST = counter(
    "llmq_cost_dollars_total",
    "Cost of the tokens in US dollars by the configured price table; nothing is added for a model without a price.",
    *SLICE,
    expires_with=SLICE,
)
REQUEST_ERRORS = counter(
    "llmq_request_errors_total",
    "Requests whose answering call failed, by kind of error; no evaluator scores them.",
    "error",
    *SLICE,
    expires_with=SLICE,
)
REPEATED_CALLS = counter(
    "llmq_repeated_calls_total",
    "Model calls that repeated a failed one of the same request: with the same model (retry) or another (fallback).",
    "kind",
    *SLICE,
    siblings={"kind": ("retry", "fallback")},
    expires_with=SLICE,
)
TIME_TO_FIRST_TOKEN = histogram(
    "llmq_time_to_first_token_seconds",
    "Time from the start of the answering call to its first token, where it is sent.",
    *SLICE[:3],
    bounds=(0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0),
    expires_with=SLICE[:3],
)
OUTPUT_SPEED = histogram(
    "llmq_output_tokens_per_second",
    "Tokens a second of the answering call, after its first token where that is known.",
    *SLICE[:3],
    bounds=(5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 120.0, 200.0, 400.0),
    expires_with=SLICE[:3],
)
EVALUATIONS = counter(
    "llmq_evaluations_total",
    "Verdicts of evaluators; both verdicts of a slice start at 0 together. The SLI of quality.",
    "evaluator",
    "evaluator_version",
    "verdict",
    "sample",
    *SLICE,
    siblings={"verdict": get_args(Verdict)},
    expires_with=("evaluator", "evaluator_version", *SLICE),
)
SCORE = histogram(
    "llmq_evaluation_score",
    "Scores of evaluators from 0 to 1, higher is better; every pass mark is a bucket bound.",
    "evaluator",
    "evaluator_version",
    "sample",
    *SLICE[:3],
    bounds=tuple(tenth / 10 for tenth in range(1, 11)),
    expires_with=("evaluator", "evaluator_version", *SLICE[:3]),
)
UNSCORED = counter(
    "llmq_unscored_total",
    "Traces on which an evaluator rightly gave no verdict, by reason.",
    "evaluator",
    "reason",
    "app",
    siblings={"reason": ("not_applicable", "not_captured")},
    expires_with=("evaluator", "app"),
)
EVALUATION_FAILURES = counter(
    "llmq_evaluation_failures_total",
    "Evaluations that should have given a verdict and could not; never counted as a verdict.",
    "evaluator",
    "reason",
    siblings={"reason": get_args(FailureReason)},
)
EVALUATION_DURATION = histogram(
    "llmq_evaluation_duration_seconds",
    "Time that an evaluator took on one trace.",
    "evaluator",
    bounds=(0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 30.0, 60.0),
)
VERSION_FIRST_SEEN = Family(
    name="llmq_version_first_seen_timestamp_seconds",
    type="gauge",
    help="Unix time at which the first trace of a slice was recorded; survives restarts.",
    labels=SLICE,
    expires_with=SLICE,
    combine="min",
)

# What users say, and what their conversations show; late feedback counts when it comes

FEEDBACK = counter(
    "llmq_feedback_total",
    "User signals by the version that answered: said (explicit), or seen in a conversation (derived).",
    "signal",
    "source",
    *SLICE,
    expires_with=SLICE,
)
FEEDBACK_RETRACTED = counter(
    "llmq_feedback_retracted_total",
    "Of llmq_feedback_total, the ratings that their users changed later; the difference is what they say now.",
    "signal",
    "source",
    *SLICE,
    siblings={"signal": RATINGS},
    expires_with=SLICE,
)
FEEDBACK_EDIT_RATIO = histogram(
    "llmq_feedback_edit_ratio",
    "How much of an answer its user changed, of edits whose answer is known: 0 nothing, 1 all of it.",
    "app",
    "route",
    bounds=(0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0),
    expires_with=("app", "route"),
)
FEEDBACK_RECEIVED = counter(
    "llmq_feedback_received_total",
    "Accepted feedback by what became of it; what is in none of these waits for its trace (queue feedback).",
    "outcome",
    siblings={
        "outcome": ("joined", "corrected", "repeated", "duplicate", "surplus", "expired", "displaced", "forgotten")
    },
)
CONVERSATIONS_ENDED = counter(
    "llmq_feedback_conversations_ended_total",
    "Conversations that ended: idle for long enough, or evicted because too many go on at once.",
    "reason",
    siblings={"reason": ("idle", "evicted")},
)

# People in the loop: what waits for them, and what they say

REVIEW_ITEMS = gauge(
    "llmq_review_items",
    "Items of the review queue: held for late scores, waiting, claimed, disputed (waiting for one more), done.",
    "state",
    "reason",
)
REVIEW_OLDEST = gauge("llmq_review_oldest_seconds", "Age of the oldest review item that is not done; 0 without any.")
REVIEW_ROUTED = counter(
    "llmq_review_routed_total",
    "Traces that deserve a person, by what became of them: queued, or why not.",
    "reason",
    "outcome",
    siblings={
        "outcome": (
            "queued",
            "over_cap",
            "displaced",
            "near_duplicate",
            "full",
            "nothing_to_ask",
            "no_text",
            "too_large",
        )
    },
)
REVIEW_CLAIMS = counter(
    "llmq_review_claims_total",
    "Claims of reviewers, and how they ended; expired ones timed out.",
    "event",
    siblings={"event": ("claimed", "labelled", "released", "skipped", "expired")},
)
REVIEW_LABELS = counter(
    "llmq_review_labels_total",
    "What people said of answers, by the question that they answered in an evaluator's place.",
    "evaluator",
    "label",
    "reason",
    siblings={"label": get_args(Verdict)},
)
REVIEW_DISAGREEMENTS = counter(
    "llmq_review_disagreements_total",
    "Items on which people differed, each once for each evaluator.",
    "evaluator",
)
REVIEW_DONE = counter(
    "llmq_review_done_total",
    "Items that are done: decided, by majority, undecided, skipped by too many, or expired before anybody finished.",
    "reason",
    "ending",
    siblings={"ending": ("decided", "majority", "undecided", "skipped", "expired")},
)
REVIEW_SECONDS = histogram(
    "llmq_review_label_seconds",
    "Time from claim to label.",
    bounds=(5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0),
)

# The judge as an instrument: what it is worth against people, each with an interval and the cases behind it

JUDGE_PAIRS = counter(
    "llmq_judge_human_pairs_total",
    "Verdicts of a judge beside people's: on review labels, and each time an anchor is scored again.",
    *JUDGE,
    "judge",
    "human",
    "source",
    siblings={"judge": get_args(Verdict), "human": get_args(Verdict)},
)
JUDGE_LABELLED = gauge(
    "llmq_judge_labelled_cases",
    "Cases with a verdict of the judge and of people, each once: the table behind the four gauges that follow. Where "
    "only some anchors were asked again of late, as many as that is worth.",
    *JUDGE,
    "source",
    "judge",
    "human",
)
JUDGE_AGREEMENT = gauge(
    "llmq_judge_agreement_ratio", "Share of cases on which judge and people agree.", *JUDGE, "source", "estimate"
)
JUDGE_KAPPA = gauge(
    "llmq_judge_kappa", "Cohen's kappa: agreement of judge and people beyond chance.", *JUDGE, "source", "estimate"
)
JUDGE_SENSITIVITY = gauge(
    "llmq_judge_sensitivity_ratio",
    "Of what people pass, the share that the judge passes.",
    *JUDGE,
    "source",
    "estimate",
)
JUDGE_SPECIFICITY = gauge(
    "llmq_judge_specificity_ratio", "Of what people fail, the share that the judge fails.", *JUDGE, "source", "estimate"
)
JUDGE_REQUESTS = counter(
    "llmq_judge_requests_total",
    "Calls of the judge by how they ended: judged, why they failed, or which limit of the budget forbade them.",
    "evaluator",
    "outcome",
    siblings={
        "outcome": (
            "judged",
            *get_args(JudgeFailure),
            *(f"over_{window}_{unit}" for window in ("hour", "day") for unit in ("tokens", "dollars")),
        )
    },
)
JUDGE_TOKENS = counter("llmq_judge_tokens_total", "Tokens that the judge's calls were billed, failed ones included.")
JUDGE_COST = counter("llmq_judge_cost_dollars_total", "Cost of the judge's calls in US dollars, failed ones included.")
JUDGE_REPEATS = counter(
    "llmq_judge_repeats_total",
    "Cases that the judge judged twice, by whether the second verdict was the same.",
    *JUDGE,
    "outcome",
    siblings={"outcome": ("same", "flipped")},
)
JUDGE_SPENT = gauge(
    "llmq_judge_budget_spent_ratio",
    "Share of the judge's budget that is spent or reserved, by all processes that share it.",
    "window",
    "unit",
)
JUDGE_LAG = gauge("llmq_judge_lag_seconds", "Age of the oldest trace that waits for the judge.")
JUDGE_BREAKER = gauge("llmq_judge_breaker_open", "1 while the judge's endpoint fails and is left alone, else 0.")
JUDGE_GATE = gauge(
    "llmq_judge_gate_open", "1 if the verdicts of a judge version count, 0 while it is shadowed.", *JUDGE
)
JUDGE_STOPPED = gauge(
    "llmq_judge_stopped",
    "1 for a judge version that gives no verdict and is asked only now and then, by why; no series while it does.",
    *JUDGE,
    "reason",
)
JUDGE_REPLIED = gauge(
    "llmq_judge_replied_info",
    "1, with the name under which the model of a judge version replied last.",
    *JUDGE,
    "model",
)
JUDGE_FALLEN = gauge(
    "llmq_judge_fallen",
    "1 for an admitted judge version that fell surely below its gate, until it is above it or admitted again.",
    *JUDGE,
)
JUDGE_PIN_MISMATCHES = counter(
    "llmq_judge_pin_mismatches_total",
    "Replies of the judge's endpoint that came from another model or another fingerprint than the pinned one.",
    "evaluator",
    "kind",
    siblings={"kind": ("model", "fingerprint")},
)
JUDGE_LENGTH_PREFERENCE = gauge(
    "llmq_judge_length_preference_ratio",
    "What the judge adds to people's pass rate on the longer half of the anchors, minus what it adds on the shorter.",
    *JUDGE,
    "estimate",
)
JUDGE_LENGTH_CORRELATION = gauge(
    "llmq_judge_length_correlation",
    "Rank correlation of an answer's length with its score on live traffic, -1 to 1; long answers may be better ones.",
    *JUDGE,
    "estimate",
)
JUDGE_OWN_FAMILY = gauge(
    "llmq_judge_own_family_gap_ratio",
    "Answers of the judge's own model family against others: pass rate beyond people's (anchor), or bare (live).",
    *JUDGE,
    "source",
    "estimate",
)
JUDGE_PASS = gauge(
    "llmq_judge_pass_ratio",
    "Pass rate of a judge on its sample since its anchors were asked again: raw, and corrected for its errors on them.",
    *JUDGE,
    "rate",
    "estimate",
)
JUDGE_SCORE_DRIFT = gauge(
    "llmq_judge_score_drift",
    "Population stability index of live scores against a reference, and the limit that chance seldom reaches.",
    *JUDGE,
    "bound",
)
JUDGE_SHIFT = gauge(
    "llmq_judge_shift_ratio",
    "Change of the pass rate since a reference: live, the judge's part (on the anchors), the system's part (the rest).",
    *JUDGE,
    "part",
    "estimate",
)
JUDGE_CASES = gauge(
    "llmq_judge_measured_cases", "Cases behind each measure of a judge's bias and drift.", *JUDGE, "measure"
)

# Offline suites beside production: counts, so that intervals can be computed; the newest run of a suite wins

OFFLINE = ("suite", *JUDGE, "app", "model_version", "prompt_version")
OFFLINE_CASES = gauge("llmq_offline_cases", "Cases with a verdict in the newest run of an offline suite.", *OFFLINE)
OFFLINE_PASSED = gauge("llmq_offline_passed_cases", "Of llmq_offline_cases, those that passed.", *OFFLINE)
OFFLINE_SCORE = gauge(
    "llmq_offline_mean_score", "Mean score of the newest run of an offline suite, where the run told it.", *OFFLINE
)
OFFLINE_TIMESTAMP = gauge(
    "llmq_offline_timestamp_seconds", "Unix time of the newest run of an offline suite.", *OFFLINE
)
OFFLINE_GAUGES = (OFFLINE_CASES, OFFLINE_PASSED, OFFLINE_SCORE, OFFLINE_TIMESTAMP)
OFFLINE_RESULTS = counter(
    "llmq_offline_results_total",
    "Accepted offline results: the newest of its suite and version, sent before, or older than what is known.",
    "outcome",
    siblings={"outcome": ("newest", "duplicate", "older")},
)
OFFLINE_QUESTIONS = gauge(
    "llmq_offline_questions", "Questions of an offline suite that failures are compared with.", "suite", "app"
)
OFFLINE_FAILURES = counter(
    "llmq_offline_failures_total",
    "Failures in production, of apps whose suites brought questions, by whether one of these is a near neighbour.",
    "coverage",
    "app",
    "route",
    siblings={"coverage": ("covered", "uncovered")},
    expires_with=("app", "route"),
)
