import json
import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from exporter import config as config_module
from exporter.config import Config, ConfigError, load, reload, to_yaml
from exporter.config.configfile import LARGEST_FILE, parse
from exporter.config.meaning import ConfigReading
from exporter.config.settings import JudgeSettings, Origin, Price, Secret
from exporter.config.shape import check
from exporter.config.units import Address
from exporter.evaluators import built_in, evaluator
from exporter.evaluators.panel import EvaluatorRule, EvaluatorSpec, Panel
from exporter.model.trace import Trace

CONFIGS = Path(__file__).parent / "configs"
PACKAGE = Path(config_module.__file__).parent
DEFAULT = PACKAGE / "default.yaml"
EXPECTED = "# expected: "
ENVIRON = {
    "LLMQ_TOKEN": "a-secret-of-some-length",
    "LLMQ_OTHER_TOKEN": "a-secret-of-some-length",
    "LLMQ_EMPTY_TOKEN": " ",
}


@pytest.fixture
def written(tmp_path):
    """Loads a config from text, or raises what is wrong with it."""

    def write(text, *, environ=ENVIRON, **flags):
        path = tmp_path / "llmq.yaml"
        path.write_text(text)
        return load(path, environ=environ, **flags)

    return write


def problems(error):
    return [f"{one.line}: {one.where}: {one.message}" for one in error.value.problems]


def warnings(config):
    return [f"{one.where}: {one.message}" for one in config.warnings]


# The mistakes, one file each


def agrees(expected, message):
    """An expected message that ends in … leaves the rest to the library that words it."""
    return message.startswith(expected[:-1]) if expected.endswith("…") else message == expected


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("bad-*.yaml")), ids=lambda path: path.stem)
def test_a_bad_config_is_refused_with_exactly_its_messages(path):
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    expected = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED)]

    with pytest.raises(ConfigError) as error:
        load(path, environ=ENVIRON)

    found = problems(error)
    assert expected
    assert len(found) == len(expected)
    assert [pair for pair in zip(expected, found, strict=True) if not agrees(*pair)] == []


def test_there_are_many_bad_configs():
    assert len(list(CONFIGS.glob("bad-*.yaml"))) >= 30


def test_an_error_reads_as_file_line_place_and_cure(written, tmp_path):
    with pytest.raises(ConfigError) as error:
        written("store:\n  content: some\n")
    assert str(error.value) == (
        f'{tmp_path}/llmq.yaml:2: $.store.content: "some" is not possible; known: all, failing, none'
    )


def test_errors_come_in_the_order_of_the_lines_whoever_finds_them(written):
    with pytest.raises(ConfigError) as error:
        written("evaluators:\n  nothing: {}\nassembly:\n  grace: 1h\nserver:\n  port: 1\n  listen: x\n  port: 2\n")
    assert [one.line for one in error.value.problems] == [2, 4, 6, 7, 8]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "no.yaml")
    assert str(error.value) == f"{tmp_path}/no.yaml: cannot be read: there is no such file"


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"#" * (LARGEST_FILE + 1))
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(error.value) == f"{path}: is larger than 256 KiB: no config is that long"


def test_deep_nesting_of_every_kind_is_an_error_and_no_crash(written):
    for text in ("[" * 100_000, "- " * 100_000, "{a: " * 50_000, "? " * 50_000):
        with pytest.raises(ConfigError) as error:
            written(text)
        assert "nested" in str(error.value)


def test_no_message_quotes_a_text_where_something_else_was_expected(written):
    with pytest.raises(ConfigError) as error:
        written("server:\n  tokens: planted-secret-1\n  allow_unauthenticated: planted-secret-2\n")
    assert len(error.value.problems) == 2
    assert "planted" not in str(error.value)


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_written_there_is_a_config_or_a_list_of_problems(data):
    content = bytearray(b"\n".join(path.read_bytes() for path in sorted(CONFIGS.glob("bad-t*.yaml")))[:3000])
    if data.draw(st.booleans()):
        content = bytearray(DEFAULT.read_bytes()[-2500:])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from(SHRAPNEL))
    assert all(1 <= one.line <= content.count(b"\n") + 2 for one in told(bytes(content)))


def told(content):
    try:
        root, found = parse("fuzzed.yaml", content)
    except ConfigError as error:
        return error.problems
    found += check(root, "fuzzed.yaml")
    ConfigReading(root, "fuzzed.yaml", found, ENVIRON, built_in()).config(Origin())
    return found


SHRAPNEL = (
    b"",
    b"\n",
    b"- ",
    b": ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"'",
    b'"',
    b"#",
    b"&a ",
    b"*a",
    b"!!int ",
    b"? ",
    b"|\n",
    b"<<: ",
    b"null",
    b"9",
    b"\xff",
    b"\x00",
    b"\t",
    b"~",
    b"\xf0\x9f\x98\x80",
    b".nan",
    b"0x",
    b"true",
    b"  ",
)


# The defaults


def test_the_defaults_need_no_file_and_have_nothing_odd():
    config = load()
    assert config.warnings == ()
    assert config.server.listen == Address("127.0.0.1", 4318)
    assert config.store.url == "sqlite:///llmq.db"
    assert (config.assembly.grace, config.assembly.idle, config.assembly.max_age) == (2.0, 10.0, 3600.0)
    assert (config.limits.body_bytes, config.limits.decompressed_bytes) == (16 << 20, 64 << 20)
    assert config.labels.budgets == {"app": 20, "route": 50, "model_version": 20, "prompt_version": 20}


def test_the_documented_defaults_are_the_defaults():
    documented = load(DEFAULT)
    bare = load()
    assert replace(documented, origin=bare.origin) == bare
    judge = replace(JudgeSettings(), rubrics=bare.judge.rubrics, rules=bare.judge.rules)
    assert replace(Config(), evaluators=bare.evaluators, judge=judge, written=bare.written) == bare


def test_every_key_is_documented_with_its_default():
    schema = json.loads((PACKAGE / "config.schema.json").read_text())
    keys = {key for section in walk(schema) for key in section.get("properties", {})}
    words = set(re.findall(r"\w+", DEFAULT.read_text()))
    assert len(keys) > 50
    assert keys - words == set()


def test_the_schema_is_one_that_editors_understand():
    schema = json.loads((PACKAGE / "config.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(DEFAULT.read_text()))) == []


def walk(node):
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from walk(child)


def test_all_built_in_evaluators_are_enabled_by_default():
    specs = load().evaluators
    assert list(specs) == list(built_in().evaluators)
    assert all(spec == EvaluatorSpec(name=name) for name, spec in specs.items())


def test_an_empty_file_and_empty_sections_mean_the_defaults(written):
    for text in ("", "# nothing\n", "server:\nassembly:\nevaluators:\n  refusal:\n"):
        assert replace(written(text), origin=load().origin, written={}) == replace(load(), written={})


def test_no_default_price_is_made_up():
    assert load().prices == ()


# What a file says


def test_values_are_parsed_once_and_for_all(written):
    config = written(
        "server: {listen: '[::1]:0'}\n"
        "limits: {body_bytes: 1.5MiB}\n"
        "assembly: {grace: 500ms, max_age: 1h30m}\n"
        "store: {retention: {age: 2w}}\n"
        "attributes: {route: [my.route]}\n"
        "metrics: {birth: 1m15s}\n"
        "labels: {budgets: {route: 7}, allow: {app: [shop, desk]}, template_routes: false}\n"
    )
    assert config.server.listen == Address("::1", 0)
    assert str(config.server.listen) == "[::1]:0"
    assert config.limits.body_bytes == 3 << 19
    assert (config.assembly.grace, config.assembly.max_age) == (0.5, 5400.0)
    assert config.store.retention.age == 14 * 86400
    assert config.metrics.birth == 75.0
    assert config.attributes.route == ("my.route",)
    assert config.attributes.app == load().attributes.app
    assert config.labels.budgets == {"app": 20, "route": 7, "model_version": 20, "prompt_version": 20}
    assert config.labels.allow == {"app": ("shop", "desk")}
    assert config.labels.template_routes is False


def test_prices_keep_their_order(written):
    config = written("prices:\n  b-*: {input: 1, output: 2.5}\n  '*': {input: 0, output: 0}\n")
    assert config.prices == (Price(model="b-*", input=1, output=2.5), Price(model="*", input=0, output=0))


def test_a_rule_has_the_evaluators_options_under_its_own(written):
    config = written(
        "evaluators:\n  format:\n    pass_mark: 1\n    timeout: 250ms\n    options: {min_length: 1, max_length: 10}\n"
        "    rules:\n      - {apps: [shop-*], options: {max_length: 20}}\n      - {routes: [/a, /b]}\n"
    )
    assert config.evaluators["format"] == EvaluatorSpec(
        name="format",
        pass_mark=1.0,
        timeout_seconds=0.25,
        rules=(
            EvaluatorRule(apps=("shop-*",), options={"min_length": 1, "max_length": 20}),
            EvaluatorRule(routes=("/a", "/b"), options={"min_length": 1, "max_length": 10}),
        ),
    )


def test_options_without_rules_apply_everywhere(written):
    config = written("evaluators: {format: {options: {max_length: 5}}}")
    outcome = Panel(config.evaluators, built_in()).evaluate(
        Trace(trace_id="1", content_state="answered", answer="too long")
    )
    assert [one.verdict for one in outcome.evaluations if one.evaluator == "format"] == ["fail"]


def test_an_alias_may_be_used_in_measure(written):
    config = written("evaluators:\n  empty: &slow {timeout: 2s}\n  refusal: *slow\n")
    assert config.evaluators["refusal"].timeout_seconds == config.evaluators["empty"].timeout_seconds == 2.0


def test_flags_win_over_the_file_also_at_a_reload(written):
    config = written("server: {listen: 127.0.0.1:1}", listen="127.0.0.1:2", store="sqlite:///other.db")
    assert (config.server.listen.port, config.store.url) == (2, "sqlite:///other.db")
    config.origin.path.write_text("server: {listen: 127.0.0.1:3}\nstore: {content: none}\n")
    again = reload(config)
    assert (again.server.listen.port, again.store.url, again.store.content) == (2, "sqlite:///other.db", "none")


def test_flags_are_held_to_the_same_rules_as_the_file():
    with pytest.raises(ConfigError) as error:
        load(listen="0.0.0.0:4318", store="mysql://x")
    assert [str(one).split(":")[0] for one in error.value.problems] == ["--listen", "--store"]


# Access and secrets


def token(name="apps", roles="[ingest]", source="env: LLMQ_TOKEN"):
    return f"    - {{name: {name}, roles: {roles}, {source}}}\n"


def test_tokens_allow_an_address_beyond_this_machine(written):
    config = written("server:\n  listen: 0.0.0.0:4318\n  tokens:\n" + token())
    assert config.server.tokens[0].secret == Secret("a-secret-of-some-length")
    assert config.server.tokens[0].roles == {"ingest"}
    assert config.warnings == ()


def test_an_address_beyond_this_machine_can_be_opened_to_all_explicitly(written):
    config = written("server: {listen: '0.0.0.0:4318', allow_unauthenticated: true}")
    assert warnings(config) == [
        "$.server.listen: everybody who reaches 0.0.0.0:4318 may send, read and change everything"
    ]


def test_loopback_has_more_than_one_name(written):
    for address in ("localhost:1", "127.8.8.8:1", "[::1]:1"):
        assert written(f"server: {{listen: '{address}'}}").server.listen.is_loopback


def test_a_secret_file_lies_beside_the_config(written, tmp_path):
    (tmp_path / "apps.token").write_text("secret-from-a-file-of-its-own\n")
    config = written("server:\n  tokens:\n" + token(source="file: apps.token"))
    assert config.server.tokens[0].secret.value == "secret-from-a-file-of-its-own"


def test_no_rendering_shows_a_secret(written):
    config = written("server:\n  tokens:\n" + token(), environ={"LLMQ_TOKEN": "planted-secret-of-length"})
    assert config.server.tokens[0].secret.value == "planted-secret-of-length"
    for shown in (repr(config), str(config), to_yaml(config), repr(config.server.tokens[0])):
        assert "planted" not in shown
        assert "apps" in shown


def test_the_rendering_is_a_config_that_means_the_same(written, tmp_path):
    config = written("labels: {max_length: 64}\nprices: {x: {input: 1, output: 2}}\nserver:\n  tokens:\n" + token())
    (tmp_path / "again.yaml").write_text(to_yaml(config))
    again = load(tmp_path / "again.yaml", environ=ENVIRON)
    assert replace(again, origin=config.origin) == config
    assert "LLMQ_TOKEN" in to_yaml(config)


# What is odd, and yet usable


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("server: {allow_unauthenticated: true}", "$.server.allow_unauthenticated: has no effect here: leave it out"),
        (
            "server:\n  tokens:\n" + token(roles="[read]"),
            '$.server.tokens: no token has the role "ingest": no application can send traces',
        ),
        (
            "labels: {budgets: {app: 3}, allow: {app: [shop]}}",
            "$.labels.budgets.app: has no effect: labels.allow.app lists the values",
        ),
        (
            "prices:\n  gpt-*: {input: 1, output: 1}\n  gpt-4: {input: 2, output: 2}\n",
            '$.prices.gpt-4: is never reached: "gpt-*" before it matches the same models; put it first',
        ),
        (
            "evaluators: {format: {rules: [{options: {table: true}}, {apps: [shop]}]}}",
            "$.evaluators.format.rules[1]: is never reached: rule 0 matches everywhere; put the others first",
        ),
        (
            "evaluators: {format: {enabled: false, pass_mark: 1}}",
            "$.evaluators.format: is not enabled, so its other settings have no effect",
        ),
        (
            "attributes: {user: []}",
            "$.attributes.user: no attribute is tried, so this is unknown for every trace",
        ),
    ],
)
def test_an_odd_setting_is_a_warning(written, text, warning):
    assert warnings(written(text)) == [warning]


def test_a_short_secret_is_a_warning_that_does_not_show_it(written):
    config = written("server:\n  tokens:\n" + token(), environ={"LLMQ_TOKEN": "hunter2"})
    assert warnings(config) == ["$.server.tokens[0].env: the secret is shorter than 16 characters: make a longer one"]


# Plugins


@evaluator("polite", version="3")
def polite(trace, *, words: int):
    """Says please."""
    return True


PLUGIN = EntryPoint(name="polite", value=f"{__name__}:polite", group="llmq.evaluators")
BROKEN = EntryPoint(name="broken", value="no_such_module:polite", group="llmq.evaluators")


@pytest.fixture
def plugin(monkeypatch):
    """A registry with one plugin that loads and one that does not."""
    monkeypatch.setattr(EntryPoint, "load", lambda self: polite if self.name == "polite" else 1 / 0)
    return built_in().with_plugins([PLUGIN, BROKEN])


def test_a_plugin_runs_once_it_is_named(tmp_path, plugin):
    path = tmp_path / "llmq.yaml"
    assert "polite" not in load(registry=plugin).evaluators
    assert 'the plugin "polite" (unknown distribution) does not run' in str(load(registry=plugin).warnings)
    path.write_text("evaluators: {polite: {options: {words: 1}}}")
    assert load(path, registry=plugin).evaluators["polite"].rules == (EvaluatorRule(options={"words": 1}),)


def test_an_option_that_must_be_given_is_missed(tmp_path, plugin):
    path = tmp_path / "llmq.yaml"
    path.write_text("evaluators:\n  polite:\n    rules:\n      - apps: [a]\n      - options: {words: x}\n")
    with pytest.raises(ConfigError) as error:
        load(path, registry=plugin)
    assert [one.where for one in error.value.problems] == [
        "$.evaluators.polite.rules[0]",
        "$.evaluators.polite.rules[1].options.words",
    ]
    assert error.value.problems[0].message == 'polite needs the option "words": give it under options'


def test_a_plugin_that_cannot_be_loaded_is_said_where_it_is_named(tmp_path, plugin):
    path = tmp_path / "llmq.yaml"
    path.write_text("evaluators: {broken: {}}")
    with pytest.raises(ConfigError) as error:
        load(path, registry=plugin)
    assert "cannot load 'broken'" in str(error.value)


def test_a_file_named_by_an_option_is_looked_for_beside_the_config(tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "ticket.json").write_text('{"type": "object"}')
    file = tmp_path / "etc" / "llmq.yaml"
    file.write_text("evaluators: {json_schema: {options: {schema_file: ticket.json}}}")
    monkeypatch.chdir(tmp_path)
    [rule] = load(file).evaluators["json_schema"].rules
    assert rule.options["schema_file"] == str(tmp_path / "etc" / "ticket.json")
