#!/bin/sh
# Adds what the bench (Testing/host) needs to .venv and, where possible, to the system. Run through make, after setup.sh.
set -eu
cd "$(dirname "$0")/.."

# Debian's names of the shared libraries that Qt and VTK load, the software renderer behind EGL, and a font.
packages="libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri libglib2.0-0 libdbus-1-3 libfontconfig1 libfreetype6 libxkbcommon0 libx11-6
fonts-dejavu-core"
# For a window on a screen (make desk); the tests draw without one.
window_packages="libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0
libxcb-xkb1 libxkbcommon-x11-0"

missing() {
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || printf '%s ' "$package"
    done
}

if [ "$(uname)" = Linux ] && command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # lists of words
    wanted=$(missing $packages $window_packages)
    if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing for the bench: $wanted" >&2
        # shellcheck disable=SC2086 # a list of words
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted >/dev/null
    fi
fi

.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.lock

if ! .venv/bin/python -m Testing.host.check; then
    echo "The bench cannot draw here. On Debian or Ubuntu: sudo apt-get install $(echo $packages $window_packages)" >&2
    echo "Elsewhere install what provides EGL with a software renderer (Mesa), fontconfig and a font. Then make again." >&2
    exit 1
fi
touch .venv/.bench-ready
