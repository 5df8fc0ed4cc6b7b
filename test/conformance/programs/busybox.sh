# Applets of one busybox, as its shell finds them.
B=busybox
$B seq 1 500 | $B sha256sum
$B seq 1 300 | $B awk '{ s += $1 * $1 } END { print s, NR }'
$B printf 'pear\napple\nfig\n' | $B sort | $B tr a-z A-Z | $B paste -s -d,
$B echo 'hello world' | $B sed 's/\(.*\) \(.*\)/\2 \1/' | $B rev
$B seq 2000 | $B gzip -c | $B gunzip -c | $B md5sum
$B seq 9 | $B tac | $B xargs $B echo
$B expr 17 '*' 19; $B factor 123456789; $B cal 2 2024 | $B head -3
$B echo 'some text' | $B base64 | $B base64 -d
$B seq 1 40 | $B grep -E '^(1|3).*[05]$' | $B wc -l
$B printf 'a b\nc d\n' | $B cut -d' ' -f2 | $B od -An -tx1
$B dd if=/dev/zero bs=1000 count=50 2>/dev/null | $B sha1sum
