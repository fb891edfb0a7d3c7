import pytest

from exporter.config.units import Address, address, birth, duration, glob, size, store


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("2s", 2), ("1.5m", 90), ("1h30m", 5400), ("7d", 604_800), ("2w", 1_209_600), ("10s500ms", 10.5)],
)
def test_a_duration_is_seconds(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1 s", "1s ", "1y", "1e3s", "0s", "0h0m", "101w" * 99, "٣s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not"):
        duration(text)


def test_how_long_series_are_held_is_a_duration_or_learned_or_never():
    assert [birth(text) for text in ("auto", "never", "75s", "5m")] == ["auto", 0.0, 75.0, 300.0]
    for text, message in (("0s", "auto, never, or a duration"), ("often", "auto, never"), ("6m", "for 5m at most")):
        with pytest.raises(ValueError, match=message):
            birth(text)


@pytest.mark.parametrize(("text", "count"), [("1B", 1), ("1.5KiB", 1536), ("64 MiB", 64 << 20), ("2GiB", 2 << 30)])
def test_a_size_is_bytes(text, count):
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "1", "1MB", "1mib", "-1B", "0B", "0.1B", "9999999999999TiB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is not"):
        size(text)


@pytest.mark.parametrize("written", ["127.0.0.1:4318", "localhost:0", "[::1]:65535", "otel.example.org:1"])
def test_an_address_is_read_and_written_alike(written):
    assert str(address(written)) == written


@pytest.mark.parametrize(
    "text", ["", "4318", ":4318", "a:b", "::1:4318", "[::1]", "[nope]:1", "a:99999", "a b:1", "http://a:1"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"is not an address|is above 65535"):
        address(text)


def test_only_this_machines_own_addresses_are_loopback():
    assert [Address(host, 1).is_loopback for host in ("127.0.0.1", "::1", "localhost")] == [True] * 3
    assert [Address(host, 1).is_loopback for host in ("0.0.0.0", "::", "10.0.0.1", "example.org")] == [False] * 4


def test_a_glob_is_taken_as_it_is_unless_it_can_match_nothing():
    assert [glob(text) for text in ("*", "shop-?", "[a-z]*", "[[]x")] == ["*", "shop-?", "[a-z]*", "[[]x"]
    for text in ("", " a", "[", "a[b", "x" * 257):
        with pytest.raises(ValueError, match=r"pattern|without its"):
            glob(text)


def test_a_store_is_a_file():
    for url in ("sqlite:///llmq.db", "sqlite:////var/lib/llmq.db", "sqlite:///a/b%20c.db"):
        assert store(url) == url
    for url in (
        "",
        "llmq.db",
        "sqlite://llmq.db",
        "sqlite:///",
        "sqlite:////",
        "sqlite:///:memory:",
        "sqlite:///a?mode=ro",
    ):
        with pytest.raises(ValueError, match="is not a store"):
            store(url)
