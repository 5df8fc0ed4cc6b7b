# Counts words in an associative array, then sums a series in floating point.
{
  for (i = 1; i <= NF; i++) {
    count[$i]++
    words++
  }
}
END {
  for (word in count)
    if (count[word] > most || (count[word] == most && word < commonest)) {
      most = count[word]
      commonest = word
    }
  for (i = 1; i <= 200000; i++) sum += sin(i) * sqrt(i) / log(i + 1)
  printf "%d %d %s %.6f\n", words, most, commonest, sum
}
