/*
 * The multi-threading extension as a kernel meets it (MD00378): controls of the processing element and of the thread
 * context that runs, reached by mftc0 and mttc0. GNU as wants -mmt for these, hence the words.
 */
#include "guest.h"

/* Results in and arguments from $v0. */
#define WORD(word)                                                                                                     \
  ({                                                                                                                   \
    register u32 value_ __asm__("$2") = 0;                                                                             \
    __asm__ volatile(".word " #word "\n ehb" : "+r"(value_) : : "memory");                                             \
    value_;                                                                                                            \
  })
#define DVPE 0x41620001
#define EVPE 0x41620021
#define DMT 0x41620bc1
#define EMT 0x41620be1
#define MFTC0_VPECONTROL 0x41011001 /* mftc0 $v0, $1, 1 */
#define MTTC0_VPECONTROL 0x41820801 /* mttc0 $v0, $1, 1: of zero */
#define TE 0x8000
#define MVP_VPA 3

#define EXPAND(word) WORD(word)

void test_main(void) {
  print("threads:");
  EXPAND(DVPE);
  field("EVP off", READ_CP0(0, 1) & 1);
  field("evpe was", EXPAND(EVPE) & 1);
  field("EVP on", READ_CP0(0, 1) & 1);
  field("dvpe was", EXPAND(DVPE) & 1);
  EXPAND(DMT);
  field("TE off", READ_CP0(1, 1) & TE);
  field("emt was", EXPAND(EMT) & TE);
  field("TE on", EXPAND(MFTC0_VPECONTROL) & TE);
  EXPAND(MTTC0_VPECONTROL);
  field("TE written", READ_CP0(1, 1) & TE);
  field("master and active", READ_CP0(1, 2) & MVP_VPA);
  field("MT", READ_CP0(16, 3) >> 2 & 1);
  print("\n");
}
