// Compares the kernels of attention.cu with attention in double precision, on the device that libcuda has:
//
//   attention_check FOLDER           # the folder of attention_48.ptx, attention_64.ptx, ...
//   attention_check FOLDER --time    # how long large calls take there, in bf16
//
// Inputs are random. Around them lies NaN: between rows, between heads and behind the last position. The error of each
// output must stay within what rounding explains: of the weights, which are rounded to the type of the values before
// they are multiplied, and of the output itself. Exit code 1: an error is larger.

#include "check.h"
#include <time.h>

// The same struct as in attention.cu.
typedef struct {
  long long q[3], k[3], v[3];
  int batch, heads, kv_heads, queries, keys, size, causal, window, splits;
  float scale;
} Shape;

typedef struct {
  const char *mask;
  int batch, heads, kv_heads, queries, keys, causal, window, splits, few, positions_first;
  double scale;  // times 1 / √size
} Case;

// A tensor [batch, heads, positions, size] within NaN.
typedef struct {
  uint16_t *values;
  size_t bytes;
  long long strides[3];
  Address device;
} Tensor;

static Tensor make(int batch, int heads, int positions, int size, int positions_first, int bfloat) {
  Tensor made;
  long long row = size + 8, long_positions = positions + 3;
  made.strides[1] = positions_first ? row : row * long_positions;
  made.strides[2] = positions_first ? row * (heads + 1) : row;
  made.strides[0] = row * (heads + 1) * long_positions;
  made.bytes = made.strides[0] * batch * 2;
  made.values = malloc(made.bytes);
  memset(made.values, 0xff, made.bytes);
  for (int b = 0; b < batch; b++)
    for (int h = 0; h < heads; h++)
      for (int p = 0; p < positions; p++)
        for (int i = 0; i < size; i++)
          made.values[b * made.strides[0] + h * made.strides[1] + p * made.strides[2] + i] = narrow(draw(), bfloat);
  MUST(cuMemAlloc_v2(&made.device, made.bytes));
  MUST(cuMemcpyHtoDAsync_v2(made.device, made.values, made.bytes, NULL));
  return made;
}

static void drop(Tensor *tensor) {
  MUST(cuMemFree_v2(tensor->device));
  free(tensor->values);
}

// Compares one query of one head.
static void compare(const Shape *s, const Tensor *q, const Tensor *k, const Tensor *v, const uint16_t *out, int b,
                    int head, int query, int bfloat, Found *found) {
  int key_head = head / (s->heads / s->kv_heads), position = query + s->keys - s->queries;
  double *weights = malloc(sizeof(double) * s->keys), most = -INFINITY, total = 0;
  for (int key = 0; key < s->keys; key++) {
    int hidden = (s->causal && key > position) || (s->window > 0 && key <= position - s->window);
    double score = 0;
    for (int i = 0; i < s->size; i++)
      score += widen(q->values[b * q->strides[0] + head * q->strides[1] + query * q->strides[2] + i], bfloat) *
               widen(k->values[b * k->strides[0] + key_head * k->strides[1] + key * k->strides[2] + i], bfloat);
    weights[key] = hidden ? -INFINITY : score * (s->scale / 1.4426950408889634);
    most = fmax(most, weights[key]);
  }
  for (int key = 0; key < s->keys; key++) total += weights[key] = most == -INFINITY ? 0 : exp(weights[key] - most);
  // Half a unit in the last place, relative to a number, and half the smallest number.
  double unit = bfloat ? 0x1p-8 : 0x1p-11, smallest = bfloat ? 0 : 0x1p-25;
  for (int i = 0; i < s->size; i++) {
    double want = 0, absolute = 0, all = 0;
    for (int key = 0; key < s->keys; key++) {
      if (weights[key] == 0) continue;
      double value = widen(v->values[b * v->strides[0] + key_head * v->strides[1] + key * v->strides[2] + i], bfloat);
      want += weights[key] / total * value;
      absolute += weights[key] / total * fabs(value);
      all += fabs(value) / total;
    }
    double got = widen(out[(((long long)b * s->queries + query) * s->heads + head) * s->size + i], bfloat);
    double error = fabs(got - want);
    // What is calculated in f32 adds a little.
    double explained = unit * (absolute + fabs(want)) + smallest * (all + 1) + 3e-5 * absolute;
    count(found, error, explained);
  }
  free(weights);
}

// Launches the kernels of a call.
static void attend(void *module, int bfloat, const Shape *shape, int few, Address *addresses) {
  int rows = shape->queries * (shape->heads / shape->kv_heads), tile = few ? 16 : 64;
  unsigned blocks = (rows + tile - 1) / tile * shape->batch * shape->kv_heads * shape->splits;
  Address *out = &addresses[3], *parts = &addresses[4];
  void *parameters[] = {&addresses[0], &addresses[1], &addresses[2], out, parts, (void *)shape};
  const char *kernels[2][2] = {{"attention_f16", "attention_bf16"}, {"attention_few_f16", "attention_few_bf16"}};
  launch(module, kernels[few][bfloat], blocks, 128, parameters);
  if (shape->splits > 1) {
    void *of_parts[] = {parts, out, (void *)shape};
    unsigned outputs = shape->batch * shape->heads * shape->queries;
    launch(module, bfloat ? "attention_combine_bf16" : "attention_combine_f16", outputs, 64, of_parts);
  }
}

static Found check(void *module, int head_size, int size, int bfloat, const Case *c) {
  Tensor q = make(c->batch, c->heads, c->queries, size, c->positions_first, bfloat);
  Tensor k = make(c->batch, c->kv_heads, c->keys, size, c->positions_first, bfloat);
  Tensor v = make(c->batch, c->kv_heads, c->keys, size, 0, bfloat);
  Shape shape = {.batch = c->batch, .heads = c->heads, .kv_heads = c->kv_heads, .queries = c->queries,
                 .keys = c->keys, .size = size, .causal = c->causal, .window = c->window, .splits = c->splits,
                 .scale = c->scale / sqrt(size) * 1.4426950408889634};
  memcpy(shape.q, q.strides, sizeof q.strides);
  memcpy(shape.k, k.strides, sizeof k.strides);
  memcpy(shape.v, v.strides, sizeof v.strides);
  size_t outputs = (size_t)c->batch * c->heads * c->queries;
  Address out, parts = 0;
  MUST(cuMemAlloc_v2(&out, outputs * size * 2));
  if (c->splits > 1) MUST(cuMemAlloc_v2(&parts, c->splits * outputs * (head_size + 2) * 4));

  Address addresses[] = {q.device, k.device, v.device, out, parts};
  attend(module, bfloat, &shape, c->few, addresses);
  uint16_t *got = malloc(outputs * size * 2);
  MUST(cuMemcpyDtoHAsync_v2(got, out, outputs * size * 2, NULL));
  MUST(cuCtxSynchronize());

  Found found = {0, 0};
  // Of many queries every seventh, and the first and last ones.
  for (int b = 0; b < c->batch; b++)
    for (int head = 0; head < c->heads; head++)
      for (int query = 0; query < c->queries; query++)
        if (c->queries < 200 || query % 7 == 0 || query < 3 || query > c->queries - 3)
          compare(&shape, &q, &k, &v, got, b, head, query, bfloat, &found);
  free(got);
  MUST(cuMemFree_v2(out));
  if (parts) MUST(cuMemFree_v2(parts));
  drop(&q), drop(&k), drop(&v);
  return found;
}

static const Case CASES[] = {
    // mask, batch, heads, kv_heads, queries, keys, causal, window, splits, few, positions_first, scale
    {"none", 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 1},
    {"none", 2, 3, 3, 17, 17, 0, 0, 1, 0, 1, 1},
    {"none", 1, 2, 2, 63, 65, 0, 0, 1, 0, 0, 8},
    {"none", 1, 2, 1, 129, 129, 0, 0, 1, 0, 1, 1},
    {"none", 1, 2, 2, 64, 1000, 0, 0, 5, 0, 1, 1},
    {"none", 1, 1, 1, 1021, 77, 0, 0, 1, 0, 0, 1},
    {"causal", 2, 2, 2, 65, 65, 1, 0, 1, 0, 1, 1},
    {"causal", 1, 14, 2, 17, 129, 1, 0, 1, 0, 0, 1},
    {"causal", 1, 6, 2, 63, 200, 1, 0, 3, 0, 0, 8},
    {"causal", 1, 1, 1, 1000, 1000, 1, 0, 1, 0, 1, 1},
    // The first five queries see nothing.
    {"causal", 1, 2, 1, 70, 65, 1, 0, 2, 0, 0, 1},
    {"window", 1, 2, 1, 129, 300, 1, 50, 1, 0, 0, 1},
    {"window", 1, 2, 1, 129, 300, 1, 130, 3, 0, 1, 4},
    {"window", 1, 1, 1, 65, 65, 0, 9, 1, 0, 0, 1},
    // Cached decoding.
    {"causal", 2, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1},
    {"causal", 2, 4, 4, 1, 63, 1, 0, 1, 1, 1, 1},
    {"causal", 1, 28, 4, 1, 1000, 1, 0, 1, 1, 1, 1},
    {"causal", 1, 16, 2, 1, 1025, 1, 0, 7, 1, 0, 8},
    // More splits than tiles of keys.
    {"causal", 1, 8, 1, 2, 129, 1, 0, 5, 1, 1, 1},
    {"window", 1, 4, 2, 5, 500, 1, 70, 2, 1, 0, 1},
    {"none", 2, 2, 1, 9, 17, 0, 0, 1, 1, 1, 1},
    {"none", 1, 2, 2, 1, 65, 0, 0, 1, 0, 1, 1},
};
static const int SIZES[][2] = {{48, 40}, {64, 64}, {80, 72}, {80, 80}, {96, 96}, {128, 128}};

// Large calls: batch, heads, kv_heads, queries, keys, size, causal, splits, few.
static const int LARGE[][9] = {
    {1, 24, 24, 4608, 4608, 128, 0, 1, 0},  // FLUX.1 at 1024 x 1024
    {1, 28, 4, 4096, 4096, 128, 1, 1, 0},   // a prompt of Qwen2.5-VL-7B
    {8, 16, 16, 729, 729, 72, 0, 1, 0},     // SigLIP of 384 x 384
    {2, 10, 10, 4096, 4096, 64, 0, 1, 0},   // SDXL at 1024 x 1024
    {1, 28, 4, 1, 4096, 128, 0, 16, 1},     // decoding
    {32, 28, 4, 1, 1024, 128, 0, 2, 1},
};
enum { REPEATS = 20 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

static void measure(const char *folder) {
  printf("batch heads kv_heads queries  keys size causal splits         ms   TFLOP/s      GB/s\n");
  for (unsigned i = 0; i < sizeof LARGE / sizeof *LARGE; i++) {
    const int *of = LARGE[i];
    long long batch = of[0], heads = of[1], kv_heads = of[2], queries = of[3], keys = of[4], size = of[5];
    Shape shape = {.q = {heads * queries * size, queries * size, size},
                   .k = {kv_heads * keys * size, keys * size, size},
                   .v = {kv_heads * keys * size, keys * size, size},
                   .batch = batch, .heads = heads, .kv_heads = kv_heads, .queries = queries, .keys = keys,
                   .size = size, .causal = of[6], .splits = of[7], .scale = 1.4426950408889634 / sqrt(size)};
    int head_size = size == 72 ? 80 : size;
    char name[32];
    snprintf(name, sizeof name, "attention_%d", head_size);
    void *module = load_module(folder, name);
    size_t outputs = batch * heads * queries, of_keys = batch * kv_heads * keys * size;
    size_t bytes[] = {outputs * size * 2, of_keys * 2, of_keys * 2, outputs * size * 2,
                      shape.splits * outputs * (head_size + 2) * 4};
    Address addresses[5];
    for (int n = 0; n < 5; n++) {
      MUST(cuMemAlloc_v2(&addresses[n], bytes[n]));
      if (n > 2) continue;
      uint16_t *values = malloc(bytes[n]);
      for (size_t at = 0; at < bytes[n] / 2; at++) values[at] = narrow(at % 251 * 0.01 - 1.25, 1);
      MUST(cuMemcpyHtoDAsync_v2(addresses[n], values, bytes[n], NULL));
      MUST(cuCtxSynchronize());
      free(values);
    }
    attend(module, 1, &shape, of[8], addresses);
    MUST(cuCtxSynchronize());
    double begun = seconds();
    for (int n = 0; n < REPEATS; n++) attend(module, 1, &shape, of[8], addresses);
    MUST(cuCtxSynchronize());
    double each = (seconds() - begun) / REPEATS;
    double products = 4.0 * outputs * keys * size * (shape.causal ? 0.5 : 1);
    double moved = bytes[0] + bytes[1] + bytes[2] + bytes[3];
    printf("%5lld %5lld %8lld %7lld %5lld %4lld %6d %6d %10.4f %9.1f %9.0f\n", batch, heads, kv_heads, queries, keys,
           size, shape.causal, shape.splits, each * 1e3, products / each * 1e-12, moved / each * 1e-9);
    fflush(stdout);
    for (int n = 0; n < 5; n++) MUST(cuMemFree_v2(addresses[n]));
  }
}

int main(int given, char **arguments) {
  int timed = given == 3 && strcmp(arguments[2], "--time") == 0;
  if (given != 2 && !timed) stop("give the folder of the PTX files");
  open_driver();
  if (timed) {
    measure(arguments[1]);
    return 0;
  }
  int bad = 0;
  printf("size type    cases    largest error    largest share of what rounding explains\n");
  for (unsigned i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
    char name[32];
    snprintf(name, sizeof name, "attention_%d", SIZES[i][0]);
    void *module = load_module(arguments[1], name);
    for (int bfloat = 0; bfloat < 2; bfloat++) {
      Found worst = {0, 0};
      int cases = sizeof CASES / sizeof *CASES;
      for (int n = 0; n < cases; n++) {
        const Case *c = &CASES[n];
        Found found = check(module, SIZES[i][0], SIZES[i][1], bfloat, c);
        worst.error = fmax(worst.error, found.error);
        worst.share = fmax(worst.share, found.share);
        if (found.share > 1) {
          bad++;
          printf("  differs: %s, %d batches, %d heads over %d, %d queries, %d keys, window %d, %d splits, few %d: "
                 "error %.2e, %.2f of what rounding explains\n",
                 c->mask, c->batch, c->heads, c->kv_heads, c->queries, c->keys, c->window, c->splits, c->few,
                 found.error, found.share);
        }
        fflush(stdout);
      }
      printf("%4d %-6s %6d         %.2e    %.2f\n", SIZES[i][1], bfloat ? "bf16" : "f16", cases, worst.error,
             worst.share);
      fflush(stdout);
    }
  }
  return bad > 0;
}
