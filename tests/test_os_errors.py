"""What the operating system refused, told in words that depend on no system's language."""

import errno
import os
import socket

import pytest

from exporter.runtime.os_errors import whose, why


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOENT, "there is no such file"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EADDRINUSE, "something listens there already"),
        (errno.ETIMEDOUT, "no answer came in time"),
        (errno.EXDEV, "EXDEV"),
    ],
)
def test_a_number_becomes_words_and_a_rare_one_its_name(number, told):
    assert why(OSError(number, os.strerror(number))) == told


def test_what_has_no_number_is_told_by_its_kind():
    assert why(TimeoutError()) == "no answer came in time"
    assert why(socket.gaierror(socket.EAI_NONAME, "?")) == "no address is known of this name"
    assert why(OSError("some text")) == "OSError"


def test_the_file_is_named_where_it_is_known(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "none").read_bytes()
    assert whose(caught.value) == f"{tmp_path}/none: there is no such file"
