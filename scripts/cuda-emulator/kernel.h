// What translated kernels are made of: a thread's place, the small floating-point types, roundings.
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNED __attribute__((aligned(16)))

typedef struct {
  uint32_t tid[3], ctaid[3], ntid[3], nctaid[3];
} Position;

enum { DONE, BARRIER, SHUFFLE, MATRICES, PRODUCT, READY };
enum { BUTTERFLY, DOWN, UP, INDEX };

// What a thread gives to and gets from `shfl.sync`.
typedef struct {
  uint32_t kind, value, lane, clamp, got, valid;
} Shuffle;

static inline void refuse(const char *what) {
  fprintf(stderr, "CUDA emulator: %s\n", what);
  abort();
}

static inline uint32_t bits32(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }
static inline uint64_t bits64(double x) { uint64_t bits; memcpy(&bits, &x, 8); return bits; }
static inline float float32(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
static inline double float64(uint64_t bits) { double x; memcpy(&x, &bits, 8); return x; }

static inline float from_half(uint16_t bits) { _Float16 x; memcpy(&x, &bits, 2); return x; }
static inline uint16_t to_half(double x) { _Float16 half = x; uint16_t bits; memcpy(&bits, &half, 2); return bits; }
static inline float from_bfloat(uint16_t bits) { return float32((uint32_t)bits << 16); }

// Rounds once, to the nearest, ties to even: what does not fit into a float leaves its last bit set.
static inline uint16_t to_bfloat(double x) {
  float near = x;
  if (near != near) return 0x7fff;
  uint32_t bits = bits32(near);
  if (near != x && !isinf(near)) bits = (fabs((double)near) > fabs(x) ? bits - 1 : bits) | 1;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

#define TO_INTEGER(name, type, low, high)          \
  static inline type name(double x) {              \
    if (x != x) return 0;                          \
    return x <= (double)(low) ? (low) : x >= (double)(high) ? (high) : (type)x; \
  }
TO_INTEGER(to_u8, uint8_t, 0, UINT8_MAX)
TO_INTEGER(to_s8, int8_t, INT8_MIN, INT8_MAX)
TO_INTEGER(to_u16, uint16_t, 0, UINT16_MAX)
TO_INTEGER(to_s16, int16_t, INT16_MIN, INT16_MAX)
TO_INTEGER(to_u32, uint32_t, 0, UINT32_MAX)
TO_INTEGER(to_s32, int32_t, INT32_MIN, INT32_MAX)
TO_INTEGER(to_u64, uint64_t, 0, UINT64_MAX)
TO_INTEGER(to_s64, int64_t, INT64_MIN, INT64_MAX)

static inline double saturated(double x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
static inline float max_or_nan(float x, float y) { return x != x ? x : y != y ? y : fmaxf(x, y); }
static inline float min_or_nan(float x, float y) { return x != x ? x : y != y ? y : fminf(x, y); }

// Down, up and towards zero.
static inline float rm32(double x) { float near = x; return near > x ? nextafterf(near, -INFINITY) : near; }
static inline float rp32(double x) { float near = x; return near < x ? nextafterf(near, INFINITY) : near; }
static inline float rz32(double x) { float near = x; return fabs((double)near) > fabs(x) ? nextafterf(near, 0) : near; }
static inline double rz64(long double x) {
  double near = x;
  return fabsl((long double)near) > fabsl(x) ? nextafter(near, 0) : near;
}

static inline Position place(int64_t block, int thread, const uint32_t *grid, const uint32_t *size) {
  return (Position){{thread % size[0], thread / size[0] % size[1], thread / (size[0] * size[1])},
                    {block % grid[0], block / grid[0] % grid[1], block / ((int64_t)grid[0] * grid[1])},
                    {size[0], size[1], size[2]},
                    {grid[0], grid[1], grid[2]}};
}
