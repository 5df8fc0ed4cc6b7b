# Every compressor on the same data: bytes that come out, and back; multi-stream, levels, damaged input.
d=$(mktemp -d); cd "$d"
seq 1 6000 > data; head -c 20000 /dev/zero >> data; i=0; while [ $i -lt 400 ]; do printf 'line %d of some text that repeats itself\n' $i; i=$((i + 1)); done >> data
sha256sum < data
for level in 1 6 9; do
  gzip -n -$level < data | md5sum; bzip2 -$level < data | md5sum; xz -$level -T1 < data | md5sum; zstd -q -T1 -$level < data | md5sum
done
for c in gzip bzip2 xz zstd; do
  $c -q -c < data > packed; $c -q -dc < packed | sha256sum; cat packed packed | $c -q -dc | wc -c
  head -c 500 packed | $c -q -dc > /dev/null 2>&1; echo "$c cut short: $(($? != 0))"
  $c -q -t < packed && echo "$c tested"
done
cat data | 7zr a -si"data" -mx=5 -mmt=1 -bd archive.7z > /dev/null; 7zr x -so archive.7z | sha256sum; 7zr t archive.7z > /dev/null; echo "7zr $?"
7zr a -mx=9 -mmt=1 -m0=LZMA:d=64k -bd other.7z data > /dev/null; 7zr l -slt other.7z | grep -E '^(Path|Size|Method|CRC)' | tail -4; mkdir out; 7zr e -oout other.7z > /dev/null; sha256sum < out/data
xz -c --check=sha256 data > data.xz; xz --robot -l data.xz | cut -f1-5 | tail -1; xz -lvv data.xz | tail -2; bzip2 -c data > data.bz2; zstd -q --ultra -20 -T1 -c data | md5sum; zstd -q --long=24 -T1 -c data | zstd -q -dc --long=24 | sha256sum
cd /; rm -r "$d"
