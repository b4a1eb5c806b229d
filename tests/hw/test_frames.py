"""Frames of the serial link against a second description of them, and short load packets."""

import zlib

import pytest

import golden
from golden import SpikeCode
from hw.compiler import compile_model
from hw.driver.chunks import chunks, payload
from hw.emit.load_packets import LAST, closing_packet, packets
from hw.isa.frames import BUFFER_WORDS, RequestType, describe_status, reply_frame, request_frame
from sim.account import Account
from tests.engines import small_model


def little(number, size):
    return bytes(number >> 8 * place & 255 for place in range(size))


@pytest.mark.parametrize("content", [b"", b"\xa5", bytes(range(256)) * 3])
@pytest.mark.parametrize("kind", [*RequestType, 0, 127])
def test_frames_are_laid_out_as_documented(kind, content):
    inner = little(kind, 1) + little(len(content), 4) + content
    assert request_frame(kind, content) == b"\xa5" + inner + little(zlib.crc32(inner), 4)
    inner = little(kind | 128, 1) + little(17, 1) + little(len(content), 4) + content
    assert reply_frame(kind, 17, content) == b"\x5a" + inner + little(zlib.crc32(inner), 4)


def test_every_status_has_a_sentence():
    for status in (0, 1, 2, 7, 8, 16, 17, 18):
        assert not describe_status(status).startswith("answered with status")
    assert describe_status(99) == "answered with status 99"


@pytest.mark.parametrize("lanes", [4, 12])
def test_short_packets_write_the_same_words(lanes, project_root):
    """Through the load port in Python: every word at its place, and the signature is right."""
    model = small_model()
    plan = compile_model(model, columns=1, lanes=lanes, spike_code=SpikeCode.SPLIT)
    config = plan.required
    sizes = list(config.memories.values())
    *whole, _ = packets(plan, config)
    parts = [
        part
        for packet, (width, _) in zip(whole, sizes, strict=True)
        for part in chunks(packet, width)
    ]
    assert len(parts) > len(whole)
    assert max(map(len, parts)) <= BUFFER_WORDS
    assert all(part[-1] & LAST and not any(beat & LAST for beat in part[:-1]) for part in parts)
    written = []
    for sent in ([*whole, closing_packet(whole, config)], [*parts, closing_packet(parts, config)]):
        account = Account(sizes, filled=False, fingerprint=config.fingerprint)
        for packet in sent:
            account.take(packet)
        assert account.intact
        written.append(account.written)
    assert written[0] == written[1]


def test_a_payload_has_four_bytes_a_beat():
    assert payload([0x01020304, 0xA0B0C0D0 | LAST]).hex() == "04030201d0c0b0a0"


def test_digits_are_loaded_in_short_packets(project_root):
    model = golden.load(project_root / "tests" / "data" / "digits.safetensors")
    plan = compile_model(model, columns=1, lanes=8, spike_code=SpikeCode.SPLIT)
    *whole, _ = packets(plan, plan.required)
    widths = [width for width, _ in plan.required.memories.values()]
    for packet, width in zip(whole, widths, strict=True):
        parts = chunks(packet, width)
        beats = [beat & LAST - 1 for part in parts for beat in part[1:]]
        assert beats == [beat & LAST - 1 for beat in packet[1:]]
