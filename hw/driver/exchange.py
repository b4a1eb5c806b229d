"""Requests and replies over a serial port."""

import time
import zlib

from ..isa.frames import (
    REPLY_BIT,
    REPLY_HEAD,
    REPLY_MARK,
    TAIL,
    LinkStatus,
    Reply,
    request_frame,
)
from .port import BoardError


__all__ = ["ATTEMPTS", "NoAnswerError", "ask", "find_reply"]


#: How often a request is sent before the board counts as dead.
ATTEMPTS = 3
#: Bytes of the longest payload: 2**16 logits, cycles and additions.
MOST_PAYLOAD = 4 * 2**16 + 12


class NoAnswerError(BoardError):
    """The board did not answer, or nothing that could be understood came."""


def ask(port, kind, payload=b"", *, timeout):
    """Sends a request until it is answered.

    A request that came with a wrong checksum had no effect, and is sent again at once. One that
    nothing comes back for is sent again after the time limit: by then, a board has dropped what it
    may have taken for the beginning of another one.

    Parameters
    ----------
    port : Port
    kind : RequestType
    payload : bytes
    timeout : float
        Seconds to wait for the reply, each time.

    Returns
    -------
    Reply

    Raises
    ------
    NoAnswerError
        If there is none.
    PortLostError
        If the port has gone.
    """
    frame = request_frame(kind, payload)
    came, garbled = 0, False
    for _ in range(ATTEMPTS):
        port.clear()
        until = time.monotonic() + timeout
        found = b""
        if not port.write(frame, until=until):
            raise NoAnswerError(f"Port {port.path} did not take a request within {timeout:g} s")
        while more := port.read(until=until):
            found += more
            reply = find_reply(found, kind)
            if reply is not None:
                break
        else:
            came += len(found)
            continue
        if reply.status != LinkStatus.CHECKSUM:
            return reply
        garbled = True
    if garbled:
        raise NoAnswerError(
            f"The board at {port.path} received every request with a wrong checksum, "
            f"{ATTEMPTS} times: check cable and speed"
        )
    what = f"{came} bytes came that are no reply" if came else "no byte came"
    raise NoAnswerError(
        f"The board at {port.path} did not answer {ATTEMPTS} requests within {timeout:g} s each, "
        f"and {what}: check power, bitstream and cable"
    )


def find_reply(content, kind):
    """First whole reply to a type of request among bytes.

    Parameters
    ----------
    content : bytes
    kind : RequestType

    Returns
    -------
    Reply
        None if there is none.

    Examples
    --------
    >>> from hw.isa.frames import reply_frame
    >>> find_reply(b"noise" + reply_frame(4, 0), 4)
    Reply(type=4, status=0, payload=b'')
    """
    begin = -1
    while (begin := content.find(REPLY_MARK, begin + 1)) >= 0:
        start = begin + REPLY_HEAD.size
        if len(content) < start:
            return None
        _, found, status, length = REPLY_HEAD.unpack_from(content, begin)
        end = start + length
        if found != kind | REPLY_BIT or length > MOST_PAYLOAD or len(content) < end + TAIL.size:
            continue
        if TAIL.unpack_from(content, end)[0] == zlib.crc32(content[begin + 1 : end]):
            return Reply(kind, status, content[start:end])
    return None
