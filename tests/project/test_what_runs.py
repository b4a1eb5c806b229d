"""The table of what runs, and its copy in the documents."""

from addend.what_runs import GOLDEN, HARDWARE, WHAT_RUNS, table
from train.graph import Refused
from train.layering.steps import STEPS


def test_every_kind_of_node_has_a_row():
    assert set(WHAT_RUNS) == {node.kind for node in STEPS if node is not Refused}
    assert {runs for runs, _ in WHAT_RUNS.values()} == {HARDWARE, GOLDEN}


def test_the_page_has_the_table(project_root):
    assert table() in (project_root / "docs" / "own-networks.md").read_text()
