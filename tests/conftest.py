"""Options, limits and profiles that every test shares."""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest


# Two workers on two cores: numerical libraries that start threads of their own only get in the
# way. They read this once, when they are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")

# A shell starts commands in the background with interrupts ignored, and so would all that the tests
# start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption(
        "--full-sim",
        action="store_true",
        help="also run the tests marked full: every array, spike code and image",
    )
    parser.addoption(
        "--soak",
        action="store_true",
        help="draw many more random cases in tests marked soak; SEED=N draws others",
    )
    parser.addoption(
        "--lowest",
        action="store_true",
        help="run with other versions than the pinned ones, and without torch: skip "
        "what imports it, and tests marked pinned",
    )


class WithoutTorch:
    """Finds modules last, when nobody else has: who imports torch is skipped."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torch":
            pytest.skip("make test-lowest runs without torch", allow_module_level=True)


def pytest_configure(config):
    if config.getoption("--lowest"):
        sys.meta_path.append(WithoutTorch)
        # Without the examples of train, which imports torch nearly everywhere.
        config.args[:] = [folder for folder in config.args if folder != "train"]
    # Hypothesis imports slowly, so only the configuration of a run with tests pays for it.
    from hypothesis import settings

    # The same examples in every run: a failure on another machine can be repeated on this one.
    settings.register_profile("addend", derandomize=True, deadline=None, print_blob=True)
    settings.load_profile("addend")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Forgets a module that was skipped halfway: another one could import what is there of it."""
    report = yield
    if report.skipped and collector.config.getoption("--lowest"):
        path = collector.path.relative_to(collector.config.rootpath)
        name = ".".join(path.with_suffix("").parts)
        sys.modules.pop(name, None)
        package, _, attribute = name.rpartition(".")
        vars(sys.modules.get(package, sys)).pop(attribute, None)
    return report


def pytest_collection_modifyitems(config, items):
    left_out = set() if config.getoption("--full-sim") else {"full"}
    if config.getoption("--lowest"):
        left_out.add("pinned")
    deselected = [item for item in items if left_out & set(item.keywords)]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if not left_out & set(item.keywords)]


def pytest_terminal_summary(terminalreporter):
    """Prints what tests have to say though they passed: their property ``printed``."""
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == "printed":
                terminalreporter.write_line(text)


@pytest.fixture(autouse=True)
def environment():
    """What a command sets for the programs that it starts ends with its test."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def torch():
    """For tests that start a program which imports torch: they are skipped like those that do."""
    importlib.util.find_spec("torch")


@pytest.fixture(scope="session")
def soak(pytestconfig):
    """Whether tests of random cases draw as many as ``make soak`` promises."""
    return pytestconfig.getoption("--soak")


@pytest.fixture(scope="session")
def seed():
    """Seed of random cases; ``SEED`` in the environment draws others than the committed ones."""
    return int(os.environ.get("SEED", "18"))


@pytest.fixture(scope="session")
def project_root(pytestconfig):
    """Folder of the checked-out project."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def shared_data(project_root):
    """Folder with cifar10.zip and imagenet-samples/, which nobody needs to have."""
    folder = Path(os.environ.get("ADDEND_DATA", project_root.parent / "shared" / "data"))
    if not (folder / "cifar10.zip").exists():
        pytest.skip("real pictures are looked for in ADDEND_DATA, a folder with cifar10.zip")
    return folder
