"""Slices of a whole exporter: how many are shown, which make room, and what becomes of their totals."""

from exporter.metrics import families as f
from exporter.metrics.labels import OTHER, Slice
from exporter.metrics.slice_budget import IDLE, SliceBudget


def asked(exporter, app, version, *, route="/chat", count=1):
    """Send requests of one slice, and let them be recorded."""
    return exporter.ask(
        *(f"It is {number}, {exporter.clock.at}." for number in range(count)),
        app=app,
        route=route,
        model="m",
        prompt_version=version,
    )


async def requests(exporter, **labels):
    return await exporter.total("llmq_requests_total", **labels)


async def test_a_slice_that_rests_makes_room_and_goes_on_from_its_total_when_it_comes_back(run_exporter):
    exporter = await run_exporter({"labels": {"slices": 4}})
    for version in ("v1", "v2", "v3"):
        await asked(exporter, "shop", version, count=5)
    exporter.clock.move(IDLE)
    await asked(exporter, "shop", "v2")
    await asked(exporter, "shop", "v4")
    samples = await exporter.samples()
    assert not any(("prompt_version", "v1") in labels for _, labels in samples)
    assert samples.total("llmq_requests_total", prompt_version="v2") == 6
    assert samples.total("llmq_requests_total", prompt_version="v4") == 1
    assert samples.total("llmq_exporter_slices", state="parked") == 1
    exporter.clock.move(IDLE)
    await asked(exporter, "shop", "v1")
    assert await requests(exporter, prompt_version="v1") == 6
    assert await requests(exporter, prompt_version=OTHER) == 0


async def test_what_is_parked_stays_parked_and_keeps_its_total_over_a_restart(run_exporter):
    config = {"labels": {"slices": 4}}
    exporter = await run_exporter(config)
    for version in ("v1", "v2", "v3"):
        await asked(exporter, "shop", version, count=5)
    exporter.clock.move(IDLE)
    for version in ("v4", "v5"):
        await asked(exporter, "shop", version)
    before = await _requests_by_slice(exporter)
    await exporter.client.close()
    again = await run_exporter(config)
    assert await _requests_by_slice(again) == before
    assert await requests(again, prompt_version="v5") == 1
    again.clock.move(IDLE)
    await asked(again, "shop", "v1")
    assert await requests(again, prompt_version="v1") == 6


async def _requests_by_slice(exporter):
    return {labels: value for (name, labels), value in (await exporter.samples()).items() if name == f.REQUESTS.name}


async def test_feedback_for_a_parked_slice_count_where_its_app_is_shown(run_exporter):
    exporter = await run_exporter({"labels": {"slices": 4}})
    sent = {"app": "shop", "route": "/chat", "model": "m", "prompt_version": "v1", "answer": "It is 1."}
    await exporter.post("/v1/interactions", json=[{"trace_id": "a" * 32} | sent])
    await exporter.pass_time(3)
    exporter.clock.move(IDLE)
    for version in ("v2", "v3", "v4"):
        await asked(exporter, "shop", version)
    assert Slice("shop", "/chat", "m", "v1") in _parked(exporter)
    await exporter.post("/v1/feedback", json={"trace_id": "a" * 32, "signal": "thumbs_down"})
    await exporter.pass_time(20)
    assert await exporter.total("llmq_feedback_total", app="shop", signal="thumbs_down") == 1


async def test_no_number_of_combinations_makes_more_slices_than_the_budget(run_exporter):
    exporter = await run_exporter({"labels": {"slices": 20}})
    combinations = [(app, route, version) for app in "abc" for route in "rstuv" for version in range(7)]
    for number in range(0, len(combinations), 35):
        interactions = [
            {
                "app": app,
                "route": f"/{route}",
                "model": f"m{version}",
                "prompt_version": f"v{version}",
                "answer": "Yes.",
            }
            for app, route, version in combinations[number : number + 35]
        ]
        await exporter.post("/v1/interactions", json=interactions)
        await exporter.pass_time(3)
    samples = await exporter.samples()
    slices = {labels for name, labels in samples if name == "llmq_requests_total"}
    assert len(slices) <= 20 + 3
    assert samples.total("llmq_requests_total") + _hidden(exporter) == len(combinations)
    assert samples.total("llmq_exporter_label_overflow_total", label="prompt_version") > 0
    assert samples.total("llmq_exporter_label_overflow_total", label="app") == 0


def _parked(exporter):
    """The slices of which totals are kept that are not shown."""
    metrics = exporter.exporter.metrics
    return metrics.ledger.last_updated(Slice._fields).keys() - metrics.snapshot().slices


def _hidden(exporter):
    """Requests that are counted in slices that are parked."""
    parked, totals = _parked(exporter), exporter.exporter.metrics.ledger.totals().numbers
    requests = {series.labels: value for series, value in totals.items() if series.family is f.REQUESTS}
    return sum(value for labels, value in requests.items() if labels in parked)


async def test_the_explosion_of_one_app_hides_nothing_of_another(run_exporter):
    exporter = await run_exporter({"labels": {"slices": 20}})
    await asked(exporter, "quiet", "v1")
    for burst in range(4):
        interactions = [
            {"app": "loud", "route": f"/{'abcde'[n % 5]}", "prompt_version": f"v{burst}.{n}", "answer": "Yes."}
            for n in range(40)
        ]
        await exporter.post("/v1/interactions", json=interactions)
        await exporter.pass_time(3)
        await asked(exporter, "quiet", "v1")
    await asked(exporter, "quiet", "v2")
    samples = await exporter.samples()
    assert samples.total("llmq_requests_total", app="quiet", prompt_version="v1") == 5
    assert samples.total("llmq_requests_total", app="quiet", prompt_version="v2") == 1
    assert samples.total("llmq_requests_total", app="quiet", prompt_version=OTHER) == 0


async def test_a_smaller_budget_takes_effect_at_a_reload(run_exporter, tmp_path):
    exporter = await run_exporter({"labels": {"slices": 20}})
    for version in range(10):
        await asked(exporter, "shop", f"v{version}")
    exporter.reload({"labels": {"slices": 4}})
    samples = await exporter.samples()
    assert samples.total("llmq_exporter_slices", state="limit") == 4
    assert samples.total("llmq_exporter_slices", state="shown") == 4
    assert samples.total("llmq_requests_total", prompt_version="v9") == 1
    assert samples.total("llmq_requests_total", prompt_version="v0") == 0


async def test_the_totals_of_too_many_parked_slices_leave_memory_and_store(run_exporter):
    config = {"labels": {"slices": 4}}
    exporter = await run_exporter(config)
    for version in range(12):
        await asked(exporter, "shop", f"v{version}")
        exporter.clock.move(IDLE)
    await asked(exporter, "shop", "last")
    await exporter.pass_time(1)
    kept = exporter.exporter.metrics.ledger.last_updated(Slice._fields)
    assert len(kept) <= 4 + 4 + 1
    await exporter.client.close()
    again = await run_exporter(config)
    assert again.exporter.metrics.ledger.last_updated(Slice._fields).keys() == kept.keys()
    assert await requests(again, prompt_version="last") == 1


# The budget itself


class Clock:
    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


def where(app, number, model="m", prompt="v"):
    return Slice(app, f"/r{number}", model, prompt)


def test_versions_leave_the_last_quarter_of_the_budget_to_slices_with_folded_ones():
    budget = SliceBudget(8, Clock())
    assert [budget.take(where("a", number)) for number in range(7)] == [True] * 6 + [False]
    assert budget.take(where("a", 7, prompt=OTHER))
    assert not budget.take(where("a", 8, prompt=OTHER))
    assert budget.take(where("a", 9, OTHER, OTHER))
    assert not budget.take(where("a", 10, OTHER, OTHER))
    assert budget.take(Slice("a", OTHER, OTHER, OTHER))


def test_an_app_with_its_share_takes_nothing_from_one_with_as_much():
    budget = SliceBudget(8, Clock())
    for number in range(3):
        assert budget.take(where("a", number))
        assert budget.take(where("b", number))
    assert not budget.take(where("a", 3))
    assert not budget.take(where("b", 3))
    assert not budget.parked


def test_two_apps_do_not_take_places_from_each_other_in_turn():
    budget = SliceBudget(40, Clock())
    for number in range(200):
        budget.take(where("a", number))
        budget.take(where("b", number))
    parkings = budget.parkings
    for number in range(200):
        budget.take(where("a", number))
        budget.take(where("b", number))
    assert budget.parkings == parkings


def test_the_slice_that_rests_longest_of_the_biggest_app_makes_room():
    clock = Clock()
    budget = SliceBudget(8, clock)
    for number in range(6):
        clock.at += 1
        budget.take(where("big", number))
    clock.at += 1
    budget.take(where("big", 0))
    assert budget.take(where("small", 0))
    assert list(budget.parked) == [where("big", 1)]


def test_restored_slices_that_were_used_last_are_shown():
    budget = SliceBudget(3, Clock())
    budget.restore({where("a", number): float(number) for number in range(10)} | {Slice("a", OTHER, OTHER, OTHER): 0.0})
    assert set(budget.shown) == {where("a", number) for number in (8, 9)} | {Slice("a", OTHER, OTHER, OTHER)}
    assert list(budget.parked) == [where("a", number) for number in (5, 6, 7)]
    assert budget.take_forgotten() == [where("a", number) for number in range(5)]
    assert budget.take_forgotten() == []
