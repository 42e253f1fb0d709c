#!/bin/sh
# Builds the client from proto/ alone, into a folder outside the project:
#   build.sh [FOLDER]
# Holds what verifies receipts against tests/vectors/, and prints the program. The compilers and
# libraries are Debian's
#   openjdk-17-jdk-headless protobuf-compiler libprotobuf-dev protobuf-compiler-grpc-java-plugin
#   libgrpc-java libprotobuf-java libnetty-java libnetty-tcnative-java libperfmark-java libguava-java
#   libgoogle-gson-java libgeronimo-annotation-1.3-spec-java
# or the same jars in a folder that $JARS names. With Maven they are io.grpc:grpc-netty, grpc-protobuf
# and grpc-stub, io.netty:netty-tcnative-boringssl-static, com.google.protobuf:protobuf-java-util and
# javax.annotation:javax.annotation-api.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
proto="$here/../../../proto"
out=${1:-${TMPDIR:-/tmp}/xianjie-java}
jars=${JARS:-/usr/share/java}
rm -rf "$out/source" "$out/classes"
mkdir -p "$out/source" "$out/classes"
protoc -I "$proto" --plugin=protoc-gen-grpc-java="$(command -v grpc_java_plugin)" \
  --java_out="$out/source" --grpc-java_out="$out/source" "$proto"/xianjie/v1/*.proto
path="$out/classes"
for jar in grpc-api grpc-context grpc-core grpc-netty grpc-protobuf grpc-protobuf-lite grpc-stub \
  protobuf protobuf-util guava gson perfmark-api jsr305 geronimo-annotation-1.3-spec \
  netty-buffer netty-codec netty-codec-http netty-codec-http2 netty-common netty-handler \
  netty-resolver netty-transport netty-tcnative; do
  path="$path:$jars/$jar.jar"
done
find "$out/source" "$here" -name '*.java' > "$out/files"
javac -encoding UTF-8 -d "$out/classes" -cp "$path" "@$out/files"
java -cp "$path" Vectors "$here/../../vectors/receipts.json"
# Debian's netty speaks HTTP/2 over TLS through OpenSSL alone, and looks for it under another name.
mkdir -p "$out/native"
find /usr/lib -name libnetty-tcnative.so -exec cp {} "$out/native/libnetty_tcnative.so" \;
cat > "$out/xianjie-java" <<END
#!/bin/sh
exec java -Djava.library.path="$out/native" -cp "$path" Client "\$@"
END
chmod +x "$out/xianjie-java"
echo "$out/xianjie-java"
