"""Without tokens, requests for another host and from the pages of others are refused, on every path."""

import re

import pytest

from exporter.config.units import Address
from exporter.http.hosts import Caller, Hosts

LOCAL, EVERYWHERE = Address("127.0.0.1", 4318), Address("0.0.0.0", 4318)
EMBEDDED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
EVIL = {"Host": "evil.example:4318", "Origin": "http://evil.example:4318"}


def verdict(hosts, *names, path="/", is_read=True, **said):
    return hosts.check(Caller(path, is_read, names, **said))


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1:4318",
        "127.0.0.1",
        "127.8.8.8:1",
        "[::1]:4318",
        "[::1]",
        "[::ffff:127.0.0.1]:4318",
        "localhost:4318",
        "LOCALHOST",
        "localhost.:4318",
        "llmq.localhost:4318",
    ],
)
def test_loopback_names_are_this_machine(name):
    assert verdict(Hosts(LOCAL, checks_host=True), name) == "allowed"


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "evil.example:4318",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "10.0.0.7",
        "[2001:db8::1]",
        "127.0.0.1@evil.example",
        "127.0.0.1 evil.example",
        "",
        ":4318",
        "[::1",
        "127.0.0.1:4318:1",
        "x",
    ],
)
def test_other_names_are_not(name):
    assert verdict(Hosts(LOCAL, checks_host=True), name) == "host"


def test_two_hosts_must_both_be_ours_and_none_is_no_browser():
    hosts = Hosts(LOCAL, checks_host=True)
    assert verdict(hosts, "localhost", "evil.example") == "host"
    assert verdict(hosts) == "allowed"


def test_beyond_this_machine_addresses_are_allowed_and_names_are_not():
    hosts = Hosts(EVERYWHERE, checks_host=True)
    assert {verdict(hosts, name) for name in ("10.1.2.3:4318", "[2001:db8::1]:4318", "localhost:4318")} == {"allowed"}
    assert verdict(hosts, "llmq:4318") == "host"


def test_configured_names_are_allowed_with_their_port_where_they_have_one():
    hosts = Hosts(EVERYWHERE, ["llmq", "LLMQ.example.org:8443"], checks_host=True)
    for name in ("llmq", "llmq:4318", "llmq.", "llmq.example.org:8443"):
        assert verdict(hosts, name) == "allowed", name
    for name in ("llmq.example.org", "llmq.example.org:4318", "llmq.evil.example"):
        assert verdict(hosts, name) == "host", name


def test_the_name_that_is_listened_on_is_allowed():
    assert verdict(Hosts(Address("otel.example.org", 4318), checks_host=True), "otel.example.org:4318") == "allowed"
    assert verdict(Hosts(Address("::1", 4318), checks_host=True), "[0:0:0:0:0:0:0:1]:4318") == "allowed"


def test_a_star_or_tokens_allow_any_name():
    assert verdict(Hosts(EVERYWHERE, ["*"], checks_host=True), "evil.example") == "allowed"
    assert verdict(Hosts(EVERYWHERE), "evil.example") == "allowed"


@pytest.mark.parametrize("checks_host", [True, False])
@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://127.0.0.1:4318", "allowed"),
        ("http://127.0.0.1:3000", "origin"),
        ("http://localhost:4318", "origin"),
        ("http://evil.example", "origin"),
        ("http://evil.example:4318", "origin"),
        ("null", "origin"),
        ("", "origin"),
        ("file://127.0.0.1:4318", "origin"),
    ],
)
def test_a_page_must_be_of_the_very_host_and_port_that_it_asks(checks_host, origin, expected):
    for is_read in (True, False):
        found = verdict(Hosts(LOCAL, checks_host=checks_host), "127.0.0.1:4318", origin=origin, is_read=is_read)
        assert found == expected


def test_the_default_port_needs_no_saying():
    assert verdict(Hosts(LOCAL, ["llmq.example"]), "llmq.example", origin="http://llmq.example:80") == "allowed"
    assert verdict(Hosts(LOCAL), "llmq.example:443", origin="https://llmq.example") == "allowed"


def test_a_proxy_may_change_the_host_of_pages_that_are_configured():
    hosts = Hosts(LOCAL, ["llmq.example"])
    assert verdict(hosts, "127.0.0.1:4318", origin="https://llmq.example", site="same-origin") == "allowed"
    assert verdict(hosts, "127.0.0.1:4318", origin="https://llmq.example:3000") == "origin"


def test_origins_are_allowed_for_their_path_alone():
    hosts = Hosts(LOCAL, origins={"/v1/feedback": ["https://shop.example"]})
    said = {"origin": "https://shop.example", "site": "cross-site", "is_read": False}
    assert verdict(hosts, "127.0.0.1:4318", path="/v1/feedback", **said) == "allowed"
    assert verdict(hosts, "127.0.0.1:4318", path="/v1/traces", **said) == "origin"


@pytest.mark.parametrize(
    ("site", "expected"), [("same-origin", "allowed"), ("none", "allowed"), ("cross-site", "origin")]
)
def test_what_a_page_embeds_is_refused_and_a_link_that_is_followed_is_not(site, expected):
    hosts = Hosts(LOCAL)
    assert verdict(hosts, "127.0.0.1:4318", site=site, mode="no-cors") == expected
    assert verdict(hosts, "127.0.0.1:4318", site=site, mode="navigate") == "allowed"
    assert verdict(hosts, "127.0.0.1:4318", site=site, mode="navigate", is_read=False) == expected


def requests(app):
    """(method, path) of every request that is handled, and of some that are not."""
    for resource in app.router.resources():
        for route in resource:
            yield route.method, re.sub(r"\{[^}]*\}", "a" * 32, resource.canonical)
    yield from (("GET", "/nothing-there"), ("PUT", "/metrics"), ("OPTIONS", "/metrics"))


async def test_every_path_refuses_another_host_and_another_origin(run_exporter):
    exporter = await run_exporter({"review": {"enabled": True}})
    sent = list(requests(exporter.client.server.app))
    assert len(sent) > 30
    for method, path in sent:
        for headers in (EVIL, {"Host": "evil.example"}, {"Origin": "http://evil.example"}, EMBEDDED):
            async with exporter.client.request(method, path, headers=headers) as answer:
                assert answer.status == 403, (method, path, headers)
                assert method == "HEAD" or "server.hosts" in await answer.text()
                assert "Access-Control-Allow-Origin" not in answer.headers
    await exporter.pass_time(1)
    for reason in ("host", "origin"):
        assert await exporter.total("llmq_exporter_rejected_total", signal="http", reason=reason) == 2 * len(sent)


async def test_a_reload_brings_other_hosts(run_exporter, tmp_path):
    exporter = await run_exporter({"server": {"hosts": []}})
    named = {"Host": "llmq:4318"}
    assert (await exporter.client.get("/-/healthy", headers=named)).status == 403
    exporter.reload({"server": {"hosts": ["llmq"]}})
    assert (await exporter.client.get("/-/healthy", headers=named)).status == 200


async def test_an_otlp_client_reads_the_refusal_in_its_own_form(run_exporter):
    exporter = await run_exporter()
    async with exporter.client.post("/v1/traces", json={}, headers={"Host": "llmq"}) as answer:
        said = await answer.json()
        assert (answer.status, said["code"]) == (403, 7)
        assert "server.hosts" in said["message"]
