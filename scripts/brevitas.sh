#!/bin/sh
# Writes QONNX files as Brevitas exports them, from an environment of its own: Addend never needs Brevitas.
# Usage: brevitas.sh PYTHON ENVIRONMENT FOLDER, where ENVIRONMENT is made and FOLDER gets the files.
#
# Brevitas wants an older setuptools than Addend pins, and its two exporters onnxoptimizer and onnxscript.
set -e
root=$(cd "$(dirname "$0")/.." && pwd)
python=$1
environment=$2
"$python" -m venv --clear "$environment"
# shellcheck disable=SC2086
"$environment/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check $PIP_INDEX_ARGS \
    brevitas==0.13.4 torch==2.13.0 onnx==1.17.0 onnxoptimizer==0.4.2 onnxscript==0.7.2 \
    scikit-learn==1.9.1 numpy==2.4.6 safetensors==0.8.0 pillow==13.0.0
# With one thread, the sums of training are in one order.
OMP_NUM_THREADS=1 PYTHONPATH=$root "$environment/bin/python" "$root/scripts/brevitas_digits.py" "$3"
