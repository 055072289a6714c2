// Launches a kernel whose threads never wait for each other: one after the other. `run` and SHARED come before it.

void launch(const uint32_t *grid, const uint32_t *size, uint32_t dynamic, unsigned char **parameters) {
  int64_t blocks = (int64_t)grid[0] * grid[1] * grid[2];
  int threads = size[0] * size[1] * size[2];
#pragma omp parallel if (blocks > 7 && !ALONE)
  {
    unsigned char *shared = malloc(SHARED + dynamic + 16);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < blocks; block++) {
      for (int thread = 0; thread < threads; thread++) {
        Position at = place(block, thread, grid, size);
        run(&at, shared, parameters);
      }
    }
    free(shared);
  }
}
