// What networks do with each row between their products, in one pass: a block for each row, and f32 inside.
//
// Elements of a row are neighbours. Each thread reads four of them at a time, so rows begin at multiples of four
// elements and have a multiple of four. Needs compute capability 8.0.

#include "numbers.cuh"

namespace {

constexpr int WARP = 32, PIECE = 4;

// Four elements of a type in memory.
template <class Type>
struct Small {
  typedef uint16_t Element;
  static __device__ void load(const Element *from, float *x) {
    uint2 bits = *(const uint2 *)from;
    x[0] = Type::number(bits.x & 0xffff);
    x[1] = Type::number(bits.x >> 16);
    x[2] = Type::number(bits.y & 0xffff);
    x[3] = Type::number(bits.y >> 16);
  }
  static __device__ void store(Element *to, const float *x) {
    *(uint2 *)to = make_uint2(Type::pair(x[0], x[1]), Type::pair(x[2], x[3]));
  }
};

struct Single {
  typedef float Element;
  static __device__ void load(const Element *from, float *x) { *(float4 *)x = *(const float4 *)from; }
  static __device__ void store(Element *to, const float *x) { *(float4 *)to = *(const float4 *)x; }
};

// x + gate · y: rows of `width`, `length` of them for each gate. Gates begin `stride` elements apart.
template <class Type>
__device__ void gated_sum(const typename Type::Element *x, const typename Type::Element *gate,
                          const typename Type::Element *y, typename Type::Element *out, int length, int width,
                          long long stride) {
  long long row = blockIdx.x;
  gate += row / length * stride;
  x += row * width, y += row * width, out += row * width;
  for (int at = threadIdx.x * PIECE; at < width; at += blockDim.x * PIECE) {
    __align__(16) float a[PIECE], b[PIECE], c[PIECE];
    Type::load(x + at, a);
    Type::load(gate + at, b);
    Type::load(y + at, c);
    for (int i = 0; i < PIECE; i++) a[i] += b[i] * c[i];
    Type::store(out + at, a);
  }
}

// The sum of a number of each thread, for all of them.
__device__ float sum_of_block(float x, float *of_warps) {
  for (int distance = WARP / 2; distance > 0; distance /= 2) x += __shfl_xor_sync(0xffffffff, x, distance);
  __syncthreads();
  if (threadIdx.x % WARP == 0) of_warps[threadIdx.x / WARP] = x;
  __syncthreads();
  float sum = 0;
  for (int warp = 0; warp < blockDim.x / WARP; warp++) sum += of_warps[warp];
  return sum;
}

// (x - mean) / √(variance + eps) · weight + bias, with one weight and bias for each `length` rows.
template <class Type>
__device__ void layer_norm(const typename Type::Element *x, const typename Type::Element *weight,
                           const typename Type::Element *bias, typename Type::Element *out, int length, int width,
                           float eps) {
  __shared__ float of_warps[WARP];
  __align__(16) float a[PIECE], b[PIECE], c[PIECE];
  long long row = blockIdx.x;
  weight += row / length * width, bias += row / length * width;
  x += row * width, out += row * width;
  int first = threadIdx.x * PIECE, step = blockDim.x * PIECE;
  float sum = 0;
  for (int at = first; at < width; at += step) {
    Type::load(x + at, a);
    for (int i = 0; i < PIECE; i++) sum += a[i];
  }
  float mean = sum_of_block(sum, of_warps) / width;
  float squares = 0;
  for (int at = first; at < width; at += step) {
    Type::load(x + at, a);
    for (int i = 0; i < PIECE; i++) squares += (a[i] - mean) * (a[i] - mean);
  }
  float scale = rsqrtf(sum_of_block(squares, of_warps) / width + eps);
  for (int at = first; at < width; at += step) {
    Type::load(x + at, a);
    Type::load(weight + at, b);
    Type::load(bias + at, c);
    for (int i = 0; i < PIECE; i++) a[i] = (a[i] - mean) * scale * b[i] + c[i];
    Type::store(out + at, a);
  }
}

// Rotates the pairs of each head of a position: x with these elements between two batches, positions and heads, the
// output [batch, length, heads, size]. `tables` batches have angles of their own (1: all have the same).
struct Heads {
  long long strides[3];
  int length, heads, size, tables;
};

template <class Type>
__device__ void rotary(const typename Type::Element *x, const float *cos, const float *sin,
                       typename Type::Element *out, const Heads &h, bool halves) {
  long long row = blockIdx.x;
  int position = row % h.length, half = h.size / 2, pieces = half / PIECE;
  long long batch = row / h.length, angles = ((h.tables > 1 ? batch * h.length : 0) + position) * half;
  x += batch * h.strides[0] + position * h.strides[1];
  out += row * h.heads * h.size;
  cos += angles, sin += angles;
  // Each thread rotates four pairs.
  for (int item = threadIdx.x; item < h.heads * pieces; item += blockDim.x) {
    int head = item / pieces, pair = item % pieces * PIECE;
    int first = halves ? pair : 2 * pair, second = halves ? pair + half : 2 * pair + PIECE;
    const typename Type::Element *from = x + head * h.strides[2];
    typename Type::Element *to = out + head * h.size;
    __align__(16) float a[PIECE], b[PIECE], c[PIECE], s[PIECE];
    Type::load(from + first, a);
    Type::load(from + second, b);
    Single::load(cos + pair, c);
    Single::load(sin + pair, s);
    __align__(16) float turned_a[PIECE], turned_b[PIECE];
    for (int i = 0; i < PIECE; i++) {
      if (halves) {
        turned_a[i] = a[i] * c[i] - b[i] * s[i];
        turned_b[i] = a[i] * s[i] + b[i] * c[i];
      } else {
        // Pair i: two neighbours of a, then of b.
        float *of = i < 2 ? a : b, *turned = i < 2 ? turned_a : turned_b;
        int even = i % 2 * 2;
        turned[even] = of[even] * c[i] - of[even + 1] * s[i];
        turned[even + 1] = of[even] * s[i] + of[even + 1] * c[i];
      }
    }
    Type::store(to + first, turned_a);
    Type::store(to + second, turned_b);
  }
}

}  // namespace

#define KERNELS(name, Type)                                                                                           \
  extern "C" __global__ void gated_sum_##name(const Type::Element *x, const Type::Element *gate,                      \
                                              const Type::Element *y, Type::Element *out, int length, int width,      \
                                              long long stride) {                                                     \
    gated_sum<Type>(x, gate, y, out, length, width, stride);                                                          \
  }                                                                                                                   \
  extern "C" __global__ void layer_norm_##name(const Type::Element *x, const Type::Element *weight,                   \
                                               const Type::Element *bias, Type::Element *out, int length, int width,  \
                                               float eps) {                                                           \
    layer_norm<Type>(x, weight, bias, out, length, width, eps);                                                       \
  }                                                                                                                   \
  extern "C" __global__ void rotary_halves_##name(const Type::Element *x, const float *cos, const float *sin,         \
                                                  Type::Element *out, const Heads heads) {                            \
    rotary<Type>(x, cos, sin, out, heads, true);                                                                      \
  }                                                                                                                   \
  extern "C" __global__ void rotary_neighbours_##name(const Type::Element *x, const float *cos, const float *sin,     \
                                                      Type::Element *out, const Heads heads) {                        \
    rotary<Type>(x, cos, sin, out, heads, false);                                                                     \
  }

KERNELS(f16, Small<Half>)
KERNELS(bf16, Small<Bfloat>)
KERNELS(f32, Single)
