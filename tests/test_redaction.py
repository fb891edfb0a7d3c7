"""What is replaced before text is stored, and what is not."""

import importlib.util
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import exporter.redaction.shadow as shadow
from exporter.redaction import KEYS, KINDS, NAMES, WITHHELD, Budget, PatternError, Redactor, SpentError, compiled

ALL = Redactor(KINDS)
QUICK, CLOSE = Redactor(KINDS), Redactor(KINDS)
"""The same, but that the second looks closely for each kind in every text."""
CLOSE._kinds = lambda _text: (1 << len(KINDS)) - 1
PRIVATE_KEY = "-----BEGIN {}PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END {}PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
FOUND = {
    "write to ada.l@example.co.uk.": "write to [email].",
    "an <ada+shop@example.com>": "an <[email]>",
    "zoë@münchen.example schrieb": "[email] schrieb",
    "call +49 (30) 1234-5678, please": "call [phone], please",
    "0049 30 1234567": "[phone]",
    "ring 020 7946 0958 or 01 42 68 53 11": "ring [phone] or [phone]",
    "(555) 123-4567; 555-123-4567": "[phone]; [phone]",
    "card 4111 1111 1111 1111!": "card [card]!",
    "4111111111111111 and 378282246310005": "[card] and [card]",
    "3782 822463 10005": "[card]",
    "order 12 4111-1111-1111-1111": "order 12 [card]",
    "to DE89 3704 0044 0532 0130 00 BY FRIDAY": "to [iban] BY FRIDAY",
    "gb82west12345698765432": "[iban]",
    "from 10.0.0.255 or 2001:db8::8a2e:370:7334": "from [ip] or [ip]",
    "sk-proj-a1B2c3D4e5F6g7H8 is mine": "[secret] is mine",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a": "[secret]",
    "AKIAIOSFODNN7EXAMPLE": "[secret]",
    f"use {TOKEN} now": "use [secret] now",
    "postgres://app:hunter2@db.example/main": "postgres://app:[secret]@db.example/main",
    "Authorization: Bearer a1b2c3d4e5f6g7": "Authorization: Bearer [secret]",
    'api_key = "Zx81Qw73Er64Ty55"': 'api_key = "[secret]"',
    '{"client_secret": "Zx81Qw73Er64Ty55"}': '{"client_secret": "[secret]"}',
    'args: {\\"token\\": \\"Zx81Qw73Er64Ty55\\"}': 'args: {\\"token\\": \\"[secret]\\"}',
    PRIVATE_KEY.format("RSA ", "RSA ") + " ok": "[secret] ok",
    PRIVATE_KEY.format("", "")[:40]: "[secret]",
}
KEPT = [
    "on 2024-01-15 at 10:30, or 01/02/2024, or 01-02-2024",
    "it costs 1,234,567.89 of 2 000 000 000; pi is 3.14159265358979",
    "card 4111 1111 1111 1112, order 1234567890123, at 1700000000",
    "DE88370400440532013000 has a wrong checksum",
    "ISBN 978-3-16-148410-0",
    "sk-learn-compatible-estimators in a task-sk-queue-of-some-length",
    "max_tokens=4096, tokens: 12345678, secret: confidential",
    "commit 3f2504e04f8911d39a0c0305e82c3301a1b2c3d4, id 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "std::vector<int> at 10:30:45, @decorator, a @ b",
    "version 1.2.3.4.5, section 4.2.1",
    "KZ12c, and with a Kelvin sign 5\u212aZ123456789012345678901234",
]


@pytest.mark.parametrize(("text", "redacted"), FOUND.items())
def test_what_has_a_form_is_replaced_by_its_kind(text, redacted):
    counts = Counter()
    assert ALL.text(text, counts) == redacted
    assert counts.total() >= 1


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_it_is_kept(text):
    counts = Counter()
    assert ALL.text(text, counts) is text
    assert not counts


def test_only_the_kinds_that_are_asked_for_are_replaced():
    text = "ada@example.com from 10.0.0.1"
    assert Redactor(["email"]).text(text) == "[email] from 10.0.0.1"
    assert Redactor().text(text) is text


def test_own_patterns_are_replaced_by_their_names_before_numbers_are_looked_at():
    redactor = Redactor(KINDS, {"customer": r"C-\d{6}", "ticket": r"(?i)ticket \d+"})
    counts = Counter()
    assert redactor.text("C-123456 has Ticket 99, +49 30 1234567", counts) == "[customer] has [ticket], [phone]"
    assert counts == {"customer": 1, "ticket": 1, "phone": 1}


def test_an_own_pattern_that_matches_placeholders_leaves_them_alone():
    redactor = Redactor(["email"], {"word": r"\w+"})
    once = redactor.text("mail ada@example.com")
    assert redactor.text(once) == once
    assert "[[" not in once


def test_an_own_pattern_cannot_cut_a_private_key_in_two():
    key = PRIVATE_KEY.format("", "")
    assert Redactor(KINDS, {"letters": "MII"}).text(f"{key} MII") == "[secret] [letters]"


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", r"\C\C", "a*", ""])
def test_a_pattern_that_cannot_be_used_is_refused_with_its_cure(pattern):
    with pytest.raises(PatternError, match=r"in the syntax of RE2|one character at least|write a dot"):
        compiled(pattern)


def test_values_are_redacted_wherever_text_stands_in_them():
    value = {"to": ["ada@example.com", 7, None, True], "card": 4111111111111111, "at": 1_700_000_000, "x": 1 << 400}
    redacted = {"to": ["[email]", 7, None, True], "card": "[card]", "at": 1_700_000_000, "x": 1 << 400}
    assert ALL.value(value) == redacted
    assert ALL.value({"ada@example.com": 1.5}) == {"[email]": 1.5}


def test_text_with_more_to_look_at_than_there_is_time_for_is_withheld():
    budget, counts = Budget(), Counter()
    assert ALL.text("a@b.example " * 10_000, counts, budget) == WITHHELD
    assert budget.withheld == {"matches": 1}
    assert not counts


def test_all_texts_of_a_trace_share_one_budget():
    texts = ["a@b.example", "a@b.example " * 10_000, "c@d.example", ""]
    budget = Budget()
    assert ALL.value(texts, budget=budget) == ["[email]", WITHHELD, WITHHELD, ""]
    assert budget.withheld == {"matches": 2}
    assert ALL.text("c@d.example") == "[email]"


def test_a_text_that_is_too_long_is_withheld_however_little_there_is_to_find():
    budget = Budget(steps=1_000)
    assert ALL.text("word " * 300, budget=budget) == WITHHELD
    assert budget.withheld == {"length": 1}


@pytest.mark.parametrize(
    "piece",
    ["sk-", "4", "4 ", "a@", "-----BEGIN PRIVATE KEY-----", "token=", "+1", "DE89 ", ":a", "://a:", "1.1", "0 ", "- J"],
)
def test_no_text_takes_long(piece):
    text = piece * (500_000 // len(piece))
    started = time.process_time()
    ALL.text(text)
    assert time.process_time() - started < 3.0  # a pattern that backtracks would need hours


PIECES = st.sampled_from([*FOUND, *KEPT, "[email]", "[secret]", " ", "@", "+", "=", "token", "\ud800", "4", "é", "://"])
TEXTS = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=8).map("".join))
REDACTORS = st.sampled_from([ALL, Redactor(["email", "phone"]), Redactor(KINDS, {"digits": r"\d+", "pair": r"(?s).."})])


@settings(max_examples=300)
@given(REDACTORS, TEXTS)
def test_redaction_never_fails_and_is_the_same_twice(redactor, text):
    once = redactor.text(text)
    counts = Counter()
    assert redactor.text(once, counts) == once


@settings(max_examples=200)
@given(REDACTORS, st.lists(TEXTS, max_size=4, unique=True))
def test_texts_are_redacted_together_as_each_alone(redactor, texts):
    together, alone = Counter(), Counter()
    assert redactor.value(texts, together) == [redactor.text(text, alone) for text in texts]
    assert together == alone


def of(alphabet, least, most):
    return st.text(alphabet, min_size=least, max_size=most)


def written(*parts):
    """A strategy for text: of patterns of Python's and strategies, one after another."""
    made = (part if isinstance(part, st.SearchStrategy) else st.from_regex(part, fullmatch=True) for part in parts)
    return st.tuples(*made).map("".join)


GRAY = st.sampled_from(
    ["", " ", "\n", "\t ", '"', "'", '\\"', "\v", "\u017f", "\u212a", "x", "7", ".", "_", "=", ":", "é"]
)
VALUE, WORD = of("aB3dE5gH7jK9+/.~!@#$%^&*=-_", 7, 24), of("aB3dE5gH7jK9_-.", 12, 24)
PRIVATE = st.one_of(
    written("(?a)-----(BEGIN|begin) (RSA )?PRIVATE KEY-----[MI+/=\n]{0,9}(-----END PRIVATE KEY-----)?"),
    written("(?a)eyJ[\\w-]{7,12}\\.[\\w-]{0,6}(\\.x)?"),
    written(f"(?a){KEYS}", WORD),
    written("[a-z]{0,5}://[a-z]{0,4}:", of("aB3#$:=~", 1, 9), "@"),
    written("(?i)(bearer|basic)[ \n]{0,2}", WORD, "={0,2}"),
    written(f"(?i)({NAMES})[a-z_-]{{0,3}}", GRAY, "[ \n]?(:=|=>|[:=])[ \n]?", GRAY, VALUE),
    written("[a-zé.+'-]{1,4}@([aé](-a)?\\.){0,2}[a-zé]{2,3}"),
    st.sampled_from(["DE89370400440532013000", "gb82west12345698765432", "NO9386011117947", "XK051212012345678906"]),
    st.sampled_from(["4111111111111111", "3782 822463 10005", "4111-1111-1111-1111", "4222222222222"]),
    written("[+]?(00)?[1-9][0-9 ().-]{5,16}[0-9]"),
    written("(1[ .-])?([(][2-9][0-9]{2}[)] ?|[2-9][0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}"),
    written("[(]?0[1-9][0-9]{0,4}[)]?[ /-]?[0-9][0-9 ]{3,11}[0-9]"),
)


@st.composite
def changed(draw, texts):
    """A text, often with a character too few, too many, or another one somewhere."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(GRAY) + text[at + draw(st.integers(0, 2)) :]
    return text


@settings(max_examples=400)
@given(st.lists(st.one_of(GRAY, changed(PRIVATE), TEXTS), min_size=1, max_size=5).map("".join))
def test_a_cheap_look_misses_nothing_that_a_close_one_finds(text):
    quick, close = Counter(), Counter()
    assert QUICK.text(text, quick) == CLOSE.text(text, close)
    assert quick == close


@pytest.mark.compiled
@settings(max_examples=300)
@given(st.text())
def test_a_shadow_is_the_same_with_and_without_c(text):
    assume(text.encode("utf-8", "replace").decode() == text)
    with_c = shadow.shadow(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shadow, "COMPILED", False)
        assert shadow.shadow(text) == with_c
    places = shadow.places(text, with_c)
    assert len(text if places is None else places) == len(with_c)


@pytest.mark.parametrize("name", NAMES.split("|"))
@settings(max_examples=20)
@given(st.data())
def test_every_name_is_found(name, data):
    text = data.draw(st.from_regex(f"(?i){name}", fullmatch=True)) + data.draw(st.sampled_from([" = ", ':"', "="]))
    text = text.replace("\u017f", "s").replace("\u212a", "k") + "Zx81Qw73Er64"
    assert "Zx81Qw73Er64" not in QUICK.text(text)


@pytest.mark.parametrize(
    "text", ["the frobnicator: Zx81Qw73", {"my_frobnicator": "Zx81Qw73"}, '{"frob-nicator":"Zx81Qw73"}']
)
def test_a_name_that_is_added_is_found_everywhere(text):
    with_name = Redactor(KINDS, names=f"{NAMES}|frob-?nicator")
    assert "Zx81Qw73" in str(ALL.value(text))
    assert "Zx81Qw73" not in str(with_name.value(text))


@pytest.mark.parametrize("name", ["(a|b)+", "x", "to.*ken", "a{3}"])
def test_a_name_that_cannot_be_looked_for_cheaply_is_refused(name):
    with pytest.raises(ValueError, match="is not a name of letters"):
        Redactor(KINDS, names=f"{NAMES}|{name}")


@pytest.mark.compiled
@pytest.mark.parametrize(
    "text", ["On 2024-01-15 at 10:30: 1,234.56 for 2 (of 20) in v13", "A-1234, 3rd - J\u00e4 --- key", ""]
)
def test_a_cheap_look_is_enough_for_ordinary_text(text):
    assert Redactor(["secret", "email", "phone", "card", "iban"])._look.kinds(text) == 0


@pytest.mark.parametrize(
    "piece", ["token=abcdefgh ", "0123456,", "01 01 01   1\n", "+1 2345678;", "12345 ", "a1b2c3d.e4 "]
)
def test_a_cheap_look_changes_nothing_for_texts_with_much_to_look_at(piece):
    for size in (7_000, 9_000, 40_000):
        text = piece * (size // len(piece))
        assert QUICK.text(text) == CLOSE.text(text)


@settings(max_examples=300)
@given(st.text(st.characters(exclude_characters="@:=+-._0123456789", exclude_categories=["Nd"])))
def test_text_without_anything_to_find_is_the_same_text(text):
    assert ALL.text(text) is text


@settings(max_examples=100)
@given(
    st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9})?@[a-z]{2,9}\.(com|example|co\.uk)", fullmatch=True), st.text(max_size=20)
)
def test_no_address_survives(address, text):
    assert address not in ALL.text(f"{text} {address} {text}")


PLANTED = [
    ("ada@planted.example", "ada@planted.example"),
    ("+49 170 7654321", "7654321"),
    ("4012-8888-8888-1881", "8888"),
    ("DE89 3704 0044 0532 0130 00", "3704 0044"),
    ("sk-proj-pLanted1234567890", "pLanted1234567890"),
    ('"password": "planted horse"', "planted horse"),
    ('{\\"password\\": \\"planted horse\\"}', "planted horse"),
    ("api_key=pLanted12345", "pLanted12345"),
    ("postgres://bob:pLanted@db", "pLanted"),
    ("-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----", "planted"),
    ("\uff14\uff11\uff11\uff11\u00a01111\u20091111\u20111111", "1111\u2009"),
]
HOSTILE = st.one_of(
    st.sampled_from(
        ["[email]", "[secret]", "order", "'", '"', "\\", "://", "a@", "+", "(", "1.2", "0 ", "=", ":", "[", "{"]
    ),
    st.sampled_from(["-----BEGIN", "eyJ", "token=", '"password":', "cookie: a=b;", "bearer", "00", "12 34", "DE89"]),
    st.sampled_from(["\u200b", "\ud800", "é", "\x00"]),
)


@settings(max_examples=500)
@given(st.lists(st.one_of(HOSTILE, st.text(max_size=4)), max_size=8), st.sampled_from(PLANTED), st.data())
def test_nothing_around_it_lets_what_is_planted_survive(around, planted, data):
    text, private = planted
    at = data.draw(st.integers(0, len(around)))
    redacted = ALL.text("\n".join([*around[:at], text, *around[at:]]))
    assert private not in redacted
    assert ALL.text(redacted) == redacted


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-999, 999), TEXTS, st.sampled_from([text for text, _ in PLANTED])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["password", "note", "token", "name", "value"]), inner),
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(VALUES)
def test_values_never_fail_are_the_same_twice_and_hide_what_is_planted(value):
    once = ALL.value(value)
    assert ALL.value(once) == once
    assert not [private for _, private in PLANTED if private in str(once)]


@pytest.mark.parametrize(
    "value",
    [
        {"password": "hunter22"},
        {"deep": [{"db": {"Password": "correct horse"}}]},
        {"apiKey": "planted", "n": 1},
        {"user_password2": 123456},
        {"passwords": ["one", "two"]},
        {"credentials": {"password": {"value": "Zx81Qw73"}}},
        {"headers": [{"name": "X-Api-Key", "value": "planted"}]},
        {"token": "Zx81Qw73Er64"},
        {"body": '{"password": "correct horse"}'},
        {"body": '{"a": "{\\"password\\": \\"correct horse\\"}"}'},
        ["{'password': 'correct horse'}"],
    ],
)
def test_what_an_object_names_as_a_secret_is_one(value):
    counts = Counter()
    redacted = str(ALL.value(value, counts))
    assert "[secret]" in redacted
    assert counts["secret"] >= 1
    for private in ("hunter22", "horse", "planted", "123456", "'one'", "'two'", "Zx81"):
        assert private not in redacted


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 4096, "token_type": "Bearer", "tokens": None},
        {"password": None, "passwd": "", "pwd": "********", "has_password": True},
        {"password": {"type": "string", "minLength": 8}, "secret": "in the vault"},
        {"name": "password", "type": "input", "value": ""},
        {"secretary": "Bob", "signature": "f(x)", "cookie": "with chocolate"},
    ],
)
def test_what_an_object_only_names_is_kept(value):
    assert ALL.value(value) is value


def test_what_is_private_is_found_with_its_place_in_the_text():
    text = "Zoë\u200b: a@b.example, +49\u00a0170\u00a01234567"
    found = ALL.find(text)
    assert [(one.kind, text[one.start : one.end]) for one in found] == [
        ("email", "a@b.example"),
        ("phone", "+49\u00a0170\u00a01234567"),
    ]
    with pytest.raises(SpentError):
        ALL.find(text, Budget(steps=10))


# What is published of it.


@pytest.fixture(scope="module")
def quality():
    path = Path(__file__).parent.parent / "benchmarks" / "redaction.py"
    spec = importlib.util.spec_from_file_location("redaction_quality", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_published_precision_and_recall_are_what_is_measured(quality):
    page = (Path(__file__).parent.parent / "exporter" / "store" / "README.md").read_text("utf-8")
    assert quality.table() in page


def test_what_is_measured_is_half_near_misses(quality):
    lines = list(quality.lines())
    assert len(lines) >= 300
    assert len({text for text, _ in lines}) == len(lines)
    assert sum(not private for _, private in lines) >= len(lines) / 2
