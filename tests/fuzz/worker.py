"""Runs cases of one reader and reports every one of them, a line of JSON each."""

import json
import random
import time
import traceback
from pathlib import Path

from tests.fuzz.readers import find


#: What a reader may say about memory only if it has asked for too much.
_STARVED = "too large for the memory"


def run(name, seed, first, count, folder):
    """Run cases; yields what the supervisor needs to know of each, before and after.

    Parameters
    ----------
    name : str
        Of a reader.
    seed : int
    first, count : int
        Numbers of the cases.
    folder : Path
        Empty; the files of a case stay there while it runs.

    Yields
    ------
    dict
        ``begins``: number of a case; or ``case``, ``outcome`` (``right``, ``refused`` or a fault in
        words), ``text`` and ``seconds``. The first one has ``ready``.
    """
    reader = find(name)
    places = [Path(path) for path in reader.write(folder)]
    good = [path.read_bytes() for path in places]
    for path in places:
        reader.check(path, reader.read(path))
    yield {"ready": len(places)}
    for number in range(first, first + count):
        rng = random.Random(f"{seed} {name} {number}")
        place = rng.randrange(len(places))
        yield {"begins": number}
        places[place].write_bytes(reader.change(good[place], rng, good))
        begin = time.monotonic()
        outcome, text = _outcome(reader, places[place], folder)
        yield {
            "case": number,
            "outcome": outcome,
            "text": text[:2000],
            "seconds": time.monotonic() - begin,
        }
        places[place].write_bytes(good[place])


def _outcome(reader, path, folder):
    try:
        value = reader.read(path)
    except reader.errors as error:
        return _judge(folder, error)
    except Exception:
        return "it let an exception through", traceback.format_exc()
    try:
        reader.check(path, value)
    except Exception:
        return "its result is wrong", traceback.format_exc()
    return "right", ""


def _judge(folder, error):
    text = str(error)
    if not text.isprintable() or len(text) > 1500:
        return "its message is more than a sentence", text
    if str(folder) not in text:
        return "its message names no file", "".join(traceback.format_exception(error))
    if _STARVED in text:
        return "it asked for too much memory", text
    return "refused", text


def report(record):
    """Write a record to where the supervisor reads it."""
    print(json.dumps(record), flush=True)
