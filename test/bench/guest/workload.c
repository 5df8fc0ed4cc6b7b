/*
 * Four kinds of integer work, each about a quarter of the instructions, the mix that small control programs are made of:
 * pointer chasing (linked lists), multiply-accumulate in nested loops (matrix), unpredictable branches (a state machine
 * over text) and table look-ups over bytes (CRC-32). Each round's results seed the next, so no part can be dropped or
 * reordered.
 */
#include "workload.h"

/* ---- CRC-32, IEEE 802.3 section 3.2.9, bit-reversed form, one table look-up per byte ---- */

static u32 crc_table[256];

static void crc_prepare(void) {
  for (u32 byte = 0; byte < 256; byte++) {
    u32 crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
    crc_table[byte] = crc;
  }
}

static u32 crc_byte(u32 crc, u8 byte) { return crc_table[(crc ^ byte) & 0xff] ^ (crc >> 8); }

static u32 crc_bytes(u32 crc, const u8 *bytes, u32 length) {
  while (length--) crc = crc_byte(crc, *bytes++);
  return crc;
}

static u32 crc_word(u32 crc, u32 word) {
  for (int i = 0; i < 4; i++, word >>= 8) crc = crc_byte(crc, (u8)word);
  return crc;
}

/* ---- Pseudo-random numbers: Marsaglia's xorshift32 ---- */

static u32 next_random(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* ---- Linked lists: build in random order, merge sort, reverse, search ---- */

#define NODES 128

struct node {
  struct node *next;
  s16 key;
  u16 serial;
};

static struct node nodes[NODES];

static struct node *list_build(u32 *random) {
  struct node *head = 0;
  for (u32 i = 0; i < NODES; i++) {
    struct node *node = &nodes[i];
    node->key = (s16)next_random(random);
    node->serial = (u16)i;
    node->next = head;
    head = node;
  }
  return head;
}

static struct node *list_merge(struct node *a, struct node *b) {
  struct node *head = 0, **tail = &head;
  while (a && b) {
    struct node **smaller = a->key < b->key || (a->key == b->key && a->serial < b->serial) ? &a : &b;
    *tail = *smaller;
    tail = &(*smaller)->next;
    *smaller = (*smaller)->next;
  }
  *tail = a ? a : b;
  return head;
}

static struct node *list_sort(struct node *list) {
  if (!list || !list->next) return list;
  struct node *middle = list;
  for (struct node *end = list->next; end && end->next; end = end->next->next) middle = middle->next;
  struct node *second = middle->next;
  middle->next = 0;
  return list_merge(list_sort(list), list_sort(second));
}

static struct node *list_reverse(struct node *list) {
  struct node *reversed = 0;
  while (list) {
    struct node *next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

static u32 list_rank(const struct node *list, s16 key) {
  u32 rank = 0;
  for (; list && list->key > key; list = list->next) rank++;
  return rank;
}

static u32 list_round(u32 crc, u32 *random) {
  struct node *list = list_reverse(list_sort(list_build(random)));
  for (int i = 0; i < 24; i++) crc = crc_word(crc, list_rank(list, (s16)next_random(random)));
  for (; list; list = list->next) crc = crc_word(crc, ((u32)list->serial << 16) | (u16)list->key);
  return crc;
}

/* ---- Matrix: product of two 16-bit matrices, then a scaled sum back into 16 bits ---- */

#define SIDE 16

static s16 left[SIDE][SIDE], right[SIDE][SIDE];
static s32 product[SIDE][SIDE];

static u32 matrix_round(u32 crc, u32 *random) {
  for (int row = 0; row < SIDE; row++) {
    for (int column = 0; column < SIDE; column++) {
      u32 value = next_random(random);
      left[row][column] = (s16)value;
      right[row][column] = (s16)(value >> 16);
    }
  }
  for (int row = 0; row < SIDE; row++) {
    for (int column = 0; column < SIDE; column++) {
      u32 sum = 0;
      for (int i = 0; i < SIDE; i++) sum += (u32)(left[row][i] * right[i][column]);
      product[row][column] = (s32)sum;
    }
  }
  for (int row = 0; row < SIDE; row++) {
    u32 sum = 0;
    for (int column = 0; column < SIDE; column++) sum += (u32)(product[row][column] >> (column & 15));
    crc = crc_word(crc, sum);
  }
  return crc;
}

/* ---- State machine: classify the words of a text as integers, hexadecimal, fractions, or none of them ---- */

enum state { START, SIGN, ZERO, INTEGER, HEX_MARK, HEX, POINT, FRACTION, OTHER, STATES };

static const char alphabet[16] = "0123456789abx.- ";
#define TEXT_BYTES 512
static u8 text[TEXT_BYTES];

static enum state state_step(enum state state, u8 c) {
  int digit = c >= '0' && c <= '9';
  switch (state) {
    case START:
      if (c == '-') return SIGN;
      if (c == '0') return ZERO;
      if (c == '.') return POINT;
      return digit ? INTEGER : OTHER;
    case SIGN:
      if (c == '0') return ZERO;
      if (c == '.') return POINT;
      return digit ? INTEGER : OTHER;
    case ZERO:
      if (c == 'x') return HEX_MARK;
      if (c == '.') return FRACTION;
      return digit ? INTEGER : OTHER;
    case INTEGER:
      if (c == '.') return FRACTION;
      return digit ? INTEGER : OTHER;
    case HEX_MARK:
    case HEX:
      return digit || (c >= 'a' && c <= 'f') ? HEX : OTHER;
    case POINT:
    case FRACTION:
      return digit ? FRACTION : OTHER;
    default:
      return OTHER;
  }
}

static void state_count(const u8 *bytes, u32 length, u32 finals[STATES]) {
  enum state state = START;
  for (u32 i = 0; i < length; i++) {
    if (bytes[i] == ' ') {
      finals[state]++;
      state = START;
    } else {
      state = state_step(state, bytes[i]);
    }
  }
  finals[state]++;
}

static u32 state_round(u32 crc, u32 *random) {
  u32 finals[STATES];
  for (int i = 0; i < STATES; i++) finals[i] = 0;
  for (u32 i = 0; i < TEXT_BYTES; i += 4) {
    u32 value = next_random(random);
    for (u32 j = 0; j < 4; j++, value >>= 8) text[i + j] = (u8)alphabet[value & 15];
  }
  for (int pass = 0; pass < 4; pass++) {
    state_count(text, TEXT_BYTES, finals);
    text[next_random(random) % TEXT_BYTES] = ' ';
  }
  for (int i = 0; i < STATES; i++) crc = crc_word(crc, finals[i]);
  return crc;
}

/* ---- The whole ---- */

u32 workload(u32 rounds) {
  u32 random = 0x2545f491u, crc = 0xffffffffu;
  crc_prepare();
  for (u32 round = 0; round < rounds; round++) {
    crc = list_round(crc, &random);
    crc = matrix_round(crc, &random);
    crc = state_round(crc, &random);
    for (int pass = 0; pass < 10; pass++) crc = crc_bytes(crc, text, TEXT_BYTES);
    random ^= crc | 1;
    if (!random) random = 1;
  }
  return ~crc;
}

u32 workload_self_check(void) {
  static const u8 digits[9] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  static const u8 words[] = "12 -7 0x1f .5 1.25 0x - abc 0";
  static const u32 expected[STATES] = {0, 1, 1, 2, 1, 1, 0, 2, 1};
  u32 finals[STATES], random = 1;

  /* The check value that the CRC-32 definition itself is published with. */
  crc_prepare();
  if (~crc_bytes(0xffffffffu, digits, sizeof digits) != 0xcbf43926u) return 1;

  /* xorshift32 from 1: the first value, by hand: 1 ^ 1<<13 = 0x2001; >>17 adds nothing; ^ 0x2001<<5 = 0x42021. */
  if (next_random(&random) != 0x42021u) return 2;

  const struct node *list = list_sort(list_build(&random));
  u32 count = 1;
  for (; list->next; list = list->next, count++) {
    if (list->key > list->next->key) return 3;
  }
  if (count != NODES) return 3;

  for (int i = 0; i < STATES; i++) finals[i] = 0;
  state_count(words, sizeof words - 1, finals);
  for (int i = 0; i < STATES; i++) {
    if (finals[i] != expected[i]) return 4;
  }
  return 0;
}
