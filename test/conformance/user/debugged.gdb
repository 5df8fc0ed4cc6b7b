set pagination off
set confirm off
set width 0
break distance
run
bt 1
print *p
set var scale = 100
finish
continue
info threads
up
print p.weight
delete
handle SIGSEGV stop print
continue
info line
kill
