# Runs of words reversed line by line with the hold space, numbered, paragraphs joined.
/^#/d
/^$/{
  x
  s/\n/ | /g
  p
  s/.*//
  x
  d
}
s/\([a-z]*\) \([a-z]*\) \([0-9]*\)/\3:\2.\1/
y/abc/ABC/
H
$!d
x
s/[0-9]\{2,\}/<&>/g
s/\(.\)\1/{\1\1}/g
l 60
