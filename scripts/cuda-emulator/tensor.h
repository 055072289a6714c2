// What a warp does with tiles of matrices (`ldmatrix`, `mma.sync`), and copies into shared memory that go on beside the
// thread (`cp.async`). The layouts are those of the ISA's figures for m8n8 and m16n8k16.
#pragma once

enum { WARP = 32, COPIES = 64 };

// What a thread gives to and gets from `ldmatrix` and `mma.sync`.
typedef struct {
  const uint16_t *row;
  uint32_t count, transposed, bfloat;
  uint32_t a[4], b[2], got[4];
  float sum[4];
} Tiles;

static void load_matrices(Tiles *tiles[WARP]) {
  for (uint32_t matrix = 0; matrix < tiles[0]->count; matrix++) {
    const uint16_t *rows[8];
    for (int row = 0; row < 8; row++) {
      rows[row] = tiles[8 * matrix + row]->row;
      if ((uintptr_t)rows[row] % 16) refuse("a row of ldmatrix is not aligned to 16 bytes");
    }
    for (int lane = 0; lane < WARP; lane++) {
      int major = lane / 4, minor = lane % 4 * 2;
      uint32_t low = tiles[0]->transposed ? rows[minor][major] : rows[major][minor];
      uint32_t high = tiles[0]->transposed ? rows[minor + 1][major] : rows[major][minor + 1];
      tiles[lane]->got[matrix] = high << 16 | low;
    }
  }
}

// 16 × 16 times 16 × 8. The products are exact and the sum is rounded once; a GPU rounds more often.
static void multiply(Tiles *tiles[WARP]) {
  float a[16][16], b[16][8];
  double sum[16][8];
  int bfloat = tiles[0]->bfloat;
  for (int lane = 0; lane < WARP; lane++) {
    int major = lane / 4, minor = lane % 4 * 2;
    for (int i = 0; i < 8; i++) {
      uint16_t bits = tiles[lane]->a[i / 2] >> i % 2 * 16;
      a[major + i / 2 % 2 * 8][minor + i / 4 * 8 + i % 2] = bfloat ? from_bfloat(bits) : from_half(bits);
    }
    for (int i = 0; i < 4; i++) {
      uint16_t bits = tiles[lane]->b[i / 2] >> i % 2 * 16;
      b[minor + i / 2 * 8 + i % 2][major] = bfloat ? from_bfloat(bits) : from_half(bits);
    }
    for (int i = 0; i < 4; i++) sum[major + i / 2 * 8][minor + i % 2] = tiles[lane]->sum[i];
  }
  for (int row = 0; row < 16; row++)
    for (int k = 0; k < 16; k++)
      for (int column = 0; column < 8; column++) sum[row][column] += (double)a[row][k] * b[k][column];
  for (int lane = 0; lane < WARP; lane++)
    for (int i = 0; i < 4; i++) tiles[lane]->sum[i] = sum[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
}

typedef struct {
  unsigned char *to;
  const unsigned char *from;
  uint32_t size, given, group;
} Copy;

// The copies of a thread that have begun. Each is made as late as the ISA allows, when the thread waits for it, so that
// what is read without waiting is not there; or `early`, so that what is still in use is overwritten.
typedef struct {
  Copy list[COPIES];
  uint32_t count, group, early;
} Copies;

static void make_copy(const Copy *copy) {
  memcpy(copy->to, copy->from, copy->given);
  memset(copy->to + copy->given, 0, copy->size - copy->given);
}

static void begin_copy(Copies *copies, uint64_t to, uint64_t from, uint32_t size, uint32_t given) {
  if (to % size || from % size) refuse("cp.async with an address that is not aligned");
  if (given > size) refuse("cp.async with a source larger than its size");
  if (copies->count == COPIES) refuse("too many copies are under way");
  Copy copy = {(unsigned char *)to, (const unsigned char *)from, size, given, copies->group};
  if (copies->early) make_copy(&copy);
  else copies->list[copies->count++] = copy;
}

// Makes all copies but those of the last `rest` groups and those that are in no group yet.
static void wait_for_copies(Copies *copies, uint32_t rest) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < copies->count; i++) {
    if (copies->list[i].group + rest >= copies->group) copies->list[kept++] = copies->list[i];
    else make_copy(&copies->list[i]);
  }
  copies->count = kept;
}
