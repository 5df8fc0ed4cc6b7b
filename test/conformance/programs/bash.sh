# Arrays, arithmetic, patterns, pipelines, traps, job control, here documents, process substitution.
shopt -s extglob
declare -A ages=([ann]=31 [bob]=27 [cy]=44)
for name in $(printf '%s\n' "${!ages[@]}" | sort); do printf '%-5s %3d\n' "$name" "${ages[$name]}"; done
list=({1..20})
echo "${list[@]:5:4} ${#list[@]} $((16#ff ** 2 % 1000))"
text='the quick brown fox'
echo "${text^^} ${text//o/0} ${text%%+( *)} ${text##* }"
[[ $text =~ ([a-z]+)\ ([a-z]+)$ ]] && echo "${BASH_REMATCH[2]} ${BASH_REMATCH[1]}"
fib() { (($1 < 2)) && echo "$1" || echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); }
fib 9
comm <(seq 5) <(seq 2 6)
trap 'echo usr1' USR1
kill -USR1 $$
(
  trap 'echo leaving' EXIT
  exit 7
)
echo "status $?"
sleep 0.1 & wait $! && echo waited
coproc cat
echo through >&"${COPROC[1]}"
read -r line <&"${COPROC[0]}"
echo "$line"
exec {COPROC[1]}>&-
cat <<END | tr a-z A-Z | sort -r | uniq -c
$text
$(yes one | head -3)
END
false | true | false
echo "${PIPESTATUS[*]}"
printf '%q %b %x\n' "a b'c" 'tab\there' 48879
select_case() { case $1 in +([0-9])) echo number ;; @(a|b)*) echo letter ;; *) echo other ;; esac; }
select_case 42; select_case apple; select_case -
