// The part of CUDA's driver that candle calls, on the CPU: memory of the device is memory of the host, filled with NaN
// before it is written and fenced at its end; a kernel's PTX is translated and compiled when it is first asked for.
// What a real driver refuses (empty grids, too many threads) is refused.

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, NOT_FOUND = 500 };
enum { FENCE = 64, HEAD = 256 };

typedef uint64_t Address;
typedef struct { char hash[17]; } Module;
typedef struct Kernel {
  char name[240], module[17];
  long calls;
  void (*launch)(const uint32_t *, const uint32_t *, uint32_t, void **);
  struct Kernel *next;
} Kernel;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Kernel *kernels;
extern long products;

// With CUDA_EMULATOR_LOG, which kernels were launched how often.
static void report(void) {
  FILE *to = fopen(getenv("CUDA_EMULATOR_LOG"), "w");
  if (!to) return;
  for (Kernel *one = kernels; one; one = one->next) fprintf(to, "%9ld %s\n", one->calls, one->name);
  fprintf(to, "%9ld products of cuBLAS\n", products);
  fclose(to);
}

int cuInit(unsigned flags) {
  static int begun;
  if (!begun++ && getenv("CUDA_EMULATOR_LOG")) atexit(report);
  return OK;
}

int cuDeviceGet(int *device, int number) { *device = number; return number ? INVALID_DEVICE : OK; }
int cuDeviceGetCount(int *count) { *count = 1; return OK; }
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "CUDA emulator"); return OK; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &kernels; return OK; }
int cuDevicePrimaryCtxRelease_v2(int device) { return OK; }
int cuDeviceTotalMem_v2(size_t *total, int device) { *total = 80ull << 30; return OK; }
int cuMemGetInfo_v2(size_t *rest, size_t *total) { *rest = *total = 80ull << 30; return OK; }

// Those of an H100.
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  static const int known[][2] = {{1, 1024}, {8, 49152}, {10, 32}, {16, 132}, {75, 9}, {76, 0}, {97, 232448}, {115, 1}};
  *value = 0;
  for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i][0] == attribute) *value = known[i][1];
  return OK;
}

static __thread void *current;
int cuCtxGetCurrent(void **context) { *context = current; return OK; }
int cuCtxSetCurrent(void *context) { current = context; return OK; }
int cuCtxSynchronize(void) { return OK; }

// Everything is done when the call returns: streams and events are names.
int cuStreamCreate(void **stream, unsigned flags) { *stream = &lock; return OK; }
int cuStreamDestroy_v2(void *stream) { return OK; }
int cuStreamSynchronize(void *stream) { return OK; }
int cuStreamWaitEvent(void *stream, void *event, unsigned flags) { return OK; }
int cuStreamIsCapturing(void *stream, int *status) { *status = 0; return OK; }
int cuEventCreate(void **event, unsigned flags) { *event = &lock; return OK; }
int cuEventRecord(void *event, void *stream) { return OK; }
int cuEventDestroy_v2(void *event) { return OK; }
int cuEventSynchronize(void *event) { return OK; }
int cuEventQuery(void *event) { return OK; }

int cuMemAllocAsync(Address *address, size_t size, void *stream) {
  if (!size) { *address = 0; return OK; }
  size_t whole = (HEAD + size + FENCE + HEAD - 1) / HEAD * HEAD;
  unsigned char *block = aligned_alloc(HEAD, whole);
  if (!block) return OUT_OF_MEMORY;
  memcpy(block, &size, sizeof size);
  memset(block + HEAD, 0xff, size);
  memset(block + HEAD + size, 0xa5, FENCE);
  *address = (Address)(block + HEAD);
  return OK;
}

int cuMemFreeAsync(Address address, void *stream) {
  if (!address) return OK;
  unsigned char *values = (unsigned char *)address;
  size_t size;
  memcpy(&size, values - HEAD, sizeof size);
  for (int i = 0; i < FENCE; i++)
    if (values[size + i] != 0xa5) {
      fprintf(stderr, "CUDA emulator: something wrote past the end of %zu bytes\n", size);
      abort();
    }
  free(values - HEAD);
  return OK;
}

int cuMemAlloc_v2(Address *to, size_t size) { return size ? cuMemAllocAsync(to, size, NULL) : INVALID_VALUE; }
int cuMemFree_v2(Address address) { return cuMemFreeAsync(address, NULL); }

int cuMemsetD8Async(Address to, unsigned char value, size_t size, void *stream) {
  memset((void *)to, value, size);
  return OK;
}

int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t size, void *stream) {
  memcpy((void *)to, from, size);
  return OK;
}

int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t size, void *stream) {
  memcpy(to, (void *)from, size);
  return OK;
}

int cuMemcpyDtoDAsync_v2(Address to, Address from, size_t size, void *stream) {
  memmove((void *)to, (void *)from, size);
  return OK;
}

int cuGetErrorName(int error, const char **name) {
  static __thread char text[32];
  snprintf(text, sizeof text, "CUDA error %d", error);
  *name = text;
  return OK;
}
int cuGetErrorString(int error, const char **text) { return cuGetErrorName(error, text); }

// A module is known by its text's hash (FNV-1a) and kept for the translator.
int cuModuleLoadData(void **module, const void *image) {
  const char *text = image;
  uint64_t hash = 0xcbf29ce484222325;
  for (const char *letter = text; *letter; letter++) hash = (hash ^ (unsigned char)*letter) * 0x100000001b3;
  Module *made = calloc(1, sizeof *made);
  snprintf(made->hash, sizeof made->hash, "%016lx", hash);
  char path[4096], draft[4200];
  snprintf(path, sizeof path, "%s/%s.ptx", getenv("CUDA_EMULATOR_CACHE"), made->hash);
  snprintf(draft, sizeof draft, "%s.%p", path, (void *)made);
  FILE *to = fopen(path, "r");
  if (!to) {
    to = fopen(draft, "w");
    if (!to || fputs(text, to) < 0 || fclose(to) || rename(draft, path)) return INVALID_VALUE;
  } else {
    fclose(to);
  }
  *module = made;
  return OK;
}
int cuModuleUnload(void *module) { return OK; }

static Kernel *load(const Module *module, const char *name) {
  char path[4096], command[8192];
  snprintf(path, sizeof path, "%s/%s.%s.so", getenv("CUDA_EMULATOR_CACHE"), module->hash, name);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(command, sizeof command, "\"$CUDA_EMULATOR_HOME/compile\" %s %s", module->hash, name);
    if (system(command)) return NULL;
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  }
  if (!library) return NULL;
  Kernel *kernel = calloc(1, sizeof *kernel);
  snprintf(kernel->name, sizeof kernel->name, "%s", name);
  memcpy(kernel->module, module->hash, sizeof kernel->module);
  kernel->launch = (void (*)(const uint32_t *, const uint32_t *, uint32_t, void **))dlsym(library, "launch");
  kernel->next = kernels;
  return kernels = kernel;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
  pthread_mutex_lock(&lock);
  Kernel *found = kernels;
  while (found && (strcmp(found->name, name) || strcmp(found->module, ((Module *)module)->hash))) found = found->next;
  if (!found) found = load(module, name);
  pthread_mutex_unlock(&lock);
  *function = found;
  return found ? OK : NOT_FOUND;
}
int cuFuncGetAttribute(int *value, int attribute, void *function) { *value = 0; return OK; }
int cuFuncSetAttribute(void *function, int attribute, int value) { return OK; }

int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned x, unsigned y,
                   unsigned z, unsigned shared, void *stream, void **parameters, void **extra) {
  Kernel *kernel = function;
  uint32_t grid[3] = {grid_x, grid_y, grid_z}, size[3] = {x, y, z};
  uint64_t threads = (uint64_t)x * y * z, blocks = (uint64_t)grid_x * grid_y * grid_z;
  int fits = threads <= 1024 && z <= 64 && grid_y <= 65535 && grid_z <= 65535 && shared <= 49152;
  if (!threads || !blocks || !fits) {
    fprintf(stderr, "CUDA emulator: no launch of %s in %u x %u x %u blocks of %u x %u x %u threads, %u bytes\n",
            kernel->name, grid_x, grid_y, grid_z, x, y, z, shared);
    return INVALID_VALUE;
  }
  kernel->launch(grid, size, shared, parameters);
  kernel->calls++;
  return OK;
}
