"""Run cases of one reader: ``python -m tests.fuzz READER --case N`` repeats one that failed."""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

from tests.fuzz.readers import READERS
from tests.fuzz.worker import report, run


def main():
    """Run the cases that the command line names, and report each."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument(
        "reader", metavar="READER", help=", ".join(reader.name for reader in READERS)
    )
    parser.add_argument("--seed", type=int, default=18, metavar="N")
    parser.add_argument("--case", type=int, default=0, metavar="N", help="the first one")
    parser.add_argument("--count", type=int, default=1, metavar="N")
    parser.add_argument(
        "--memory",
        type=int,
        default=2**33,
        metavar="BYTES",
        help="address space of this process; default: 8 GiB",
    )
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (options.memory, options.memory))
    with tempfile.TemporaryDirectory() as folder:
        for record in run(options.reader, options.seed, options.case, options.count, Path(folder)):
            report(record)
            if "case" in record and "--count" not in sys.argv:
                print(record["text"], file=sys.stderr)


if __name__ == "__main__":
    main()
