"""Damaged files for every reader: each must give a right result or one sentence.

`tests.fuzz.readers.READERS` lists the readers, `tests.fuzz.worker` runs cases in a process of its
own, `tests.fuzz.campaign` watches that process; ``python -m tests.fuzz READER --case N`` repeats a
case.
"""
