import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.metrics.labels import OTHER, UNKNOWN, Limiter, Slice, templated

LABELS = ("app", "route", "model_version", "prompt_version")
ANY_TEXT = st.text(st.characters(codec=None), max_size=300) | st.none()


def limiter(budget=3, **options):
    return Limiter(dict.fromkeys(LABELS, budget), **options)


def held_bytes(limits):
    """Rough size of all texts that a limiter keeps, known and cached."""
    kept = [text for values in limits._known.values() for text in values]
    kept += [text for cached in limits._cache.values() for pair in cached.items() for text in pair]
    return sum(sys.getsizeof(text) for text in kept)


def test_values_are_named_first_come_until_the_budget_is_spent():
    limits = limiter(2)
    assert [limits.fold("app", value) for value in ("a", "b", "c", "a", "d")] == ["a", "b", OTHER, "a", OTHER]
    assert limits.take_overflow() == {"app": 2}
    assert limits.take_overflow() == {}


def test_each_folding_is_counted_also_of_a_value_seen_before():
    limits = limiter(0)
    for _ in range(5):
        assert limits.fold("app", "x") == OTHER
    assert limits.take_overflow() == {"app": 5}


def test_only_the_exploding_label_is_folded():
    limits = limiter(1)
    limits.slice("shop", "/chat", "gpt", "v1")
    assert limits.slice("shop", "/chat", "gpt", "v2") == Slice("shop", "/chat", "gpt", OTHER)
    assert limits.take_overflow() == {"prompt_version": 1}


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
    limits.retain("app", ())
    assert apps("b", "a") == ["b", OTHER]
    limits.learn("app", ["a"])
    assert apps("b", "a") == ["b", "a"]
    limits.configure(dict.fromkeys(LABELS, 1), allow={"app": ("b",)})
    assert apps("b", "a") == ["b", OTHER]


def test_slices_of_ever_new_names_are_not_kept_for_ever():
    limits = limiter(20_000)
    for number in range(5_000):
        limits.slice(f"shop {number}", "/chat", "gpt", None)
        limits.slice(f"{'shop' * 100} {number}", "/chat", "gpt", None)
    assert len(limits._slices) <= 4096
    assert all(len(value or "") <= 256 for told in limits._slices for value in told)


@pytest.mark.parametrize("blank", [None, "", " ", "\t\n\u2003 "])
def test_what_was_not_sent_is_unknown_and_needs_no_budget(blank):
    limits = limiter(0)
    assert limits.fold("app", blank) == UNKNOWN
    assert limits.fold("app", UNKNOWN) == UNKNOWN
    assert limits.take_overflow() == {}


def test_a_value_that_calls_itself_other_takes_no_budget():
    limits = limiter(1)
    assert limits.fold("app", OTHER) == OTHER
    assert limits.fold("app", "a") == "a"


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
    assert limiter().fold("app", sent) == label


def test_what_is_too_long_is_cut_and_kept_apart():
    limits = limiter(9, max_length=32)
    values = [limits.fold("app", "x" * 100 + end) for end in "ab"]
    assert [len(value) for value in values] == [32, 32]
    assert values[0] != values[1]
    assert all(value.startswith("x" * 23 + "~") for value in values)


def test_a_cut_never_splits_a_character():
    value = limiter(9, max_length=32).fold("app", "é" * 100)
    assert value.startswith("é" * 11 + "~")
    assert len(value.encode()) == 31


def test_a_length_is_measured_in_bytes_as_prometheus_does():
    assert limiter(max_length=32).fold("app", "é" * 16) == "é" * 16
    assert limiter(max_length=32).fold("app", "é" * 17) != "é" * 17


def test_hostile_values_do_not_stay_in_memory():
    limits = limiter(10)
    for number in range(50):
        limits.fold("app", f"{number}" + "x" * 1_000_000)
        limits.fold("route", f"/{number}" + "/x" * 500_000)
    assert held_bytes(limits) < 20_000


def test_a_stream_of_new_values_does_not_stay_in_memory():
    limits = limiter(10)
    for number in range(10_000):
        limits.fold("app", f"{number:0200d}")
    assert len(limits._cache["app"]) <= 4096
    assert len(limits._known["app"]) == 10


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
    assert limiter().fold("route", route) == templated(route) == template


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
    assert limiter().fold("route", route) == route


def test_only_routes_are_templated_and_only_if_wanted():
    assert limiter().fold("app", "/chat/123") == "/chat/123"
    assert limiter(template_routes=False).fold("route", "/chat/123?x") == "/chat/123?x"


def test_templates_share_the_budget_of_one_route():
    limits = limiter(1)
    assert {limits.fold("route", f"/chat/{number}") for number in range(100)} == {"/chat/:id"}
    assert limits.take_overflow() == {}


def test_an_allow_list_closes_a_label_whatever_its_budget():
    limits = limiter(0, allow={"route": ("/chat/:id", "/search")})
    assert limits.fold("route", "/chat/7") == "/chat/:id"
    assert limits.fold("route", "/search") == "/search"
    assert limits.fold("route", "/admin") == OTHER
    assert limits.fold("route", None) == UNKNOWN
    assert limits.take_overflow() == {"route": 1}


def test_an_empty_allow_list_allows_everything():
    assert limiter(allow={"route": ()}).fold("route", "/chat") == "/chat"


def test_values_of_restored_totals_stay_named_whatever_the_budget():
    limits = limiter(1)
    assert limits.fold("app", "new") == "new"
    assert limits.fold("app", "old") == OTHER
    limits.learn("app", ["old", "older", UNKNOWN, OTHER])
    assert [limits.fold("app", value) for value in ("old", "older", "new", "newer")] == ["old", "older", "new", OTHER]


def test_a_reload_keeps_what_is_known_and_takes_the_new_budget():
    limits = limiter(2)
    for value in "abc":
        limits.fold("app", value)
    limits.configure(dict.fromkeys(LABELS, 1))
    assert [limits.fold("app", value) for value in "abc"] == ["a", "b", OTHER]
    limits.configure(dict.fromkeys(LABELS, 3))
    assert [limits.fold("app", value) for value in "abcd"] == ["a", "b", "c", OTHER]


def test_values_that_expired_free_their_budget():
    limits = limiter(2)
    for value in "ab":
        limits.fold("app", value)
    assert limits.fold("app", "c") == OTHER
    limits.retain("app", {"b"})
    assert [limits.fold("app", value) for value in "bcd"] == ["b", "c", OTHER]


def test_a_label_without_a_budget_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        limiter().fold("colour", "red")


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.sampled_from(LABELS), st.integers(9, 200))
def test_any_text_becomes_a_short_clean_stable_value(value, label, max_length):
    limits = limiter(5, max_length=max_length)
    folded = limits.fold(label, value)
    encoded = folded.encode()  # raises on a lone surrogate
    assert folded == OTHER or 0 < len(encoded) <= max_length
    assert folded == folded.strip()
    assert all(character.isprintable() or character.isspace() for character in folded if ord(character) < 0xFF)
    assert not set(folded) & set("\n\r\x00\u2028\u202e")
    assert limits.fold(label, value) == folded
    assert limits.fold(label, folded) == folded


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LABELS), ANY_TEXT), max_size=60), st.integers(0, 4))
def test_no_label_ever_has_more_values_than_its_budget(events, budget):
    limits = limiter(budget)
    seen = {label: set() for label in LABELS}
    folded_away = 0
    for label, value in events:
        folded = limits.fold(label, value)
        seen[label].add(folded)
        folded_away += folded == OTHER
    assert all(len(values - {UNKNOWN, OTHER}) <= budget for values in seen.values())
    assert sum(limits.take_overflow().values()) == folded_away


@pytest.mark.parametrize(
    "hostile",
    ["/" * 1_000_000, "a" * 1_000_000, "1a" * 500_000, "A1b" * 1365, "@" * 4000, "a@" + "b." * 2000, "1-" * 2000 + "!"],
)
def test_a_hostile_route_costs_no_more_than_its_length(hostile):
    """Would not end if a pattern backtracked over and over; the bound on the result is what is asserted."""
    assert len(limiter().fold("route", hostile).encode()) <= 128
