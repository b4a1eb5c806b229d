"""Frames of the serial link: requests of a host, and the replies of a board."""

import struct
import zlib
from enum import IntEnum
from typing import NamedTuple

from .status import Status


__all__ = [
    "BUFFER_WORDS",
    "GAP_CYCLES",
    "HEAD",
    "REPLY_HEAD",
    "REPLY_MARK",
    "REQUEST_MARK",
    "TAIL",
    "LinkStatus",
    "Reply",
    "RequestType",
    "describe_status",
    "reply_frame",
    "request_frame",
]


#: First byte of a request and of a reply.
REQUEST_MARK, REPLY_MARK = 0xA5, 0x5A
#: Bit of a reply's type, beside that of the request.
REPLY_BIT = 0x80
#: Clock cycles without a byte after which what has come of a request is dropped.
GAP_CYCLES = 2**22
#: Words of 32 bits that every board keeps of a request until its checksum was right.
BUFFER_WORDS = 512

#: What stands in front of a request's payload and behind it, and in front of that of a reply.
HEAD = struct.Struct("<BBI")
REPLY_HEAD = struct.Struct("<BBBI")
TAIL = struct.Struct("<I")


class RequestType(IntEnum):
    """What a request asks for."""

    #: Payload: one packet for the load port, 4 bytes a beat. No payload in the reply.
    LOAD = 1
    #: Payload: a picture's bytes. Reply: logits (int32), cycles (uint32), additions (uint64).
    PICTURE = 2
    #: No payload. Reply: cycles (uint32), additions (uint64), pictures since reset (uint32).
    COUNTERS = 3
    #: No payload, none in the reply: the core is reset.
    RESET = 4
    #: No payload. Reply: 8 bytes, see ``hw.isa.identity``.
    IDENTITY = 5


class LinkStatus(IntEnum):
    """Status of a reply beyond those of ``Status``, which the core has."""

    #: The checksum of the request was wrong; it had no effect.
    CHECKSUM = 16
    #: There is no request of this type.
    TYPE = 17
    #: The payload is no whole number of beats or pixels, empty where there must be one, or longer
    #: than the board takes; or there were more logits than a reply has room for.
    LENGTH = 18


#: What each status means, for a sentence that begins with the board.
_MEANINGS = {
    Status.OK.value: "had no error",
    Status.PIXELS.value: "takes pictures of another size",
    Status.PACKET.value: "refused a malformed load packet",
    Status.TIMEOUT.value: "waited too long for the rest of a load packet",
    Status.MODEL.value: "holds no model that was loaded without error",
    LinkStatus.CHECKSUM: "received a request with a wrong checksum",
    LinkStatus.TYPE: "does not know this type of request",
    LinkStatus.LENGTH: "does not take a request of this length",
}


class Reply(NamedTuple):
    """What a board answered."""

    type: int
    status: int
    payload: bytes


def request_frame(kind, payload=b""):
    """Bytes of a request.

    Parameters
    ----------
    kind : int
        A ``RequestType``, or any other byte.
    payload : bytes

    Returns
    -------
    bytes

    Examples
    --------
    >>> request_frame(RequestType.RESET).hex()
    'a50400000000dd51a233'
    """
    checked = HEAD.pack(REQUEST_MARK, kind, len(payload)) + payload
    return checked + TAIL.pack(zlib.crc32(checked[1:]))


def reply_frame(kind, status, payload=b""):
    """Bytes of the reply to a request of a type.

    Parameters
    ----------
    kind : int
    status : int
    payload : bytes

    Returns
    -------
    bytes
    """
    checked = REPLY_HEAD.pack(REPLY_MARK, kind | REPLY_BIT, status, len(payload)) + payload
    return checked + TAIL.pack(zlib.crc32(checked[1:]))


def describe_status(status):
    """What a status says of the board, to stand behind "the board".

    Examples
    --------
    >>> describe_status(8)
    'holds no model that was loaded without error'
    """
    return _MEANINGS.get(status, f"answered with status {status}")
