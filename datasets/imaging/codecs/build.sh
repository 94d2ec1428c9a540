#!/bin/sh
# Compiles the decoders of this folder into the library that __init__.py loads. Extra flags may be given.
set -eu
cd "$(dirname "$0")"
: "${CC:=cc}" "${OUTPUT:=liblossless.so}"
# gcc would gather a context's fields in vector registers (-ftree-slp-vectorize), which makes the next sample wait for them.
"$CC" -std=gnu11 -O3 -fno-tree-slp-vectorize -fwrapv -fPIC -shared -Wall -Wextra -Werror "$@" \
    -o "$OUTPUT.new" jpeg_ls.c jpeg_lossless.c
mv "$OUTPUT.new" "$OUTPUT"
