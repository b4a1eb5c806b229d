#!/bin/sh
# Names what this machine lacks for `make setup`, and the command that installs it.
# Usage: prerequisites.sh [PYTHON], with the interpreter that will own the virtual environment.
python=${1:-python3}
missing=""
packages=""

# lacks WHAT PACKAGE: remember one missing thing.
lacks() {
    missing="$missing
  $1"
    packages="$packages $2"
}

# Lists of paths and shells, which the set-up and the simulator depend on, take such names apart.
case "$(pwd)" in
*[\$:\;,\"\`\\]* | *"
"*)
    printf 'addend: the name of this folder must have none of $ : ; , " ` \\ and no line break' >&2
    printf ' in it: move %s elsewhere\n' "$(pwd)" >&2
    exit 1
    ;;
esac

command -v make >/dev/null 2>&1 || lacks "make" make
command -v g++ >/dev/null 2>&1 ||
    lacks "g++, which compiles the simulator (another compiler will not do)" g++
# perl-base, which Debian always has, lacks the modules that Verilator's front end loads.
perl -MPod::Usage -MGetopt::Long -e 1 >/dev/null 2>&1 ||
    lacks "perl with its modules, which starts Verilator" perl

if ! command -v "$python" >/dev/null 2>&1; then
    lacks "$python (Python 3.11 or newer)" "python3 python3-venv libpython3-dev"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    lacks "Python 3.11 or newer ($python is $("$python" -V 2>&1)); name one with make PYTHON=..." \
        python3.11
else
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        lacks "the venv module of $python" python3-venv
    "$python" - >/dev/null 2>&1 <<'EOF' || lacks "libpython$version.so, which cocotb loads" "libpython$version"
import ctypes, sysconfig
library = sysconfig.get_config_var("INSTSONAME")
try:
    ctypes.CDLL(library)
except OSError:
    ctypes.CDLL(sysconfig.get_config_var("LIBDIR") + "/" + library)
EOF
fi

if [ -n "$missing" ]; then
    printf 'addend: missing on this machine:%s\nOn Debian or Ubuntu, install it with\n' "$missing" >&2
    printf '  apt-get install%s\n' "$packages" >&2
    exit 1
fi
