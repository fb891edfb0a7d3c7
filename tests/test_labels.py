import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.metrics.labels import OTHER, UNKNOWN, Limiter, Slice, templated
from exporter.metrics.slice_budget import IDLE

LABELS = ("app", "route", "model_version", "prompt_version")
ANY_TEXT = st.text(st.characters(codec=None), max_size=300) | st.none()


class Clock:
    def __init__(self):
        self.at = 1_790_000_000.0

    def __call__(self):
        return self.at


def limiter(budget=3, **options):
    return Limiter(dict.fromkeys(LABELS, budget), **{"now": Clock(), **options})


def fold(limits, label, value, app="shop"):
    """The label value that stands for a text in a slice whose other labels are the same each time."""
    told = {"app": app, "route": "/chat", "model_version": "gpt", "prompt_version": "v1"} | {label: value}
    return getattr(limits.slice(**told), label)


def rest(limits, seconds):
    """Let time pass in which nothing of these limits is used."""
    limits._now.at += seconds


def held_bytes(limits):
    """Rough size of all texts that a limiter keeps, named and cached."""
    kept = [text for where in limits.slices.shown for text in where]
    kept += [text for cached in limits._cleaned.values() for pair in cached.items() for text in pair]
    kept += [text for told in limits._placed for text in told]
    return sum(sys.getsizeof(text) for text in kept)


@pytest.mark.parametrize("label", LABELS)
def test_values_are_named_first_come_until_the_budget_is_spent(label):
    limits = limiter(2)
    assert [fold(limits, label, value) for value in ("a", "b", "c", "a", "d")] == ["a", "b", OTHER, "a", OTHER]
    assert limits.take_overflow() == {label: 2}
    assert limits.take_overflow() == {}


def test_each_folding_is_counted_also_of_a_value_seen_before():
    limits = limiter(0)
    for _ in range(5):
        assert fold(limits, "app", "x") == OTHER
    assert limits.take_overflow()["app"] == 5


def test_only_the_exploding_label_is_folded():
    limits = limiter(1)
    limits.slice("shop", "/chat", "gpt", "v1")
    assert limits.slice("shop", "/chat", "gpt", "v2") == Slice("shop", "/chat", "gpt", OTHER)
    assert limits.take_overflow() == {"prompt_version": 1}


@pytest.mark.parametrize("label", ["route", "model_version", "prompt_version"])
def test_what_one_app_does_to_a_label_folds_nothing_of_another_app(label):
    limits = limiter(10)
    for number in range(200):
        fold(limits, label, f"v{number}", app="exploding")
    assert all(fold(limits, label, f"own {app}", app=f"app {app}") == f"own {app}" for app in range(8))
    assert limits.take_overflow() == {label: 190}


def test_eight_apps_with_a_prompt_each_do_not_fold_the_ninths():
    limits = limiter(3, slices=100)
    limits.configure(dict.fromkeys(LABELS, 3) | {"app": 20}, slices=100)
    for app in range(9):
        assert fold(limits, "prompt_version", f"prompt of {app}", app=f"app {app}") == f"prompt of {app}"
    assert limits.take_overflow() == {}


def test_a_slice_seen_before_is_folded_and_counted_like_a_new_one():
    limits = limiter(1)
    versions = [limits.slice("shop", "/chat", "gpt", version).prompt_version for version in ("v1", "v2", "v1", "v2")]
    assert versions == ["v1", OTHER, "v1", OTHER]
    assert limits.take_overflow() == {"prompt_version": 2}


def test_new_limits_reach_slices_seen_before():
    limits = limiter(1)

    def apps(*names):
        return [limits.slice(name, "/chat", "gpt", "v1").app for name in names]

    assert apps("a", "b") == ["a", OTHER]
    limits.configure(dict.fromkeys(LABELS, 1), allow={"app": ("b",)})
    assert apps("b", "a") == ["b", OTHER]


def test_slices_of_ever_new_names_are_not_kept_for_ever():
    limits = limiter(20_000, slices=20_000)
    for number in range(5_000):
        limits.slice(f"shop {number}", "/chat", "gpt", None)
        limits.slice(f"{'shop' * 100} {number}", "/chat", "gpt", None)
    assert len(limits._placed) <= 4096
    assert all(len(value or "") <= 256 for told in limits._placed for value in told)


@pytest.mark.parametrize("blank", [None, "", " ", "\t\n\u2003 "])
def test_what_was_not_sent_is_unknown_and_needs_no_budget(blank):
    limits = limiter(0)
    assert fold(limits, "app", blank) == UNKNOWN
    assert fold(limits, "app", UNKNOWN) == UNKNOWN
    assert "app" not in limits.take_overflow()


def test_a_value_that_calls_itself_other_takes_no_budget():
    limits = limiter(1)
    assert fold(limits, "app", OTHER) == OTHER
    assert fold(limits, "app", "a") == "a"


@pytest.mark.parametrize(
    ("sent", "label"),
    [
        ("  shop \n", "shop"),
        ("a\nb\x00\x1bc", "a_b_c"),
        ("a\ud800b", "a_b"),
        ("pay\u202epal", "pay_pal"),
        ("a\u200bb", "a_b"),
        ("\x00", "_"),
        ('q"\\', 'q"\\'),
        ("Größe/übung", "Größe/übung"),
    ],
)
def test_unfit_characters_become_one_underscore(sent, label):
    assert fold(limiter(), "app", sent) == label


def test_what_is_too_long_is_cut_and_kept_apart():
    limits = limiter(9, max_length=32)
    values = [fold(limits, "app", "x" * 100 + end) for end in "ab"]
    assert [len(value) for value in values] == [32, 32]
    assert values[0] != values[1]
    assert all(value.startswith("x" * 23 + "~") for value in values)


def test_a_cut_never_splits_a_character():
    value = fold(limiter(9, max_length=32), "app", "é" * 100)
    assert value.startswith("é" * 11 + "~")
    assert len(value.encode()) == 31


def test_a_length_is_measured_in_bytes_as_prometheus_does():
    assert fold(limiter(max_length=32), "app", "é" * 16) == "é" * 16
    assert fold(limiter(max_length=32), "app", "é" * 17) != "é" * 17


def test_hostile_values_do_not_stay_in_memory():
    limits = limiter(10)
    for number in range(50):
        fold(limits, "app", f"{number}" + "x" * 1_000_000)
        fold(limits, "route", f"/{number}" + "/x" * 500_000)
    assert held_bytes(limits) < 20_000


def test_a_stream_of_new_values_does_not_stay_in_memory():
    limits = limiter(10)
    for number in range(10_000):
        fold(limits, "app", f"{number:0200d}")
    assert len(limits._cleaned["app"]) <= 4096
    assert len({where.app for where in limits.slices.shown} - {OTHER}) == 10


@pytest.mark.parametrize(
    ("route", "template"),
    [
        ("/chat/123", "/chat/:id"),
        ("GET /users/550e8400-e29b-41d4-a716-446655440000/orders?page=2#top", "GET /users/:id/orders"),
        ("/runs/550E8400E29B41D4A716446655440000", "/runs/:id"),
        ("/c/9f86d081884c7d659a2f", "/c/:id"),
        ("/u/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/u/:id"),
        ("/u/user_2aXkP9fQz0abCDeF1", "/u/:id"),
        ("/t/thread-550e8400-e29b-41d4-a716-446655440000", "/t/:id"),
        ("/s/dGhpcyBpcyBhIHRlc3Q5NDU2Nz-8yMTQ1_A", "/s/:id"),
        ("/mail/a.b@example.org", "/mail/:id"),
        ("12345", ":id"),
        ("/a/1/b/2/", "/a/:id/b/:id/"),
    ],
)
def test_ids_in_routes_become_one_template(route, template):
    assert fold(limiter(), "route", route) == templated(route) == template


@pytest.mark.parametrize(
    "route",
    [
        "/",
        "/v1/chat/completions",
        "/chat/:id",
        "/chat/{id}",
        "checkout-agent",
        "OAuth2Callback-v2",
        "OrderService.GetStatusV2",
        "/facade/decade",
        "/how-to-fix-your-car-in-10-days",
        "/gpt-4o-mini-2024-07-18",
        "why not? #1",
    ],
)
def test_names_in_routes_stay(route):
    assert fold(limiter(), "route", route) == route


def test_only_routes_are_templated_and_only_if_wanted():
    assert fold(limiter(), "app", "/chat/123") == "/chat/123"
    assert fold(limiter(template_routes=False), "route", "/chat/123?x") == "/chat/123?x"


def test_templates_share_the_budget_of_one_route():
    limits = limiter(1)
    assert {fold(limits, "route", f"/chat/{number}") for number in range(100)} == {"/chat/:id"}
    assert limits.take_overflow() == {}


def test_an_allow_list_closes_a_label_whatever_its_budget():
    limits = limiter(1, allow={"route": ("/chat/:id", "/search")})
    assert fold(limits, "route", "/chat/7") == "/chat/:id"
    assert fold(limits, "route", "/search") == "/search"
    assert fold(limits, "route", "/admin") == OTHER
    assert fold(limits, "route", None) == UNKNOWN
    assert limits.take_overflow() == {"route": 1}


def test_an_empty_allow_list_allows_everything():
    assert fold(limiter(allow={"route": ()}), "route", "/any") == "/any"


def test_values_of_restored_totals_stay_named_whatever_the_budget():
    limits = limiter(1)
    used = {Slice(app, "/chat", "gpt", "v1"): limits._now() for app in ("old", "older", UNKNOWN, OTHER)}
    limits.restore(used)
    assert [fold(limits, "app", value, app=None) for value in ("old", "older", "new")] == ["old", "older", OTHER]


def test_a_reload_keeps_what_is_known_and_takes_the_new_budget():
    limits = limiter(2)
    for value in "abc":
        fold(limits, "app", value)
    limits.configure(dict.fromkeys(LABELS, 1))
    assert [fold(limits, "app", value) for value in "abc"] == ["a", "b", OTHER]
    limits.configure(dict.fromkeys(LABELS, 3))
    assert [fold(limits, "app", value) for value in "abcd"] == ["a", "b", "c", OTHER]


def test_values_that_expired_free_the_budget_of_their_app():
    limits = limiter(2)
    for app in ("shop", "desk"):
        assert [fold(limits, "route", value, app=app) for value in ("/a", "/b", "/c")] == ["/a", "/b", OTHER]
    rest(limits, 60)
    kept = limits._now()
    for app, value in (("shop", "/b"), ("desk", "/a"), ("desk", "/b")):
        fold(limits, "route", value, app=app)
    limits.expire(kept)
    assert [fold(limits, "route", value, app="shop") for value in ("/b", "/c", "/d")] == ["/b", "/c", OTHER]
    assert [fold(limits, "route", value, app="desk") for value in ("/a", "/b", "/c")] == ["/a", "/b", OTHER]


def test_a_value_that_rests_for_an_hour_makes_room_and_the_one_that_rests_longest_goes_first():
    limits = limiter(2)
    fold(limits, "prompt_version", "v1")
    rest(limits, 600)
    fold(limits, "prompt_version", "v2")
    assert fold(limits, "prompt_version", "v3") == OTHER
    rest(limits, IDLE - 600)
    assert [fold(limits, "prompt_version", value) for value in ("v3", "v2", "v4", "v1")] == ["v3", "v2", OTHER, OTHER]


def test_a_version_that_was_rolled_back_to_is_named_again():
    limits = limiter(2)
    for version in ("v1", "v2"):
        fold(limits, "prompt_version", version)
        rest(limits, 1)
    rest(limits, IDLE)
    assert fold(limits, "prompt_version", "v3") == "v3"
    assert Slice("shop", "/chat", "gpt", "v1") in limits.slices.parked
    rest(limits, IDLE)
    assert fold(limits, "prompt_version", "v1") == "v1"
    assert Slice("shop", "/chat", "gpt", "v1") in limits.slices.shown


def test_what_comes_later_than_its_trace_counts_under_the_slice_that_is_shown():
    limits = limiter(2)
    for version in ("v1", "v2"):
        fold(limits, "prompt_version", version)
    rest(limits, IDLE)
    for version in ("v3", "v4"):
        fold(limits, "prompt_version", version)
    assert limits.current(Slice("shop", "/chat", "gpt", "v4")) == Slice("shop", "/chat", "gpt", "v4")
    assert limits.current(Slice("shop", "/chat", "gpt", "v1")) == Slice("shop", "/chat", "gpt", OTHER)
    assert limits.current(Slice("shop", "/chat", "gpt", OTHER)) == Slice("shop", "/chat", "gpt", OTHER)


def test_a_look_takes_no_room():
    limits = limiter(1)
    assert limits.peek("shop", "gpt", "v9") == ("shop", "gpt", "v9")
    limits.slice("shop", "/chat", "gpt", "v1")
    assert limits.peek("shop", "gpt", "v1") == ("shop", "gpt", "v1")
    assert limits.peek("shop", "gpt", "v9") == ("shop", "gpt", OTHER)
    assert limits.peek("desk", "gpt", "v9") == (OTHER, "gpt", "v9")


# The budget of slices


def test_an_app_that_multiplies_its_labels_folds_the_version_with_the_most_values_first():
    limits = limiter(50, slices=40)
    told = [("shop", f"/r{number}", f"m{number % 3}", f"v{number}") for number in range(40)]
    shown = [limits.slice(*one) for one in told]
    assert all(where[:2] == sent[:2] for where, sent in zip(shown, told, strict=True))
    assert shown[0] == told[0]
    assert (shown[-1].model_version, shown[-1].prompt_version) in {("m0", OTHER), (OTHER, OTHER)}
    overflow = limits.take_overflow()
    assert overflow["prompt_version"] > overflow.get("model_version", 0)
    assert "route" not in overflow


def test_the_app_is_never_folded_for_slices():
    limits = limiter(50, slices=8)
    shown = {limits.slice("shop", f"/r{n}", f"m{n}", f"v{n}") for n in range(50)}
    assert {where.app for where in shown} == {"shop"}
    assert Slice("shop", OTHER, OTHER, OTHER) in shown
    assert len(shown) <= 8 + 1


def test_an_app_with_less_than_its_share_is_named_whatever_another_does():
    limits = limiter(50, slices=40)
    for number in range(5_000):
        limits.slice("exploding", f"/r{number % 50}", f"m{number % 49}", f"v{number % 47}")
    for app in range(3):
        for number in range(7):
            told = (f"app {app}", f"/r{number}", "gpt", "v1")
            assert limits.slice(*told) == told
    limits.take_overflow()
    for number in range(5_000):
        limits.slice("exploding", f"/r{number % 50}", f"m{number % 49}", f"v{number % 47}")
    for app in range(3):
        for number in range(7):
            told = (f"app {app}", f"/r{number}", "gpt", "v1")
            assert limits.slice(*told) == told
    assert len([where for where in limits.slices.shown if not where.is_rest]) <= 40


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 4), st.integers(0, 6), st.integers(0, 2_000)),
        max_size=200,
    ),
    st.integers(1, 30),
    st.integers(0, 8),
)
def test_whatever_comes_the_slices_shown_and_kept_stay_within_their_budgets(events, slices, budget):
    limits = limiter(budget, slices=slices)
    for app, route, model, prompt, seconds in events:
        rest(limits, seconds)
        told = (f"a{app}", f"/r{'abcdefg'[route]}", f"m{model}", f"v{prompt}")
        where = limits.slice(*told)
        assert all(value in {sent, OTHER} for value, sent in zip(where, told, strict=True))
        assert where in limits.slices.shown
        assert len([one for one in limits.slices.shown if not one.is_rest]) <= slices
        assert len(limits.slices.parked) <= slices
        assert limits.slices.shown.keys().isdisjoint(limits.slices.parked)
        assert limits.current(where) == where
    shown = limits.slices.shown
    assert len({one.app for one in shown} - {OTHER}) <= budget
    for app in {one.app for one in shown}:
        for at in (1, 2, 3):
            assert len({one[at] for one in shown if one.app == app} - {OTHER}) <= budget


@settings(max_examples=300)
@given(ANY_TEXT, st.sampled_from(LABELS), st.integers(9, 200))
def test_any_text_becomes_a_short_clean_stable_value(value, label, max_length):
    limits = limiter(5, max_length=max_length)
    folded = fold(limits, label, value)
    encoded = folded.encode()  # raises on a lone surrogate
    assert folded == OTHER or 0 < len(encoded) <= max_length
    assert folded == folded.strip()
    assert all(character.isprintable() or character.isspace() for character in folded if ord(character) < 0xFF)
    assert not set(folded) & set("\n\r\x00\u2028\u202e")
    assert fold(limits, label, value) == folded
    assert fold(limits, label, folded) == folded


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(LABELS), ANY_TEXT), max_size=60), st.integers(0, 4))
def test_no_label_ever_has_more_values_than_its_budget(events, budget):
    limits = limiter(budget)
    seen = {label: set() for label in LABELS}
    folded_away = dict.fromkeys(LABELS, 0)
    for label, value in events:
        folded = fold(limits, label, value)
        seen[label].add(folded)
        folded_away[label] += folded == OTHER and value != OTHER
    of_others = {"app": "shop", "route": "/chat", "model_version": "gpt", "prompt_version": "v1"}
    assert all(len(seen[label] - {UNKNOWN, OTHER, of_others[label]}) <= budget for label in LABELS)
    overflow = limits.take_overflow()
    assert all(overflow.get(label, 0) >= folded_away[label] for label in LABELS)


@pytest.mark.parametrize(
    "hostile",
    ["/" * 1_000_000, "a" * 1_000_000, "1a" * 500_000, "A1b" * 1365, "@" * 4000, "a@" + "b." * 2000, "1-" * 2000 + "!"],
)
def test_a_hostile_route_costs_no_more_than_its_length(hostile):
    """Would not end if a pattern backtracked over and over; the bound on the result is what is asserted."""
    assert len(fold(limiter(), "route", hostile).encode()) <= 128
