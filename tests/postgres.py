"""A PostgreSQL server of the tests' own: Debian's package, on loopback, in a folder that goes with it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

DEBIAN = "/usr/lib/postgresql/*/bin"
MISSING = "the tests need PostgreSQL 14 or newer: apt-get install postgresql"


def binaries():
    """The folder of initdb and postgres, the newest version that is installed."""
    found = sorted(Path("/").glob(DEBIAN[1:]), key=lambda path: int(path.parent.name), reverse=True)
    found += [Path(at).resolve().parent for at in [shutil.which("postgres")] if at]
    if not found:
        raise RuntimeError(MISSING)
    return found[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Started at once. PostgreSQL refuses to run as root; then it runs as the package's user."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="llmq-postgres-"))
        self.port = free_port()
        self._user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._data = self.folder / "data"
        self._run(
            "initdb",
            "--auth=trust",
            "--username=llmq",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "-D",
            self._data,
        )
        self.start()

    def _as_user(self):
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _run(self, name, *arguments):
        command = [binaries() / name, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._as_user())

    @property
    def url(self):
        return f"postgresql://llmq@127.0.0.1:{self.port}/postgres"

    def start(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",  # the machine does not fail, only the process does
            "max_connections": 200,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [binaries() / "postgres", "-D", self._data, *options],
                stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self._as_user(),
            )  # fmt: skip
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended: {(self.folder / 'log').read_text()[-2000:]}")
            with suppress(subprocess.CalledProcessError):
                self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "llmq")
                return
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL does not answer")

    def stop(self, how=signal.SIGINT):
        """SIGINT: at once and orderly. SIGKILL: as a machine that fails, with all of its processes."""
        if self.process.poll() is None:
            if how == signal.SIGKILL:
                self._kill_all()
            else:
                self.process.send_signal(how)
            self.process.wait(60)

    def _kill_all(self):
        """Each of its processes leads a group of its own; the first is stopped meanwhile, and begins no other."""
        pid = self.process.pid
        self.process.send_signal(signal.SIGSTOP)
        for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(one), signal.SIGKILL)
        self.process.kill()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
