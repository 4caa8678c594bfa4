#!/bin/sh
# Makes .venv from requirements.lock. Run through make; runs again only when the lock file changed.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
    echo "Python 3.11 or newer is needed: install python3, or call make PYTHON=/path/to/python3." >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed, this is $("$python" --version 2>&1): call make PYTHON=/path/to/python3." >&2
    exit 1
fi
# Debian ships the parts that make a virtual environment as a package of their own.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv
    else
        echo "Python's venv module is missing: run 'sudo apt-get install python3-venv', then make again." >&2
        exit 1
    fi
fi

echo "Installing into .venv; the first time this takes some minutes, most of it for PyTorch." >&2
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
touch .venv/.ready
