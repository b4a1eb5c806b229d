"""Layers' jobs for the tap address generator, and the words that must come of them."""

from types import SimpleNamespace

import numpy as np

from golden import Axis, SpikeCode, planes
from golden.spike import passes
from hw.compiler.tap_windows import conv_tap_windows
from hw.isa.plan import SpikeMap, TapWindow

from .base import config, packed
from .stream import pack


__all__ = ["LANES", "SIZES", "convolution", "gathering", "head"]


SIZES = config()
LANES, D = SIZES.lanes, SIZES.max_count
ONES = (1 << LANES) - 1


class Task:
    """A layer's jobs, the spike memory they read, and the words that must come of them."""

    def __init__(self, rng, draw, *, channels, size, density, n_digits=1, split_msb=False):
        self.rng, self.draw = rng, draw
        self.channels, self.size = channels, size
        self.n_words = -(-channels // LANES)
        counts = draw.integers(0, D + 1, (channels, *size)) * (
            draw.random((channels, *size)) < density
        )
        padded = np.zeros((self.n_words * LANES, *size), np.int64)
        padded[:channels] = counts
        self.bits = planes(padded, SIZES.spike_code, D)
        self.map = SpikeMap(
            int(draw.integers(0, 5)),
            len(self.bits),
            self.n_words,
            size[0] * size[1],
            None,
            "x.counts",
        )
        # What lies around the map must not be read.
        self.memory = [rng.getrandbits(SIZES.spike_width) for _ in range(SIZES.spike_depth)]
        for word, line, position in np.ndindex(self.n_words, *size):
            address = self.map.address(word, line * size[1] + position)
            self.memory[address] = sum(
                self.word(plane, word, line, position) << plane * LANES
                for plane in range(len(self.bits))
            )
        self.digits = self._digits(padded)
        # Doublings between two passes.
        self.doublings = {
            SpikeCode.THERMOMETER: 0,
            SpikeCode.BIT_SERIAL: 1,
            SpikeCode.TWO_BIT_SERIAL: 2,
        }[SIZES.spike_code]
        self.split_msb = split_msb
        if split_msb:
            # Spikes of the MSB plane add the double, which doubles one more time.
            self.digits = [2 * (padded == 4), padded * (padded < 4)]
            self.doublings = 1
        self.row = int(draw.integers(0, 20))
        self.n_digits, self.digit_stride = n_digits, int(draw.integers(100, 200))
        # The last pass of a digit is worth 1, and the first of the next one 2**digit_width less.
        self.digit_doublings = SIZES.digit_width - self.doublings * (len(self.digits) - 1)
        self.jobs, self.expected, self.reads = [], [], 0

    def word(self, plane, word, line, position):
        """Spikes of one word, as an unsigned word."""
        return packed(self.bits[plane, word * LANES : (word + 1) * LANES, line, position], 1)

    def _digits(self, counts):
        """What the channels of each pass are worth there."""
        if SIZES.spike_code is not SpikeCode.TWO_BIT_SERIAL:
            return self.bits
        number = len(passes(SIZES.spike_code, D))
        return [
            counts if number == 1 else counts >> 2 * index & 3 for index in reversed(range(number))
        ]

    def fields(self, step, word, line, position, mask):
        """What a word says of the lanes in ``mask``, in one pass."""
        digits = self.digits[step][word * LANES : (word + 1) * LANES, line, position]
        if SIZES.spike_code is not SpikeCode.TWO_BIT_SERIAL:
            return {"spikes": packed(digits, 1) & mask}
        return {
            "spikes": packed(digits > 0, 1) & mask,
            "once": packed((digits == 1) | (digits == 3), 1),
            "again": packed(digits >= 3, 1) & mask,
        }

    def layer(self, *, row_step, word_stride=1, gather=0):
        """Record of the layer."""
        return pack(
            SIZES.layer,
            double=self.doublings > 0,
            passes=len(self.digits) - 1,
            fours=int(self.split_msb),
            word_stride=word_stride,
            row_step=row_step,
            gather=gather,
            digits=self.n_digits - 1,
            digit_stride=self.digit_stride,
        )

    def job(self, line, position, *, words=0, first_word=0, masks=(ONES, ONES)):
        """Adds the job of an output position, with ``words`` more than its tap window says."""
        spike = self.map.base + first_word
        span = position.span + words
        self.jobs.append(
            pack(
                SIZES.job,
                spike=spike + line.offset + position.offset,
                row=self.row + line.row + position.row,
                row_jump=position.jump,
                line_jump=self.size[1] * self.map.words - span,
                lines=line.steps,
                words=position.steps + words,
                first_mask=masks[0],
                last_mask=masks[1],
                lanes=LANES,
            )
        )

    def expect(self, taps, *, masks=(ONES, ONES), words):
        """Adds the words of a job: ``taps`` are (line, position, row), in order."""
        job = []
        for digit, step in np.ndindex(self.n_digits, len(self.digits)):
            read = []
            for line, position, row in taps:
                for number, word in enumerate(words):
                    mask = masks[0] if number == 0 else ONES
                    mask &= masks[1] if number == len(words) - 1 else ONES
                    read.append(
                        self.fields(step, word, line, position, mask)
                        | {
                            "row": row + number * LANES + digit * self.digit_stride,
                            "lanes": LANES * (digit == self.n_digits - 1),
                        }
                    )
            self.reads += len(read)
            # Doublings that have no word with spikes to go with are words of their own.
            doublings = self.doublings if step else bool(digit) * self.digit_doublings
            closing = digit == self.n_digits - 1 and step == len(self.digits) - 1
            sent = [word for word in read if word["spikes"]]
            if not sent and (doublings or closing):
                sent = [read[-1]]
            self.reads += max(0, doublings - 1)
            job += [{"double": 1} for _ in range(doublings - 1)] + sent
            if doublings:
                sent[0]["double"] = 1
            if closing:
                if sent[-1] is not read[-1]:
                    job.append(read[-1])
                job[-1]["last"] = 1
        self.expected += job


def convolution(
    rng, draw, *, channels, size, kernel, stride, density, depthwise=False, split_msb=False
):
    """Task of a convolution; the taps inside the map are found by trying all of them."""
    task = Task(rng, draw, channels=channels, size=size, density=density, split_msb=split_msb)
    padding = kernel // 2
    out_size = tuple((extent + 2 * padding - kernel) // stride + 1 for extent in size)
    axis = Axis(kernel=kernel, stride=stride, before=padding, after=padding)
    row_step = 1 if depthwise else LANES
    tap_rows = 1 if depthwise else task.n_words * LANES
    words = [0] if depthwise else list(range(task.n_words))
    word_stride = task.map.words if depthwise else 1
    lines, positions = conv_tap_windows(
        SimpleNamespace(axes=(axis, axis)),
        size=size,
        out_size=out_size,
        words=len(words),
        stride=task.map.words,
        word_stride=word_stride,
        row_step=row_step,
        tap_rows=tap_rows,
    )
    for index, out in enumerate(np.ndindex(*out_size)):
        task.job(lines[index // len(positions)], positions[index % len(positions)])
        taps = []
        for line, position in np.ndindex(kernel, kernel):
            at = out[0] * stride + line - padding, out[1] * stride + position - padding
            if 0 <= at[0] < size[0] and 0 <= at[1] < size[1]:
                taps.append((*at, task.row + (line * kernel + position) * tap_rows))
        task.expect(taps, words=words)
    return task, task.layer(row_step=row_step, word_stride=word_stride)


def head(rng, draw, *, channels, first, count, tokens, density, n_digits):
    """Task of a head: channels ``first`` and following of every token, within their words."""
    task = Task(rng, draw, channels=channels, size=(1, tokens), density=density, n_digits=n_digits)
    task.row += LANES - first % LANES
    words = list(range(first // LANES, (first + count - 1) // LANES + 1))
    masks = ONES & ~((1 << first % LANES) - 1), (2 << (first + count - 1) % LANES) - 1
    line = TapWindow(0, 0, 0, 0, 0)
    positions = [TapWindow(token * task.map.words, 0, LANES, 0, 0) for token in range(tokens)]
    for token, position in enumerate(positions):
        task.job(line, position, words=len(words) - 1, first_word=words[0], masks=masks)
        task.expect([(0, token, task.row)], words=words, masks=masks)
    return task, task.layer(row_step=LANES)


def gathering(rng, draw, *, channels, tokens, density):
    """Task of the keys: one channel of all tokens, channel after channel."""
    task = Task(rng, draw, channels=channels, size=(1, tokens), density=density)
    task.row += LANES
    for channel in range(channels):
        word, bit = divmod(channel, LANES)
        window = TapWindow(word, -bit, 0, tokens - 1, (tokens - 1) * task.map.words)
        task.job(TapWindow(0, 0, 0, 0, 0), window, masks=(1 << bit, ONES))
        # One word of each token: the mask is that of the first and the last word.
        task.expect(
            [(0, token, task.row - bit + token) for token in range(tokens)],
            words=[word],
            masks=(1 << bit, ONES),
        )
    return task, task.layer(row_step=1, word_stride=task.map.words, gather=1)
