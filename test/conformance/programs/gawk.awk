BEGIN {
  PROCINFO["sorted_in"] = "@ind_str_asc"
  for (i = 1; i <= 2000; i++) s += sin(i) / i
  printf "%.12f %d %s %5.1f|%-6s|%c|%x|%e\n", s, 2 ^ 40, substr("substring", 4, 3), 3.14159, "left", 65, 255, 12345.678
  n = split("the cat sat on the mat the end", words, / /)
  for (i = 1; i <= n; i++) count[words[i]]++
  for (word in count) printf "%s=%d ", word, count[word]
  print ""
  text = "john smith, jane doe"
  print gensub(/(\w+) (\w+)/, "\\2 \\1", "g", text), toupper(text), length(text), index(text, "jane"), match(text, /j[a-z]+e/), RSTART, RLENGTH
  for (i = 1; i <= 500; i++) numbers[i] = (i * 7919) % 1009
  m = asort(numbers, sorted); print m, sorted[1], sorted[250], sorted[500]
  print strftime("%Y-%m-%d %H:%M:%S", 1700000000, 1), strtonum("0x1F"), and(12, 10), xor(5, 3), lshift(1, 20), int(-3.7), 7 % -3, -7 % 3, 2 ** 0.5
  while (("seq 5 | tac" | getline line) > 0) out = out line " "
  print out; close("seq 5 | tac")
  print "b\na\nc" | "sort"; close("sort")
  function_test(5); a["x"]["y"] = 1; print isarray(a["x"]), length(a), ("x" in a), substr("hello", 0), srand(1), srand()
  print gcd(1071, 462), fib(18), typeof(1), typeof("a"), typeof(undefined)
}
function function_test(n,   local) { local = n * 2; printf "%s\n", local }
function gcd(a, b) { return b == 0 ? a : gcd(b, a % b) }
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
