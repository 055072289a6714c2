// softmax(scale · q kᵀ) v on tensor cores, with no score matrix in memory (the method of FlashAttention-2).
//
// A block holds a tile of queries in registers and walks over the keys in tiles. It keeps, for each query, the largest
// score so far, the sum of the exponentials and the weighted sum of the values, all in f32. Keys and values each have
// one buffer in shared memory, and each is filled while the other one is used.
//
// The queries of all heads that share a key head are the rows of one matrix: row r is the query r / group of the head
// r % group. So a single query of many heads fills a tile too. If there are no more than 16 rows, the warps of a block
// divide the keys instead of the rows ("few"). If there are too few blocks for the device, several blocks divide the
// keys of a tile, and `combine` adds up their parts.
//
// HEAD is the head size, rounded up to a multiple of 16. It is given to the compiler; each size is a module of its own.
// Needs compute capability 8.0.

#include "numbers.cuh"

#ifndef HEAD
#error "HEAD is not defined: 48, 64, 80, 96 or 128"
#endif

namespace {

constexpr int WARP = 32, WARPS = 4, THREADS = WARPS * WARP;
constexpr int KEYS = 64;  // keys of a tile
// The elements between two rows in shared memory. Eight more than the head size, so that eight rows lie in different
// banks.
constexpr int PITCH = HEAD + 8;
// Elements of one copy: 16 bytes.
constexpr int PIECE = 8, PIECES = HEAD / PIECE;
constexpr int DEPTH = HEAD / 16;  // steps of a product over the head size

// The shapes of a call. The same struct is in attention_cuda.rs and in attention_check.c.
struct Shape {
  // Elements between two batches, heads and positions. Elements of a row are neighbours.
  long long q[3], k[3], v[3];
  int batch, heads, kv_heads, queries, keys;
  // The head size in memory: a multiple of 8, at most HEAD.
  int size;
  // 1: keys behind the query's position are hidden. The last query is at the position of the last key.
  int causal;
  // Above 0: only so many keys up to the position of the query are seen, its own among them.
  int window;
  // How many blocks divide the keys of a tile.
  int splits;
  // Multiplies the scores; log2 e is in it.
  float scale;
};

// sum += a · b for tiles of 16 × 16, 16 × 8 and 16 × 8, each spread over the lanes of a warp.
template <class Type>
__device__ void product(float *sum, const uint32_t *a, uint32_t b0, uint32_t b1);

#define PRODUCT(Type, name)                                                                                           \
  template <>                                                                                                         \
  __device__ void product<Type>(float *sum, const uint32_t *a, uint32_t b0, uint32_t b1) {                            \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." name "." name                                               \
                 ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                                \
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])                                             \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                                     \
  }
PRODUCT(Half, "f16")
PRODUCT(Bfloat, "bf16")

__device__ uint32_t in_shared(const void *at) { return static_cast<uint32_t>(__cvta_generic_to_shared(at)); }

// Four matrices of 8 × 8; each lane names a row of one of them.
__device__ void load(uint32_t *to, const uint16_t *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(in_shared(row))
               : "memory");
}

__device__ void load_transposed(uint32_t *to, const uint16_t *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(in_shared(row))
               : "memory");
}

// Begins to copy 16 bytes into shared memory; zeros where there is nothing.
__device__ void copy(uint16_t *to, const uint16_t *from, bool there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(in_shared(to)), "l"(from), "r"(there ? 16 : 0)
               : "memory");
}
__device__ void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most `rest` groups of copies of this thread are under way.
template <int rest>
__device__ void arrive() {
  asm volatile("cp.async.wait_group %0;" ::"n"(rest) : "memory");
}

__device__ float power_of_two(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ float infinity() { return __int_as_float(0x7f800000); }

// What the four lanes that share a row have.
__device__ float largest(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffff, x, 2));
}
__device__ float total(float x) {
  x += __shfl_xor_sync(0xffffffff, x, 1);
  return x + __shfl_xor_sync(0xffffffff, x, 2);
}

// Begins to copy the keys or values from `first` on. Rows from `end` on and columns behind the head size are zeros.
__device__ void fetch(uint16_t *to, const uint16_t *from, long long stride, int first, int end, int size) {
#pragma unroll
  for (int i = 0; i < KEYS * PIECES / THREADS; i++) {
    int piece = i * THREADS + threadIdx.x;
    int row = piece / PIECES, column = piece % PIECES * PIECE;
    bool there = first + row < end && column < size;
    copy(to + row * PITCH + column, there ? from + (first + row) * stride + column : from, there);
  }
}

// Where a row of the output lies: [batch, queries, heads].
__device__ long long place(const Shape &s, int batch, int key_head, int group, int row) {
  return ((long long)batch * s.queries + row / group) * s.heads + key_head * group + row % group;
}

// The parts of the splits: for each split and row HEAD sums, then for each split and row the largest score and the sum
// of the exponentials.
__device__ float *part_sums(float *parts, long long rows, int split, long long row) {
  return parts + (split * rows + row) * HEAD;
}
__device__ float *part_scale(float *parts, long long rows, int splits, int split, long long row) {
  return parts + splits * rows * HEAD + (split * rows + row) * 2;
}

template <class Type, bool few>
__device__ void attend(const uint16_t *q, const uint16_t *k, const uint16_t *v, uint16_t *out, float *parts,
                       const Shape &s) {
  constexpr int ROWS = few ? 16 : WARPS * 16;
  constexpr int OWN_KEYS = few ? KEYS / WARPS : KEYS;  // of each tile, for a warp
  __shared__ __align__(16) uint16_t buffers[2 * KEYS * PITCH];
  __shared__ float scales[few ? WARPS * 16 * 2 : 1];
  uint16_t *key_tile = buffers, *value_tile = buffers + KEYS * PITCH;

  int group = s.heads / s.kv_heads, rows = s.queries * group, tiles = (rows + ROWS - 1) / ROWS;
  int block = blockIdx.x;
  int split = block % s.splits;
  block /= s.splits;
  // The last queries see the most keys, so they begin first.
  int tile = tiles - 1 - block % tiles;
  block /= tiles;
  int key_head = block % s.kv_heads, batch = block / s.kv_heads;
  q += batch * s.q[0] + key_head * group * s.q[1];
  k += batch * s.k[0] + key_head * s.k[1];
  v += batch * s.v[0] + key_head * s.v[1];

  // The positions of the tile's queries among the keys, and the tiles of keys that one of them sees.
  int first_row = tile * ROWS, before = s.keys - s.queries;
  int first_position = first_row / group + before, last_position = min(first_row + ROWS - 1, rows - 1) / group + before;
  int end = s.causal ? max(0, min(s.keys, last_position + 1)) : s.keys;
  int from_tile = s.window > 0 ? max(0, first_position - s.window + 1) / KEYS : 0;
  int to_tile = (end + KEYS - 1) / KEYS;
  int share = (max(0, to_tile - from_tile) + s.splits - 1) / s.splits;
  from_tile += split * share;
  to_tile = min(to_tile, from_tile + share);

  int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  int own_row = first_row + (few ? 0 : warp * 16), own_key = few ? warp * OWN_KEYS : 0;
  bool at_work = own_row < rows;
  // The two rows of this lane, and the keys that they see.
  int lowest[2], highest[2];
  for (int half = 0; half < 2; half++) {
    int position = (own_row + lane / 4 + 8 * half) / group + before;
    highest[half] = s.causal ? min(s.keys - 1, position) : s.keys - 1;
    lowest[half] = s.window > 0 ? position - s.window + 1 : 0;
  }

  // The queries come through the buffer of the values.
  for (int piece = threadIdx.x; piece < ROWS * PIECES; piece += THREADS) {
    int row = piece / PIECES, column = piece % PIECES * PIECE, at = first_row + row;
    bool there = at < rows && column < s.size;
    copy(value_tile + row * PITCH + column, there ? q + at % group * s.q[1] + at / group * s.q[2] + column : q, there);
  }
  commit();
  fetch(key_tile, k, s.k[2], from_tile * KEYS, s.keys, s.size);
  commit();
  arrive<1>();
  __syncthreads();
  uint32_t query[DEPTH][4];
  const uint16_t *query_row = value_tile + ((few ? 0 : warp * 16) + lane % 16) * PITCH + lane / 16 * 8;
#pragma unroll
  for (int step = 0; step < DEPTH; step++) load(query[step], query_row + step * 16);

  float seen[2 * DEPTH][4] = {};  // the weighted sums of the values
  float most[2] = {-infinity(), -infinity()}, sum[2] = {0, 0};
  const uint16_t *key_row = key_tile + (own_key + lane % 8 + lane / 16 * 8) * PITCH + lane / 8 % 2 * 8;
  const uint16_t *value_row = value_tile + (own_key + lane % 16) * PITCH + lane / 16 * 8;

  for (int at = from_tile; at < to_tile; at++) {
    arrive<0>();
    __syncthreads();
    fetch(value_tile, v, s.v[2], at * KEYS, s.keys, s.size);
    commit();

    float score[OWN_KEYS / 8][4] = {};
    if (at_work) {
#pragma unroll
      for (int step = 0; step < DEPTH; step++)
#pragma unroll
        for (int keys = 0; keys < OWN_KEYS / 16; keys++) {
          uint32_t key[4];
          load(key, key_row + keys * 16 * PITCH + step * 16);
          product<Type>(score[2 * keys], query[step], key[0], key[1]);
          product<Type>(score[2 * keys + 1], query[step], key[2], key[3]);
        }
    }

    arrive<0>();
    __syncthreads();
    if (at + 1 < to_tile) fetch(key_tile, k, s.k[2], (at + 1) * KEYS, s.keys, s.size);
    commit();
    if (!at_work) continue;

    int first_key = at * KEYS;
    bool all_seen = first_key + KEYS <= s.keys && (!s.causal || first_key + KEYS - 1 <= first_position) &&
                    (s.window <= 0 || first_key > last_position - s.window);
    if (!all_seen) {
#pragma unroll
      for (int i = 0; i < OWN_KEYS / 8; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) {
          int key = first_key + own_key + i * 8 + lane % 4 * 2 + j % 2;
          if (key < lowest[j / 2] || key > highest[j / 2]) score[i][j] = -infinity();
        }
    }

#pragma unroll
    for (int half = 0; half < 2; half++) {
      float here = most[half];
#pragma unroll
      for (int i = 0; i < OWN_KEYS / 8; i++)
        here = fmaxf(here, fmaxf(score[i][2 * half], score[i][2 * half + 1]));
      here = largest(here);
      // A row that has seen no key yet keeps its zeros.
      float base = here == -infinity() ? 0 : here * s.scale;
      float less = power_of_two(most[half] * s.scale - base);
      most[half] = here;
      float added = 0;
#pragma unroll
      for (int i = 0; i < OWN_KEYS / 8; i++)
#pragma unroll
        for (int j = 2 * half; j < 2 * half + 2; j++) {
          score[i][j] = power_of_two(fmaf(score[i][j], s.scale, -base));
          added += score[i][j];
        }
      sum[half] = sum[half] * less + added;
#pragma unroll
      for (int i = 0; i < 2 * DEPTH; i++) {
        seen[i][2 * half] *= less;
        seen[i][2 * half + 1] *= less;
      }
    }

#pragma unroll
    for (int keys = 0; keys < OWN_KEYS / 16; keys++) {
      float *left = score[2 * keys], *right = score[2 * keys + 1];
      uint32_t weight[4] = {Type::pair(left[0], left[1]), Type::pair(left[2], left[3]), Type::pair(right[0], right[1]),
                            Type::pair(right[2], right[3])};
#pragma unroll
      for (int step = 0; step < DEPTH; step++) {
        uint32_t value[4];
        load_transposed(value, value_row + keys * 16 * PITCH + step * 16);
        product<Type>(seen[2 * step], weight, value[0], value[1]);
        product<Type>(seen[2 * step + 1], weight, value[2], value[3]);
      }
    }
  }
  arrive<0>();
  sum[0] = total(sum[0]);
  sum[1] = total(sum[1]);

  long long all_rows = (long long)s.batch * s.queries * s.heads;
  if (!few) {
    for (int half = 0; half < 2; half++) {
      int row = own_row + lane / 4 + 8 * half;
      if (row >= rows) continue;
      long long to = place(s, batch, key_head, group, row);
      float share_of_one = s.splits > 1 ? 1 : sum[half] > 0 ? 1 / sum[half] : 0;
#pragma unroll
      for (int i = 0; i < 2 * DEPTH; i++) {
        int column = i * 8 + lane % 4 * 2;
        float x = seen[i][2 * half] * share_of_one, y = seen[i][2 * half + 1] * share_of_one;
        if (s.splits > 1) {
          *(float2 *)(part_sums(parts, all_rows, split, to) + column) = make_float2(x, y);
        } else if (column < s.size) {
          *(uint32_t *)(out + to * s.size + column) = Type::pair(x, y);
        }
      }
      if (s.splits > 1 && lane % 4 == 0)
        *(float2 *)part_scale(parts, all_rows, s.splits, split, to) = make_float2(most[half] * s.scale, sum[half]);
    }
    return;
  }

  // The warps have seen different keys of the same rows: they meet in shared memory.
  __syncthreads();
  float *sums = (float *)buffers;
  for (int half = 0; half < 2; half++) {
    int row = warp * 16 + lane / 4 + 8 * half;
#pragma unroll
    for (int i = 0; i < 2 * DEPTH; i++)
      *(float2 *)(sums + row * HEAD + i * 8 + lane % 4 * 2) = make_float2(seen[i][2 * half], seen[i][2 * half + 1]);
    if (lane % 4 == 0) {
      scales[row * 2] = most[half] * s.scale;
      scales[row * 2 + 1] = sum[half];
    }
  }
  __syncthreads();
  for (int pair = threadIdx.x; pair < 16 * HEAD / 2; pair += THREADS) {
    int row = pair / (HEAD / 2), column = pair % (HEAD / 2) * 2;
    if (first_row + row >= rows) continue;
    float highest_score = -infinity(), all = 0, x = 0, y = 0;
    for (int one = 0; one < WARPS; one++) highest_score = fmaxf(highest_score, scales[(one * 16 + row) * 2]);
    float base = highest_score == -infinity() ? 0 : highest_score;
    for (int one = 0; one < WARPS; one++) {
      float factor = power_of_two(scales[(one * 16 + row) * 2] - base);
      all += scales[(one * 16 + row) * 2 + 1] * factor;
      x += sums[(one * 16 + row) * HEAD + column] * factor;
      y += sums[(one * 16 + row) * HEAD + column + 1] * factor;
    }
    long long to = place(s, batch, key_head, group, first_row + row);
    if (s.splits > 1) {
      *(float2 *)(part_sums(parts, all_rows, split, to) + column) = make_float2(x, y);
      if (column == 0) *(float2 *)part_scale(parts, all_rows, s.splits, split, to) = make_float2(highest_score, all);
    } else if (column < s.size) {
      float share_of_one = all > 0 ? 1 / all : 0;
      *(uint32_t *)(out + to * s.size + column) = Type::pair(x * share_of_one, y * share_of_one);
    }
  }
}

// A block for each row of the output, a thread for each two of its columns.
template <class Type>
__device__ void combine(float *parts, uint16_t *out, const Shape &s) {
  long long rows = (long long)s.batch * s.queries * s.heads, row = blockIdx.x;
  int column = threadIdx.x * 2;
  if (column >= s.size) return;
  float most = -infinity(), all = 0, x = 0, y = 0;
  for (int split = 0; split < s.splits; split++)
    most = fmaxf(most, part_scale(parts, rows, s.splits, split, row)[0]);
  float base = most == -infinity() ? 0 : most;
  for (int split = 0; split < s.splits; split++) {
    float2 scale = *(float2 *)part_scale(parts, rows, s.splits, split, row);
    float2 sums = *(float2 *)(part_sums(parts, rows, split, row) + column);
    float factor = power_of_two(scale.x - base);
    all += scale.y * factor;
    x += sums.x * factor;
    y += sums.y * factor;
  }
  float share_of_one = all > 0 ? 1 / all : 0;
  *(uint32_t *)(out + row * s.size + column) = Type::pair(x * share_of_one, y * share_of_one);
}

}  // namespace

#define KERNELS(name, Type)                                                                                           \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      attention_##name(const uint16_t *q, const uint16_t *k, const uint16_t *v, uint16_t *out, float *parts,          \
                       const Shape shape) {                                                                           \
    attend<Type, false>(q, k, v, out, parts, shape);                                                                  \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                               \
      attention_few_##name(const uint16_t *q, const uint16_t *k, const uint16_t *v, uint16_t *out, float *parts,      \
                           const Shape shape) {                                                                       \
    attend<Type, true>(q, k, v, out, parts, shape);                                                                   \
  }                                                                                                                   \
  extern "C" __global__ void attention_combine_##name(float *parts, uint16_t *out, const Shape shape) {               \
    combine<Type>(parts, out, shape);                                                                                 \
  }

KERNELS(f16, Half)
KERNELS(bf16, Bfloat)
