"""Damage to bytes and to JSON values, drawn at random."""

import json


#: Numbers at which sizes and signs go wrong.
NUMBERS = (
    0,
    1,
    -1,
    2,
    15,
    16,
    127,
    128,
    255,
    256,
    2**15,
    2**16 - 1,
    2**16,
    2**24,
    2**26 + 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**36,
    2**63 - 1,
    2**63,
    10**11,
    10**30,
    10**400,
)

#: Pieces of text that parsers stumble over.
TOKENS = (
    b"[" * 2000,
    b"{" * 40,
    b'{"a":' * 500,
    b"(" * 300,
    b'\\"' * 9000,
    b"'",
    b'"',
    b"\\",
    b"\n",
    b"\x00",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"1" * 5000,
    b"-" * 200,
    b"a." * 3000,
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"\xff\xd8\xff\xda",
    b"%!PS-Adobe",
    b"\x93NUMPY",
    b"IHDR",
    b"0x",
    b"_",
    b"\xef\xbb\xbf",
    b"\\ud800",
    b"<!--",
    b"\xff" * 16,
    bytes(64),
)

#: Values that take the place of others in JSON.
VALUES = (
    None,
    True,
    False,
    "",
    "x\ny",
    "\u2028",
    "pixels",
    "x" * 100_000,
    [],
    {},
    [[]],
    {"a": {}},
    0.5,
    -0.0,
    1e300,
    *NUMBERS,
)


def mutate(data, rng, others=()):
    """Bytes with one to four damages, for the most part near the start or the end.

    Parameters
    ----------
    data : bytes
    rng : random.Random
    others : sequence of bytes
        Good files, parts of which are spliced in.

    Returns
    -------
    bytes
    """
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(DAMAGES)(data, rng, others)
    return bytes(data)


def mutate_json(value, rng):
    """A JSON value in which one place has another value, is missing, or is there twice."""
    value = json.loads(json.dumps(value))
    place, key = rng.choice(list(_places(value)) or [([value], 0)])
    match rng.randrange(6):
        case 0:
            del place[key]
        case 1 if isinstance(place, list):
            place.insert(key, place[key])
        case 1:
            place[str(rng.choice(VALUES))[:20]] = place.pop(key)
        case 2:
            place[key] = json.loads("[" * 30 + "]" * 30)
        case _:
            place[key] = rng.choice(VALUES)
    return value


def _places(value):
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _position(data, rng):
    near = rng.randrange(min(len(data), 80) + 1)
    return rng.choice((near, len(data) - near, rng.randrange(len(data) + 1)))


def _slice(data, rng):
    start = _position(data, rng)
    return slice(start, start + rng.choice((1, 2, 4, 8, 40, rng.randrange(len(data) + 1))))


def _flip(data, rng, _):
    for _ in range(rng.choice((1, 1, 8))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(data, rng, _):
    at = _position(data, rng)
    data[at : at + 1] = bytes([rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))])


def _number(data, rng, _):
    at, size = _position(data, rng), rng.choice((2, 4, 8))
    number = rng.choice(NUMBERS) % 256**size
    data[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))


def _truncate(data, rng, _):
    del data[_position(data, rng) :]


def _remove(data, rng, _):
    del data[_slice(data, rng)]


def _repeat(data, rng, _):
    part = data[_slice(data, rng)]
    at = _position(data, rng)
    data[at:at] = part * rng.choice((1, 1, 2, 50))


def _insert(data, rng, _):
    at = _position(data, rng)
    data[at:at] = rng.choice((rng.choice(TOKENS), rng.randbytes(rng.randrange(1, 40))))


def _replace(data, rng, _):
    token = rng.choice(TOKENS)
    at = _position(data, rng)
    data[at : at + len(token)] = token


def _splice(data, rng, others):
    other = rng.choice(others) if others else data
    data[_position(data, rng) :] = other[_position(other, rng) :]


DAMAGES = (
    _flip,
    _flip,
    _set,
    _number,
    _number,
    _truncate,
    _remove,
    _repeat,
    _insert,
    _replace,
    _splice,
)
