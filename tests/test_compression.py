import gzip
import random
import tracemalloc
import zlib

import pytest

from exporter.decode import DecodeError, TooLarge, UnsupportedEncoding
from exporter.decode.compression import decompress

TEXT = random.Random(1).randbytes(5_000) + b"a" * 50_000
LIMIT = 1 << 20


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_an_uncompressed_body_is_passed_on(encoding):
    assert decompress(encoding, TEXT, LIMIT) == TEXT


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("GZIP", gzip.compress(TEXT, 1)),
        ("x-gzip", gzip.compress(TEXT, 0)),
        ("deflate", zlib.compress(TEXT)),
        ("zlib", zlib.compress(TEXT, 9)),
    ],
)
def test_a_compressed_body_is_inflated(encoding, body):
    assert decompress(encoding, body, LIMIT) == TEXT


def test_a_body_of_exactly_the_limit_is_accepted_and_one_byte_more_is_not():
    for encoding, body in (("", TEXT), ("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))):
        assert decompress(encoding, body, len(TEXT)) == TEXT
        with pytest.raises(TooLarge, match="larger than 54999 bytes"):
            decompress(encoding, body, len(TEXT) - 1)


def test_several_gzip_members_are_one_body():
    parts = [TEXT[:100], b"", TEXT[100:]]
    assert decompress("gzip", b"".join(map(gzip.compress, parts)), LIMIT) == TEXT


def test_the_limit_holds_over_all_gzip_members_together():
    with pytest.raises(TooLarge):
        decompress("gzip", gzip.compress(TEXT) * 2, len(TEXT) * 2 - 1)


def test_zeros_after_the_end_are_padding():
    assert decompress("gzip", gzip.compress(TEXT) + bytes(512), LIMIT) == TEXT


def test_a_gzip_bomb_is_refused_before_its_memory_is_spent():
    bomb = gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decompress("gzip", bomb, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * LIMIT


def test_a_bomb_of_many_members_is_refused():
    with pytest.raises(DecodeError, match="members"):
        decompress("gzip", gzip.compress(b"") * 100_000, LIMIT)


@pytest.mark.parametrize(("encoding", "whole"), [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))])
@pytest.mark.parametrize("kept", [0, 1, 5, 100, -9, -1])
def test_a_truncated_body_is_refused(encoding, whole, kept):
    with pytest.raises(DecodeError):
        decompress(encoding, whole[:kept], LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("body", [b"not compressed at all", b"\x1f\x8b\x08\x00" + b"\xff" * 40, b"{}"])
def test_what_is_not_compressed_is_refused(encoding, body):
    with pytest.raises(DecodeError, match=r"the body|compressed body"):
        decompress(encoding, body, LIMIT)


@pytest.mark.parametrize(("encoding", "body"), [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))])
def test_a_damaged_checksum_is_refused(encoding, body):
    damaged = bytearray(body)
    damaged[-5 if encoding == "gzip" else -1] ^= 0xFF
    with pytest.raises(DecodeError):
        decompress(encoding, bytes(damaged), LIMIT)


@pytest.mark.parametrize(("encoding", "body"), [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT))])
def test_garbage_after_the_end_is_refused(encoding, body):
    with pytest.raises(DecodeError):
        decompress(encoding, body + b"garbage", LIMIT)


@pytest.mark.parametrize("encoding", ["br", "zstd", "snappy", "gzip, gzip"])
def test_an_unknown_encoding_is_refused_with_the_known_ones(encoding):
    with pytest.raises(UnsupportedEncoding, match="gzip, deflate or identity"):
        decompress(encoding, TEXT, LIMIT)
