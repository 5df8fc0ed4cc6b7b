/* Prints a system call as it was written, what it gave, and its error in words. */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOW(expression)                                                                     \
  do {                                                                                       \
    errno = 0;                                                                               \
    long long result_ = (long long)(expression);                                             \
    printf("%s = %lld %s\n", #expression, result_, result_ == -1 ? strerror(errno) : "");     \
  } while (0)
