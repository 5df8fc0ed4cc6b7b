# Most of what coreutils calculates.
export LC_ALL=C
seq 1000 | shuf --random-source=<(seq 100000) | sort -n | sha512sum
seq 300 | sort -R --random-source=<(seq 10000) | md5sum
printf '%s\n' 10K 9M 1G 512 2K | sort -h | paste -sd' '
seq 100 | split -l 30 --filter='wc -l' - part
printf 'b 2\na 1\nc 3\n' | sort | join - <(printf 'a x\nc y\n')
comm -12 <(seq -w 1 3 30) <(seq -w 1 5 30) | tr '\n' ' '; echo
seq 20 | pr -4 -t -w 40
printf 'one two three four five six seven eight\n' | fold -s -w 16 | nl
numfmt --to=iec 1048576 123456789; numfmt --from=si 2.5M; factor 9007199254740991 1234567890123
date -u -d @1700000000 '+%F %T %A %j %U'; date -u -d '2024-02-28 + 2 days' +%F
expr length abcdef + 4; printf '%s\n' {a,b}{1,2} | tac | head -c 6; echo
b=$(mktemp -d); cd "$b"; mkdir -p x/y; echo data > x/y/f; cp -a x z; ln -s y x/link; ls -R1 x z; du -b --apparent-size x/y/f | cut -f1
stat -c '%s %F %a %n' x/y/f x/link; readlink x/link; realpath --relative-to=. x/link/f; chmod 640 x/y/f; stat -c %A x/y/f
truncate -s 1M sparse; stat -c '%s' sparse; dd if=sparse bs=4k count=3 status=none | b2sum; tail -c 3 x/y/f | od -c
tsort <<< 'a b b c a c d a'; echo abc | base32; seq 5 | tee copy | wc -c; cat copy | paste -sd+
printf 'x\ty\n' | expand -t 8 | unexpand -a | cat -A; echo test | cksum; uniq -c <<< $'q\nq\nr'; timeout 0.2 sleep 5; echo $?
rm -r "$b"; test -e "$b"; echo $?
