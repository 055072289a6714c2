// The products of cuBLAS and the random numbers of cuRAND that candle calls. Products are added up in f32, as candle
// asks for unless reduced precision is allowed; random numbers are not those of cuRAND.

#include "kernel.h"

enum { SUCCESS = 0, INVALID_VALUE = 7, ODD_LENGTH = 105 };
enum { F32 = 0, F16 = 2, BF16 = 14, COMPUTE_F16 = 64, COMPUTE_F16_PEDANTIC = 65 };

long products;

int cublasCreate_v2(void **handle) { *handle = &products; return SUCCESS; }
int cublasDestroy_v2(void *handle) { return SUCCESS; }
int cublasSetStream_v2(void *handle, void *stream) { return SUCCESS; }

static float get(const void *values, int type, size_t at) {
  if (type == F32) return ((const float *)values)[at];
  uint16_t bits = ((const uint16_t *)values)[at];
  return type == F16 ? from_half(bits) : from_bfloat(bits);
}

static void set(void *values, int type, size_t at, float x) {
  if (type == F32) ((float *)values)[at] = x;
  else ((uint16_t *)values)[at] = type == F16 ? to_half(x) : to_bfloat(x);
}

// Columns first: c [m, n] = a [m, k] b [k, n].
static void multiply(int m, int n, int k, const float *a, const float *b, float *c) {
#pragma omp parallel for schedule(static)
  for (int column = 0; column < n; column++) {
    float *to = c + (size_t)column * m;
    memset(to, 0, sizeof(float) * m);
    for (int at = 0; at < k; at++) {
      float weight = b[(size_t)column * k + at];
      const float *from = a + (size_t)at * m;
      for (int row = 0; row < m; row++) to[row] += weight * from[row];
    }
  }
}

// Where a matrix has the number in `column` and `row`: columns lie `step` apart, or rows when it is turned.
static size_t index_of(int turned, int column, int row, int step) {
  return turned ? (size_t)row * step + column : (size_t)column * step + row;
}

static int wrong(int turn_a, int turn_b, int m, int n, int k, int lda, int ldb, int ldc) {
  int bad = m < 0 || n < 0 || k < 0 || lda < 1 || ldb < 1 || ldc < 1;
  bad = bad || lda < (turn_a ? k : m) || ldb < (turn_b ? n : k) || ldc < m;
  if (bad)
    fprintf(stderr, "CUDA emulator: cuBLAS refuses %d x %d x %d, steps %d %d %d\n", m, n, k, lda, ldb, ldc);
  return bad;
}

int cublasGemmStridedBatchedEx(void *handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha,
                               const void *a, int type_a, int lda, long long stride_a, const void *b, int type_b,
                               int ldb, long long stride_b, const void *beta, void *c, int type_c, int ldc,
                               long long stride_c, int batch, int compute, int algorithm) {
  if (wrong(turn_a, turn_b, m, n, k, lda, ldb, ldc)) return INVALID_VALUE;
  int half = compute == COMPUTE_F16 || compute == COMPUTE_F16_PEDANTIC;
  float scale = get(alpha, half ? F16 : F32, 0), keep = get(beta, half ? F16 : F32, 0);
  float *x = malloc(sizeof(float) * ((size_t)m * k + 1)), *y = malloc(sizeof(float) * ((size_t)n * k + 1));
  float *out = malloc(sizeof(float) * ((size_t)m * n + 1));
  for (int number = 0; number < batch; number++) {
    size_t from_a = number * stride_a, from_b = number * stride_b, to = number * stride_c;
    for (int at = 0; at < k; at++)
      for (int row = 0; row < m; row++)
        x[(size_t)at * m + row] = get(a, type_a, from_a + index_of(turn_a, at, row, lda));
    for (int column = 0; column < n; column++)
      for (int at = 0; at < k; at++)
        y[(size_t)column * k + at] = get(b, type_b, from_b + index_of(turn_b, column, at, ldb));
    multiply(m, n, k, x, y, out);
    for (int column = 0; column < n; column++)
      for (int row = 0; row < m; row++) {
        size_t here = to + (size_t)column * ldc + row;
        float before = keep == 0 ? 0 : keep * get(c, type_c, here);
        set(c, type_c, here, scale * out[(size_t)column * m + row] + before);
      }
  }
  free(x);
  free(y);
  free(out);
  products++;
  return SUCCESS;
}

int cublasDgemmStridedBatched(void *handle, int turn_a, int turn_b, int m, int n, int k, const double *alpha,
                              const double *a, int lda, long long stride_a, const double *b, int ldb,
                              long long stride_b, const double *beta, double *c, int ldc, long long stride_c,
                              int batch) {
  if (wrong(turn_a, turn_b, m, n, k, lda, ldb, ldc)) return INVALID_VALUE;
  for (int number = 0; number < batch; number++, a += stride_a, b += stride_b, c += stride_c)
    for (int column = 0; column < n; column++)
      for (int row = 0; row < m; row++) {
        double sum = 0, *to = c + (size_t)column * ldc + row;
        for (int at = 0; at < k; at++) sum += a[index_of(turn_a, at, row, lda)] * b[index_of(turn_b, column, at, ldb)];
        *to = *alpha * sum + (*beta == 0 ? 0 : *beta * *to);
      }
  products++;
  return SUCCESS;
}

static uint64_t state = 1;

// xorshift64, in (0, 1].
static double uniform(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return ((state >> 11) + 1) / 9007199254740992.0;
}

static double normal(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

int curandCreateGenerator(void **generator, int kind) { *generator = &state; return SUCCESS; }
int curandDestroyGenerator(void *generator) { return SUCCESS; }
int curandSetStream(void *generator, void *stream) { return SUCCESS; }
int curandSetPseudoRandomGeneratorSeed(void *generator, unsigned long long seed) {
  state = seed * 2 + 1;
  return SUCCESS;
}
int curandSetGeneratorOffset(void *generator, unsigned long long offset) { return SUCCESS; }

int curandGenerateUniform(void *generator, float *to, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = uniform();
  return SUCCESS;
}

int curandGenerateUniformDouble(void *generator, double *to, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = uniform();
  return SUCCESS;
}

int curandGenerateNormal(void *generator, float *to, size_t count, float mean, float deviation) {
  for (size_t i = 0; i < count; i++) to[i] = mean + deviation * normal();
  return count % 2 ? ODD_LENGTH : SUCCESS;
}

int curandGenerateNormalDouble(void *generator, double *to, size_t count, double mean, double deviation) {
  for (size_t i = 0; i < count; i++) to[i] = mean + deviation * normal();
  return count % 2 ? ODD_LENGTH : SUCCESS;
}
