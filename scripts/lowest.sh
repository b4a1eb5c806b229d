#!/bin/sh
# Makes an environment of the lowest versions that pyproject.toml allows, without torch.
# Usage: lowest.sh PYTHON FOLDER
#
# Torch has one version, which `make test` runs with.
python=$1
folder=$2
set -e
"$python" -m venv --clear "$folder"
# shellcheck disable=SC2086
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check $PIP_INDEX_ARGS uv
lowest="$folder/bin/uv pip install --quiet --python $folder/bin/python $PIP_INDEX_ARGS"
echo torch >"$folder/excluded"
# shellcheck disable=SC2086
$lowest --resolution lowest-direct --excludes "$folder/excluded" -r pyproject.toml --all-extras
# shellcheck disable=SC2086
$lowest --no-deps -e .
