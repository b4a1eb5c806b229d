#!/bin/sh
# Installs Addend as a user does, a wheel without extras, and runs every command where no clone is; then with
# the extra sim, simulates what it built.
# Usage: bare.sh PYTHON..., the interpreters; those that this machine lacks are left out.
#
# Nothing is pinned: pip takes the newest versions that pyproject.toml allows.
root=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT TERM
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK=1

fail() {
    printf 'addend: %s\n' "$1" >&2
    exit 1
}

last_line() {
    tail -n 1 "$place/err"
}

# runs COMMAND...: it ends with status 0; what it prints is in $place/out.
runs() {
    "$@" >"$place/out" 2>"$place/err" ||
        fail "under $python, \`$*\` failed with status $?: $(last_line)"
}

# helps COMMAND...: its help is there.
helps() {
    runs "$@" --help
    grep -q '^usage: ' "$place/out" || fail "under $python, \`$* --help\` must say \`usage: ...\`"
    commands=$((commands + 1))
}

# lacks EXTRA COMMAND...: it fails, and its last line says how to install the extra.
lacks() {
    extra=$1
    shift
    "$@" >"$place/out" 2>"$place/err" &&
        fail "under $python, \`$*\` must fail without the extra $extra, and did not"
    case $(last_line) in
    *"\`pip install 'addend[$extra]'\`"*) ;;
    *) fail "under $python, \`$*\` must name the extra $extra, and says: $(last_line)" ;;
    esac
}

# listed INDENT: the commands that a help in $place/out lists, so far indented.
listed() {
    sed -n "s/^$1\([a-z][a-z]*\)  *[^ ].*/\1/p" "$place/out"
}

# The wheel is made of a copy: pip would leave a build folder in the clone, and take up what lies there.
wheel() {
    mkdir "$place/source"
    (cd "$root" && cp -R addend golden train hw sim pyproject.toml README.md LICENSE "$place/source")
    find "$place/source" -name __pycache__ -prune -exec rm -rf {} +
    # shellcheck disable=SC2086
    runs pip wheel --quiet --no-deps $PIP_INDEX_ARGS -w "$place" "$place/source"
}

# install: the wheel, all of it, in an empty environment, and nothing of the clone.
install() {
    rm -rf "$place/venv" "$place/empty"
    mkdir "$place/empty"
    cd "$place/empty" || exit
    runs "$python" -m venv "$place/venv"
    PATH=$place/venv/bin:$paths
    [ -d "$place/source" ] || wheel
    # shellcheck disable=SC2086
    runs pip install --quiet --no-compile $PIP_INDEX_ARGS "$place"/addend-*.whl
    cp "$root/tests/data/digits.safetensors" "$root/tests/data/digits-tiny.safetensors" .
    runs python -c 'import addend; print(addend.__file__.removesuffix("/addend/__init__.py"))'
    site=$(cat "$place/out")
    case $site in
    "$place"/venv/*) ;;
    *) fail "under $python, addend must come from the wheel, not from $site" ;;
    esac
    missing=$(cd "$place/source" && find addend golden train hw sim -type f | while read -r file; do
        [ -e "$site/$file" ] || printf '%s ' "$file"
    done)
    [ -z "$missing" ] || fail "the wheel lacks $missing: name it under package-data in pyproject.toml"
}

# use: what needs no extra works.
use() {
    runs addend build --target sim --model digits.safetensors --out built
    [ -s built/rtl/accelerator.v ] || fail "under $python, \`addend build\` must write Verilog"
    runs python - <<'END'
import pathlib
import numpy
import addend

model = addend.load("digits.safetensors")
pixels = numpy.zeros((2, *model.image_shape), numpy.uint8)
assert addend.run(model, pixels).logits.shape == (2, 10)
plan = addend.compile_model(model, columns=1, lanes=8, spike_code=addend.SpikeCode.BIT_SERIAL)
addend.build(plan, pathlib.Path("built-too"))
numpy.save("pixels.npy", pixels)
END
    runs addend run digits.safetensors pixels.npy
}

# ask: every command has help, and those that need an extra say which.
ask() {
    runs addend --version
    helps addend
    for command in $(listed '  '); do
        helps addend "$command"
        for subcommand in $(listed '    '); do
            helps addend "$command" "$subcommand"
        done
    done
    [ "$commands" -gt 7 ] || fail "under $python, \`addend --help\` must list the commands"
    for module in $(cd "$site" && grep -rl '^if __name__ == "__main__"' golden train hw sim); do
        helps python -m "$(printf %s "${module%.py}" | tr / . | sed 's/\.__main__$//')"
    done
    lacks train addend train report digits.safetensors --out report
    lacks train addend evaluate digits.safetensors digits
    lacks sim addend sim built digits.safetensors
    lacks sim addend demo --out demo
    lacks explore addend explore --model digits.safetensors --out explored
    lacks fpga python -m hw.area built
}

# simulate: with the extra sim, what was built passes its testbench and answers as a board.
simulate() {
    # shellcheck disable=SC2086
    runs pip install --quiet --no-compile $PIP_INDEX_ARGS "$(echo "$place"/addend-*.whl)[sim]"
    runs addend build --target sim --model digits-tiny.safetensors --columns 1 --lanes-per-column 8 \
        --vectors 1 --out board
    if command -v iverilog >"$place/out"; then
        runs iverilog -g2005 -I board/tb -s tb -DADDEND_ROM_DIR='"board/rom/"' -o tb.vvp \
            board/rtl/accelerator.v board/tb/tb.v
        runs vvp -n tb.vvp
        [ "$(tail -n 1 "$place/out")" = "PASS 1 pictures, 10 logits" ] ||
            fail "under $python, the testbench must pass, and says: $(tail -n 1 "$place/out")"
    else
        printf 'iverilog is not on this machine: the testbench was not run\n'
    fi
    runs addend host --port sim:board classify pixels.npy --out answers.npz
    runs python - <<'END'
import numpy
import addend

pixels = numpy.load("pixels.npy")
expected = addend.run(addend.load("digits-tiny.safetensors"), pixels).logits
assert (numpy.load("answers.npz")["logits"] == expected).all()
END
}

paths=$PATH
tried=0
for python; do
    # A shim of pyenv is a program that starts only where its version was chosen.
    if ! "$python" -c '' 2>"$place/err"; then
        printf '%s is not on this machine\n' "$python"
        continue
    fi
    commands=0
    install
    use
    ask
    simulate
    PATH=$paths
    tried=$((tried + 1))
    printf '%s: the wheel builds Verilog that answers as a board, and %d commands have help\n' "$("$python" -V)" "$commands"
done
[ "$tried" -gt 0 ] || fail "none of $* is on this machine: name one with make test-bare PYTHON=..."
