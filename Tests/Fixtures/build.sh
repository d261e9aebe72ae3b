#!/bin/sh
# Builds the test plugins as a stranger would, each with one cc: build.sh OUTDIR. Results are named after the sources:
# OUTDIR/crash-call.so. The headers are in OUTDIR/include. What is newer than all sources is left alone. CC picks the
# compiler. A source may ask for more flags in a line "// build: …".
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 OUTDIR" >&2
    exit 64
fi
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

# missing-library links against this, which is then gone when it is loaded.
nowhere=$(mktemp -d)
trap 'rm -rf "$nowhere"' EXIT
cc=${CC:-cc}
$cc -shared -Wl,-soname,libnocturne-nowhere.so.1 -o "$nowhere/libnocturne-nowhere.so.1" -x c /dev/null

compile='
    out=$1 root=$2 here=$3 nowhere=$4 cc=$5 source=$6
    name=$(basename "$source" .c)
    if [ -f "$out/$name.so" ] && [ -z "$(find "$here" "$root/PluginSDK/C" "$root/Sources/CWire" \
        \( -name "*.h" -o -path "$source" -o -name build.sh \) -newer "$out/$name.so")" ]; then
        exit 0
    fi
    flags=$(sed -n "s|^// build: ||p" "$source")
    cd "$nowhere"
    # shellcheck disable=SC2086 # the flags are words
    $cc -O1 -Wall -Wextra -Werror ${EXTRA_CFLAGS-} -shared -fPIC \
        -I "$root/PluginSDK/C/include" -I "$root/Sources/CWire/include" -I "$here" \
        "$source" $flags -o "$out/$name.so.part.$$"
    mv "$out/$name.so.part.$$" "$out/$name.so"
'
# What it takes to compile one more beside them.
mkdir -p "$out/include"
cp -R "$root/PluginSDK/C/include/." "$root/Sources/CWire/include/." "$here/fixture.h" "$here/tasks.h" "$here/metrics.h" "$here/Services/ring-of.h" \
    "$out/include"

find "$here" -name '*.c' -print0 |
    xargs -0 -n 1 -P 2 sh -euc "$compile" build "$out" "$root" "$here" "$nowhere" "$cc"
