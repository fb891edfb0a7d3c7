import gzip
import random
import sys
import tracemalloc
import zlib

import pytest

from exporter.decode import DecodeError, TooLarge, UnsupportedEncoding
from exporter.decode.compression import decompress

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = random.Random(1).randbytes(5_000) + b"a" * 50_000
LIMIT = 1 << 20
ZSTD = zstd.compress(TEXT, options={zstd.CompressionParameter.checksum_flag: 1})
COMPRESSED = [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT)), ("zstd", ZSTD)]


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
        ("zstd", zstd.compress(TEXT)),
    ],
)
def test_a_compressed_body_is_inflated(encoding, body):
    assert decompress(encoding, body, LIMIT) == TEXT


def test_a_body_of_exactly_the_limit_is_accepted_and_one_byte_more_is_not():
    for encoding, body in (("", TEXT), *COMPRESSED):
        assert decompress(encoding, body, len(TEXT)) == TEXT
        with pytest.raises(TooLarge, match="larger than 54999 bytes"):
            decompress(encoding, body, len(TEXT) - 1)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_several_members_are_one_body(encoding, compress):
    parts = [TEXT[:100], b"", TEXT[100:]]
    assert decompress(encoding, b"".join(map(compress, parts)), LIMIT) == TEXT


def test_the_limit_holds_over_all_gzip_members_together():
    with pytest.raises(TooLarge):
        decompress("gzip", gzip.compress(TEXT) * 2, len(TEXT) * 2 - 1)


def test_zeros_after_the_end_are_padding():
    assert decompress("gzip", gzip.compress(TEXT) + bytes(512), LIMIT) == TEXT


def test_a_window_of_zstd_beyond_what_http_allows_is_refused_before_its_memory_is_spent():
    wide = zstd.compress(TEXT * 400, options={zstd.CompressionParameter.window_log: 25})
    with pytest.raises(DecodeError, match="not valid zstd"):
        decompress("zstd", wide, LIMIT)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_bomb_is_refused_before_its_memory_is_spent(encoding, compress):
    bomb = compress(bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decompress(encoding, bomb, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * LIMIT


def test_a_bomb_of_many_members_is_refused():
    with pytest.raises(DecodeError, match="members"):
        decompress("gzip", gzip.compress(b"") * 100_000, LIMIT)


@pytest.mark.parametrize(("encoding", "whole"), COMPRESSED)
@pytest.mark.parametrize("kept", [0, 1, 5, 100, -9, -1])
def test_a_truncated_body_is_refused(encoding, whole, kept):
    with pytest.raises(DecodeError):
        decompress(encoding, whole[:kept], LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("begins", [b"not compressed at all", b"\x1f\x8b\x08\x00", b"(\xb5/\xfd", b"{}"])
def test_what_is_not_compressed_is_refused(encoding, begins):
    with pytest.raises(DecodeError, match=r"the body|compressed body"):
        decompress(encoding, begins + b"\xff" * 40, LIMIT)


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED)
def test_a_damaged_checksum_is_refused(encoding, body):
    damaged = bytearray(body)
    damaged[-5 if encoding == "gzip" else -1] ^= 0xFF
    with pytest.raises(DecodeError):
        decompress(encoding, bytes(damaged), LIMIT)


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED)
def test_garbage_after_the_end_is_refused(encoding, body):
    with pytest.raises(DecodeError):
        decompress(encoding, body + b"garbage", LIMIT)


@pytest.mark.parametrize("encoding", ["br", "snappy", "gzip, gzip", "gzip, zstd"])
def test_an_unknown_encoding_is_refused_with_the_known_ones(encoding):
    with pytest.raises(UnsupportedEncoding, match="gzip, zstd, deflate or identity"):
        decompress(encoding, TEXT, LIMIT)
