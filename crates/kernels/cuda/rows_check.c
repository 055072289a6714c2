// Compares the kernels of rows.cu with the same in double precision, on the device that libcuda has:
//
//   rows_check FOLDER    # the folder of rows.ptx
//
// Inputs are random. The error of each output must stay within what its rounding explains, and a little for what is
// calculated in f32. Exit code 1: an error is larger.

#include "check.h"

// The same struct as in rows.cu.
typedef struct {
  long long strides[3];
  int length, heads, size, tables;
} Heads;

enum { F16, BF16, F32 };
static const char *TYPES[] = {"f16", "bf16", "f32"};

// Numbers on the device, and the same here.
typedef struct {
  double *values;
  size_t count;
  Address device;
} Numbers;

static size_t bytes_of(int type) { return type == F32 ? 4 : 2; }

static Numbers make(size_t count, int type) {
  Numbers made = {malloc(count * sizeof(double)), count, 0};
  unsigned char *values = malloc(count * bytes_of(type));
  for (size_t i = 0; i < count; i++) {
    if (type == F32) {
      float x = draw();
      memcpy(values + 4 * i, &x, 4);
      made.values[i] = x;
    } else {
      uint16_t bits = narrow(draw(), type == BF16);
      memcpy(values + 2 * i, &bits, 2);
      made.values[i] = widen(bits, type == BF16);
    }
  }
  MUST(cuMemAlloc_v2(&made.device, count * bytes_of(type)));
  MUST(cuMemcpyHtoDAsync_v2(made.device, values, count * bytes_of(type), NULL));
  free(values);
  return made;
}

static void drop(Numbers numbers) {
  MUST(cuMemFree_v2(numbers.device));
  free(numbers.values);
}

// What a kernel wrote, beside what it should have.
static void compare(Address out, const double *want, const double *sizes, size_t count_of, int type, Found *found) {
  unsigned char *got = malloc(count_of * bytes_of(type));
  MUST(cuMemcpyDtoHAsync_v2(got, out, count_of * bytes_of(type), NULL));
  MUST(cuCtxSynchronize());
  double unit = type == F32 ? 0 : type == F16 ? 0x1p-11 : 0x1p-8, smallest = type == F16 ? 0x1p-25 : 0;
  for (size_t i = 0; i < count_of; i++) {
    double x;
    if (type == F32) {
      float single;
      memcpy(&single, got + 4 * i, 4);
      x = single;
    } else {
      uint16_t bits;
      memcpy(&bits, got + 2 * i, 2);
      x = widen(bits, type == BF16);
    }
    count(found, fabs(x - want[i]), unit * fabs(want[i]) + smallest + 2e-6 * sizes[i]);
  }
  free(got);
}

static void named(char *name, const char *kernel, int type) { sprintf(name, "%s_%s", kernel, TYPES[type]); }

static void gated_sum(void *module, int type, int batch, int length, int width, Found *found) {
  size_t all = (size_t)batch * length * width;
  // The gates are one part of three.
  long long stride = 3 * width;
  Numbers x = make(all, type), gate = make(batch * stride, type), y = make(all, type), out = make(all, type);
  double *sizes = malloc(all * sizeof(double));
  Address first = gate.device + width * bytes_of(type);
  void *parameters[] = {&x.device, &first, &y.device, &out.device, &length, &width, &stride};
  char name[64];
  named(name, "gated_sum", type);
  launch(module, name, batch * length, 128, parameters);
  for (size_t i = 0; i < all; i++) {
    double added = gate.values[i / width / length * stride + width + i % width] * y.values[i];
    out.values[i] = x.values[i] + added;
    sizes[i] = fabs(x.values[i]) + fabs(added);
  }
  compare(out.device, out.values, sizes, all, type, found);
  free(sizes);
  drop(x), drop(gate), drop(y), drop(out);
}

static void layer_norm(void *module, int type, int runs, int length, int width, Found *found) {
  size_t all = (size_t)runs * length * width;
  Numbers x = make(all, type), weight = make(runs * width, type), bias = make(runs * width, type),
          out = make(all, type);
  double *sizes = malloc(all * sizeof(double));
  float eps = 1e-6;
  void *parameters[] = {&x.device, &weight.device, &bias.device, &out.device, &length, &width, &eps};
  char name[64];
  named(name, "layer_norm", type);
  launch(module, name, runs * length, 256, parameters);
  for (size_t row = 0; row < (size_t)runs * length; row++) {
    const double *of = x.values + row * width;
    size_t run = row / length * width;
    double mean = 0, squares = 0;
    for (int i = 0; i < width; i++) mean += of[i] / width;
    for (int i = 0; i < width; i++) squares += (of[i] - mean) * (of[i] - mean);
    for (int i = 0; i < width; i++) {
      double normed = (of[i] - mean) / sqrt(squares / width + eps) * weight.values[run + i];
      out.values[row * width + i] = normed + bias.values[run + i];
      sizes[row * width + i] = fabs(normed) + fabs(bias.values[run + i]) + fabs(weight.values[run + i]);
    }
  }
  compare(out.device, out.values, sizes, all, type, found);
  free(sizes);
  drop(x), drop(weight), drop(bias), drop(out);
}

static void rotary(void *module, int type, int halves, int batch, int length, int heads, int size, int tables,
                   Found *found) {
  size_t all = (size_t)batch * length * heads * size;
  // The heads are the second of three parts of a row.
  long long row = 3LL * heads * size;
  Heads shape = {{length * row, row, size}, length, heads, size, tables};
  Numbers x = make(batch * length * row, type), angles = make((size_t)tables * length * size / 2, F32);
  Numbers cosines = make(angles.count, F32), sines = make(angles.count, F32), out = make(all, type);
  float *singles = malloc(angles.count * 4);
  for (int sine = 0; sine < 2; sine++) {
    Numbers *table = sine ? &sines : &cosines;
    for (size_t i = 0; i < angles.count; i++) {
      singles[i] = sine ? sin(9 * angles.values[i]) : cos(9 * angles.values[i]);
      table->values[i] = singles[i];
    }
    MUST(cuMemcpyHtoDAsync_v2(table->device, singles, angles.count * 4, NULL));
  }
  free(singles);
  double *sizes = malloc(all * sizeof(double));
  Address first = x.device + heads * size * bytes_of(type);
  void *parameters[] = {&first, &cosines.device, &sines.device, &out.device, &shape};
  char name[64];
  named(name, halves ? "rotary_halves" : "rotary_neighbours", type);
  launch(module, name, batch * length, 128, parameters);
  for (size_t i = 0; i < all; i += size) {
    size_t position = i / size / heads, head = i / size % heads;
    const double *of = x.values + position * row + heads * size + head * size;
    size_t table = (tables > 1 ? position : position % length) * (size / 2);
    for (int pair = 0; pair < size / 2; pair++) {
      int a = halves ? pair : 2 * pair, b = halves ? pair + size / 2 : 2 * pair + 1;
      double c = cosines.values[table + pair], s = sines.values[table + pair];
      out.values[i + a] = of[a] * c - of[b] * s;
      out.values[i + b] = of[a] * s + of[b] * c;
      sizes[i + a] = sizes[i + b] = fabs(of[a]) + fabs(of[b]);
    }
  }
  compare(out.device, out.values, sizes, all, type, found);
  free(sizes);
  drop(x), drop(angles), drop(cosines), drop(sines), drop(out);
}

int main(int given, char **arguments) {
  if (given != 2) stop("give the folder of the PTX files");
  open_driver();
  void *module = load_module(arguments[1], "rows");
  const char *kernels[] = {"gated_sum", "layer_norm", "rotary_halves", "rotary_neighbours"};
  int bad = 0;
  printf("kernel             type    largest error    largest share of what rounding explains\n");
  for (int kernel = 0; kernel < 4; kernel++)
    for (int type = F16; type <= F32; type++) {
      Found found = {0, 0};
      if (kernel == 0) {
        gated_sum(module, type, 1, 1, 4, &found);
        gated_sum(module, type, 2, 17, 3072, &found);
        gated_sum(module, type, 3, 5, 100, &found);
      } else if (kernel == 1) {
        layer_norm(module, type, 1, 1, 4, &found);
        layer_norm(module, type, 2, 9, 3072, &found);
        layer_norm(module, type, 3, 5, 100, &found);
      } else {
        int halves = kernel == 2;
        rotary(module, type, halves, 2, 17, 3, 128, 1, &found);
        rotary(module, type, halves, 2, 5, 16, 72, 2, &found);
        rotary(module, type, halves, 1, 33, 1, 8, 1, &found);
      }
      bad += found.share > 1;
      printf("%-18s %-6s       %.2e    %.2f%s\n", kernels[kernel], TYPES[type], found.error, found.share,
             found.share > 1 ? "  differs" : "");
    }
  return bad > 0;
}
