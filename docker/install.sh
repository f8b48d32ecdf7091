#!/bin/sh
# Build the wheels of this checkout and install a worker made of them into a new virtual environment.
#
#   docker/install.sh TARGET
#
# Needs Python 3.11 or later with venv, and no rights but to write TARGET and the temporary folder.
# Third-party packages come in the versions of tools/constraints.txt.
#
#   PYTHON  the interpreter to use (python3)
#   EXTRAS  of infinitic-worker (all), such as postgres,metrics for fewer third-party packages
set -eu

if [ "$#" -ne 1 ]; then
    echo "usage: docker/install.sh TARGET" >&2
    exit 2
fi
case $1 in
/*) target=$1 ;;
*) target=$PWD/$1 ;;
esac
python=${PYTHON:-python3}
extras=${EXTRAS:-all}
checkout=$(cd "$(dirname "$0")/.." && pwd)
if [ -e "$target" ]; then
    echo "docker/install.sh: $target is there already; give a new folder" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_CONSTRAINT="$checkout/tools/constraints.txt"

# Sources are copied: a build writes beside them, and the checkout may be read-only.
mkdir "$work/packages" "$work/dist"
cp -R "$checkout/tools" "$work/tools"
for package in "$checkout"/packages/infinitic-*; do
    mkdir "$work/packages/${package##*/}"
    for part in pyproject.toml README.md LICENSE CHANGELOG.md src; do
        cp -R "$package/$part" "$work/packages/${package##*/}/"
    done
done

"$python" -m venv "$work/builder"
"$work/builder/bin/pip" install --quiet hatchling
"$work/builder/bin/pip" wheel --quiet --no-deps --no-build-isolation \
    --wheel-dir "$work/dist" "$work"/packages/infinitic-*

# Every wheel of ours is named by its file, so that none is looked for elsewhere. The target has no
# pip: that of the builder fills it, as that of any other environment can.
"$python" -m venv --without-pip "$target"
"$work/builder/bin/pip" --python "$target/bin/python" install --quiet "$work"/dist/*.whl \
    "$(echo "$work"/dist/infinitic_worker-*.whl)[$extras]"
"$work/builder/bin/pip" --python "$target/bin/python" check
"$target/bin/infinitic-worker" --help >/dev/null
echo "docker/install.sh: the worker is $target/bin/infinitic-worker"
