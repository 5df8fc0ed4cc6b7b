/* The integer workload that every engine runs, and the two calls that a platform gives it. */
#ifndef BOOTLAB_BENCH_WORKLOAD_H
#define BOOTLAB_BENCH_WORKLOAD_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef short s16;

/* Runs `rounds` rounds and returns a CRC-32 over everything they computed; the same on every machine and byte order. */
u32 workload(u32 rounds);

/* Checks the workload's building blocks against known answers. Returns 0, or the number of the first wrong one. */
u32 workload_self_check(void);

/* Platform: writes to the console. */
void platform_write(const char *text, u32 length);
/* Platform: CPU cycles so far, 0 where the program cannot know. */
u32 platform_cycles(void);

/* Entered from the platform's start-up code. Returns the exit status, 0 when the self-check passed. */
int bench_main(void);

#endif
