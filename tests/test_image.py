"""The image without a container engine: its build steps replayed in a clean folder, and what they made, run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import closing
from fnmatch import fnmatch
from http.client import HTTPConnection
from pathlib import Path

import pytest
import yaml

from exporter import __version__

ROOT = Path(__file__).parent.parent
SERVICE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["llmq"]
KNOWN = {"FROM", "ARG", "RUN", "WORKDIR", "COPY", "ENV", "USER", "EXPOSE", "ENTRYPOINT", "CMD"}


def instructions():
    """(name, rest) of every instruction of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", "")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line]


def of(name):
    return [rest for given, rest in instructions() if given == name]


def ignored(path):
    """Does .dockerignore keep this path from the build? The last line that matches it, or a folder of it, decides."""
    verdict = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#") and matches(line.removeprefix("!"), path):
            verdict = not line.startswith("!")
    return verdict


def matches(pattern, path):
    """Patterns are of one name, anywhere, after **/; else of the first parts of a path."""
    if pattern.startswith("**/"):
        return any(fnmatch(name, pattern.removeprefix("**/")) for name in path.parts)
    wanted = pattern.split("/")
    return len(path.parts) >= len(wanted) and all(map(fnmatch, path.parts, wanted))


def admitted():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    tops = [ROOT / line.removeprefix("!") for line in lines if line.startswith("!")]
    files = [file for top in tops for file in (top.rglob("*") if top.is_dir() else [top]) if file.is_file()]
    return [path for path in (file.relative_to(ROOT) for file in files) if not ignored(path)]


class Replay:
    """The steps of the Dockerfile in a folder that stands for the root of the image."""

    def __init__(self, folder):
        self.root = folder / "image"
        self.context = folder / "context"
        self.at = self.root
        self.variables = {}
        self.stages = 0
        programs = folder / "programs"
        programs.mkdir()
        (programs / "python").symlink_to(sys.executable)
        (programs / "pip").symlink_to(Path(sys.executable).with_name("pip"))
        self.path = f"{programs}:/usr/bin:/bin"
        for path in admitted():
            (self.context / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.context / path)

    def inside(self, text):
        """A text with the absolute paths of the image as they are here."""
        return re.sub(r"(?<![\w./:])/(?=\w)", f"{self.root}/", text)

    def replay(self):
        for name, rest in instructions():
            getattr(self, f"_{name.lower()}")(rest)

    def environment(self):
        return {"HOME": os.environ["HOME"], "PATH": self.path, **self.variables}  # pip keeps what it fetched at home

    def _from(self, _):
        self.stages += 1
        self.at, self.variables = self.root, {}
        self.root.mkdir(exist_ok=True)

    def _arg(self, rest):
        name, _, value = rest.partition("=")
        self.variables[name] = shlex.split(value)[0]

    def _env(self, rest):
        name, _, value = rest.partition("=")
        self.path = self.inside(value).replace("$PATH", self.path)
        assert name == "PATH"

    def _workdir(self, rest):
        self.at = Path(self.inside(rest))
        self.at.mkdir(parents=True, exist_ok=True)

    def _run(self, rest):
        command = self.inside(rest)
        shell = {"cwd": self.at, "env": self.environment(), "stderr": subprocess.STDOUT, "stdout": subprocess.PIPE}
        done = subprocess.run(["sh", "-c", command], text=True, check=False, **shell)
        assert done.returncode == 0, f"RUN {rest}\n{done.stdout}"

    def _copy(self, rest):
        flags = [word for word in rest.split() if word.startswith("--")]
        *sources, target = [word for word in rest.split() if not word.startswith("--")]
        if any(flag.startswith("--from=") for flag in flags):
            # Both stages share one root here, which stands for both only while nothing changes its place.
            assert sources == [target]
            assert Path(self.inside(target)).is_dir()
            return
        for source in sources:
            place = self.at / target / source if target.endswith("/") else self.at / target
            copy = shutil.copytree if (self.context / source).is_dir() else shutil.copy
            copy(self.context / source, place)

    def _entrypoint(self, rest):
        self.entrypoint = json.loads(rest)

    def _cmd(self, rest):
        self.command = json.loads(rest)

    def _user(self, _):
        pass

    def _expose(self, _):
        pass

    def llmq(self, *arguments, **options):
        program = shutil.which(self.entrypoint[0], path=self.path)
        return subprocess.Popen([program, *arguments], cwd=self.at, env=self.environment(), text=True, **options)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    replay = Replay(tmp_path_factory.mktemp("image"))
    replay.replay()
    return replay


def test_every_instruction_is_one_that_the_replay_knows():
    assert {name for name, _ in instructions()} <= KNOWN


def test_both_stages_have_the_same_pinned_python():
    build, final = [rest.split()[0] for rest in of("FROM")]
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", final)
    assert build == final.replace("-slim", "")


def test_nobody_runs_as_root():
    [user] = of("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert [rest for rest in of("COPY") if "/var/lib/llmq" in rest and f"--chown={user}" not in rest] == []


def test_nothing_but_the_program_reaches_the_build():
    top = {path.parts[0] for path in admitted()}
    locks = {"requirements.lock", "requirements-demo.lock"}
    assert top == {*locks, "pyproject.toml", "README.md", "LICENSE", "exporter", "alerts"}
    copied = {word for rest in of("COPY") if "--from" not in rest for word in rest.split()[:-1]}
    assert top == {word.partition("/")[0] for word in copied}
    assert all(path.match("alerts/runbooks/*.md") for path in admitted() if path.parts[0] == "alerts")
    assert ignored(Path("exporter/__pycache__/cli.pyc"))
    assert [path for path in admitted() if path.suffix == ".md" and path.parts[0] == "exporter"] == []
    assert ignored(Path("exporter/evaluators/_vocabulary.abi3.so"))
    assert ignored(Path(".env"))


def test_runbooks_are_in_the_image(image):
    assert list(image.root.rglob("share/llmq/runbooks/Watchdog.md"))


def test_what_was_built_is_installed_and_says_what_it_can(image):
    with image.llmq("--help", stdout=subprocess.PIPE) as process:
        assert "llmq serve" in process.communicate()[0]
        assert process.returncode == 0
    with image.llmq("--version", stdout=subprocess.PIPE) as process:
        assert process.communicate()[0].startswith(f"llmq {__version__}, kernels in ")
    installed = next(image.root.glob("opt/llmq/lib/*/site-packages/exporter/cli/main.py"))
    assert not installed.is_symlink()


@pytest.mark.compiled
def test_the_image_has_the_kernels(image):
    with image.llmq("--version", stdout=subprocess.PIPE) as process:
        assert process.communicate()[0].endswith(", kernels in C\n")


def healthy(image, port):
    command, *arguments = SERVICE["healthcheck"]["test"][1:]
    arguments = [argument.replace("4318", str(port)) for argument in arguments]
    program = shutil.which(command, path=image.path)
    return (
        subprocess.run([program, *arguments], env=image.environment(), capture_output=True, check=False).returncode == 0
    )


def port_in(log):
    seen = []
    for line in log:
        seen.append(line)
        if found := re.search(r"listening: http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("".join(seen))


@pytest.fixture
def served(image):
    """The image's exporter with the config and the command of compose.yaml, on loopback and a port of its own."""
    [source] = [volume.split(":")[0] for volume in SERVICE["volumes"] if volume.startswith(".")]
    config = yaml.safe_load((ROOT / source / "llmq.yaml").read_text())
    config["server"]["listen"] = "127.0.0.1:0"
    config["store"]["url"] = f"sqlite:///{image.inside(config['store']['url'].removeprefix('sqlite:///'))}"
    (image.root / "etc/llmq").mkdir(parents=True)
    (image.root / "etc/llmq/llmq.yaml").write_text(yaml.safe_dump(config))
    with image.llmq(*map(image.inside, SERVICE["command"]), stderr=subprocess.PIPE) as process:
        yield port_in(process.stderr)
        process.terminate()
        process.communicate(timeout=120)
    assert process.returncode == 0


def test_the_health_check_tells_a_running_exporter_from_none(image, served):
    until = time.monotonic() + 120
    while not healthy(image, served) and time.monotonic() < until:
        time.sleep(0.05)
    assert healthy(image, served)
    with closing(HTTPConnection("127.0.0.1", served, timeout=120)) as connection:
        connection.request("GET", "/metrics")
        assert b"llmq_exporter_build_info" in connection.getresponse().read()
    assert (image.root / "var/lib/llmq/llmq.db").is_file()
    assert not healthy(image, port=1)


def test_the_config_that_lets_everybody_in_is_not_in_the_image(image):
    assert image.command == ["serve"]
    assert list(image.root.glob("opt/llmq/lib/*/site-packages/exporter/config/default.yaml")) != []
    assert list(image.root.glob("opt/**/otelcol.yaml")) == []
