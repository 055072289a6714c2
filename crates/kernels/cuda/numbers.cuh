// The types of elements: two of the small ones as two floats, and back with one rounding.
#pragma once
#include <stdint.h>

struct Half {
  static __device__ uint32_t pair(float low, float high) {
    uint32_t both;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
  }
  static __device__ float number(uint16_t bits) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
  }
};

struct Bfloat {
  static __device__ uint32_t pair(float low, float high) {
    uint32_t both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
  }
  static __device__ float number(uint16_t bits) { return __uint_as_float((uint32_t)bits << 16); }
};
