"""Training that is interrupted from the keyboard, as a process of its own."""

import signal
import subprocess
import sys

from tests.training import run_config, to_toml


def test_interrupting_a_real_process(tmp_path, project_root):
    config = tmp_path / "tiny.toml"
    config.write_text(to_toml(run_config(bits=4)))
    out = tmp_path / "run"
    arguments = [
        sys.executable,
        "-m",
        "train",
        "fit",
        "--config",
        str(config),
        "--out",
        str(out),
        "--epochs",
        "10000",
        "1",
        "--threads",
        "1",
    ]
    with subprocess.Popen(
        arguments, cwd=project_root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while not (out / "checkpoint.pt").exists():
                assert process.poll() is None
                try:
                    process.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert said.splitlines()[-1] == (
        f"Interrupted; {out} holds the last whole epoch, and --resume goes on from it."
    )
    assert {path.name for path in out.iterdir()} <= {"checkpoint.pt", "log.csv", "tensorboard"}
