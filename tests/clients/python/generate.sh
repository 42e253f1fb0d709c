#!/bin/sh
# Generates the Python messages and stubs from proto/ alone, into a folder outside the project:
#   generate.sh [FOLDER]
# Prints the folder. client.py looks for it in $XIANJIE_PYTHON, else in the default used here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
proto="$here/../../../proto"
out=${1:-${XIANJIE_PYTHON:-${TMPDIR:-/tmp}/xianjie-python}}
mkdir -p "$out"
"${PYTHON:-python3}" -m grpc_tools.protoc -I "$proto" \
  --python_out="$out" --grpc_python_out="$out" "$proto"/xianjie/v1/*.proto
echo "$out"
