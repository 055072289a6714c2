// What the checks of the kernels share: the driver, random numbers, the small types, and how errors are judged.
#pragma once

#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t Address;

static int (*cuInit)(unsigned), (*cuDeviceGet)(int *, int), (*cuDevicePrimaryCtxRetain)(void **, int),
    (*cuCtxSetCurrent)(void *), (*cuCtxSynchronize)(void), (*cuModuleLoadData)(void **, const void *),
    (*cuModuleGetFunction)(void **, void *, const char *), (*cuMemAlloc_v2)(Address *, size_t),
    (*cuMemFree_v2)(Address), (*cuMemcpyHtoDAsync_v2)(Address, const void *, size_t, void *),
    (*cuMemcpyDtoHAsync_v2)(void *, Address, size_t, void *),
    (*cuLaunchKernel)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **,
                      void **);

static void stop(const char *what) {
  fprintf(stderr, "check: %s\n", what);
  exit(2);
}
static void must(int error, const char *what) {
  if (error) {
    fprintf(stderr, "check: CUDA error %d of %s\n", error, what);
    exit(2);
  }
}
#define MUST(call) must(call, #call)

static void open_driver(void) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) library = dlopen("libcuda.so", RTLD_NOW);
  if (!library) stop("there is no libcuda");
#define FIND(name) \
  if (!(*(void **)&name = dlsym(library, #name))) stop("libcuda has no " #name)
  FIND(cuInit);
  FIND(cuDeviceGet);
  FIND(cuDevicePrimaryCtxRetain);
  FIND(cuCtxSetCurrent);
  FIND(cuCtxSynchronize);
  FIND(cuModuleLoadData);
  FIND(cuModuleGetFunction);
  FIND(cuMemAlloc_v2);
  FIND(cuMemFree_v2);
  FIND(cuMemcpyHtoDAsync_v2);
  FIND(cuMemcpyDtoHAsync_v2);
  FIND(cuLaunchKernel);
  int device;
  void *context;
  MUST(cuInit(0));
  MUST(cuDeviceGet(&device, 0));
  MUST(cuDevicePrimaryCtxRetain(&context, device));
  MUST(cuCtxSetCurrent(context));
}

static uint16_t narrow(double x, int bfloat) {
  if (!bfloat) {
    _Float16 half = x;
    uint16_t bits;
    memcpy(&bits, &half, 2);
    return bits;
  }
  float near = x;
  uint32_t bits;
  memcpy(&bits, &near, 4);
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static double widen(uint16_t bits, int bfloat) {
  if (!bfloat) {
    _Float16 half;
    memcpy(&half, &bits, 2);
    return half;
  }
  uint32_t whole = (uint32_t)bits << 16;
  float near;
  memcpy(&near, &whole, 4);
  return near;
}

// Numbers with the mean 0 and the variance 1: the sum of twelve uniform ones.
static double draw(void) {
  static uint64_t state = 0x9e3779b97f4a7c15;
  double sum = -6;
  for (int i = 0; i < 12; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    sum += (state >> 11) * 0x1p-53;
  }
  return sum;
}

static void launch(void *module, const char *kernel, unsigned blocks, unsigned threads, void **parameters) {
  void *function;
  MUST(cuModuleGetFunction(&function, module, kernel));
  MUST(cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, NULL, parameters, NULL));
}

typedef struct {
  double error, share;  // the largest error, and the largest share of what rounding explains
} Found;

static char *text_of(const char *path) {
  FILE *from = fopen(path, "r");
  if (!from) stop("a module cannot be read");
  fseek(from, 0, SEEK_END);
  long length = ftell(from);
  rewind(from);
  char *text = calloc(length + 1, 1);
  if (fread(text, 1, length, from) != (size_t)length) stop("a module cannot be read");
  fclose(from);
  return text;
}

// Counts an error, and what rounding explains of it.
static void count(Found *found, double error, double explained) {
  double share = explained > 0 ? error / explained : error > 0 ? INFINITY : 0;
  // NaN is never the larger one.
  found->error = error == error ? fmax(found->error, error) : INFINITY;
  found->share = share == share ? fmax(found->share, share) : INFINITY;
}

static void *load_module(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.ptx", folder, name);
  char *text = text_of(path);
  void *module;
  MUST(cuModuleLoadData(&module, text));
  free(text);
  return module;
}
