# POSIX shell: expansion, functions, traps, redirections.
set -eu
count() { n=0; for word in "$@"; do n=$((n + 1)); done; echo "$n: $*"; }
count 'a b' c "d  e"
IFS=:; set -- $(echo one:two:three); count "$@"; unset IFS
path=/usr/local/lib/archive.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${#path} ${missing:-default}"
i=0; while [ $i -lt 2000 ]; do i=$((i + 7)); done; echo $i
trap 'echo caught' TERM; kill -TERM $$
( exit 5 ) || echo "status $?"
exec 3>&1; echo direct >&3; exec 3>&-
printf '%05d|%-6s|%.3f|%o\n' 42 left 3.14159 64
echo 'a1b22c333' | while read -r line; do echo "${line#*b}"; done
eval 'x=$((6 * 7))'; echo "$x"; case abc in a?c) echo match ;; esac
{ echo out; echo err >&2; } 2>/dev/null
umask 027; umask; set +e; test -d / -a ! -f /; echo $?
