// Launches a kernel with barriers, shuffles or products of tiles: each thread of a block runs until it stops, then what
// it waits for is done. `Lane`, `run` and SHARED come before it.

// The lane that a shuffle reads, or its own where there is none ("shfl.sync" in the ISA).
static int source(const Shuffle *want, int lane, uint32_t *valid) {
  int clamp = want->clamp & 31, segment = (want->clamp >> 8) & 31;
  int last = (lane & segment) | (clamp & ~segment), first = lane & segment, from;
  switch (want->kind) {
    case BUTTERFLY: from = lane ^ want->lane; *valid = from <= last; break;
    case DOWN: from = lane + want->lane; *valid = from <= last; break;
    case UP: from = lane - (int)want->lane; *valid = from >= last; break;
    default: from = first | (want->lane & ~segment); *valid = from <= last;
  }
  return *valid ? from : lane;
}

// All threads of a warp that stopped at the same shuffle exchange their values.
static void shuffle(Lane *lanes, int first, int count) {
  uint32_t here = lanes[first].resume;
  for (int lane = first; lane < count; lane++) {
    if (lanes[lane].state != SHUFFLE || lanes[lane].resume != here) continue;
    int from = source(&lanes[lane].shuffle, lane, &lanes[lane].shuffle.valid);
    if (from >= count || lanes[from].state != SHUFFLE || lanes[from].resume != here)
      refuse("a shuffle reads a thread that does not take part");
    lanes[lane].shuffle.got = lanes[from].shuffle.value;
  }
  for (int lane = first; lane < count; lane++)
    if (lanes[lane].state == SHUFFLE && lanes[lane].resume == here) lanes[lane].state = READY;
}

// All 32 threads of a warp load matrices or multiply them.
static void tensor(Lane *lanes, int count) {
  Tiles *tiles[WARP];
  for (int lane = 0; lane < WARP; lane++) {
    if (count < WARP || lanes[lane].state != lanes[0].state || lanes[lane].resume != lanes[0].resume)
      refuse("the threads of a warp do not load or multiply matrices together");
    tiles[lane] = &lanes[lane].tiles;
  }
  if (lanes[0].state == MATRICES) load_matrices(tiles);
  else multiply(tiles);
  for (int lane = 0; lane < WARP; lane++) lanes[lane].state = READY;
}

// What the first thread of a warp that stopped waits for is done. False: none had stopped.
static int exchange(Lane *lanes, int count) {
  int first = 0;
  while (first < count && (lanes[first].state == DONE || lanes[first].state == BARRIER)) first++;
  if (first == count) return 0;
  if (lanes[first].state == SHUFFLE) shuffle(lanes, first, count);
  else tensor(lanes, count);
  return 1;
}

static void run_warp(Lane *lanes, int count, int backwards, unsigned char *shared, unsigned char **parameters) {
  do {
    for (int i = 0; i < count; i++) {
      Lane *lane = &lanes[backwards ? count - 1 - i : i];
      if (lane->state == READY) lane->state = run(lane, shared, parameters);
    }
  } while (exchange(lanes, count));
}

static void run_block(Lane *lanes, int count, int backwards, unsigned char *shared, unsigned char **parameters) {
  int warps = (count + WARP - 1) / WARP;
  for (int waiting = 1; waiting;) {
    for (int i = 0; i < warps; i++) {
      int first = (backwards ? warps - 1 - i : i) * WARP;
      run_warp(lanes + first, count - first < WARP ? count - first : WARP, backwards, shared, parameters);
    }
    waiting = 0;
    for (int lane = 0; lane < count; lane++)
      if (lanes[lane].state == BARRIER) lanes[lane].state = READY, waiting = 1;
  }
}

// In every other block the threads run in the opposite order, and in two of four blocks copies are made at once and not
// late: where a barrier is missing, the blocks differ.
void launch(const uint32_t *grid, const uint32_t *size, uint32_t dynamic, unsigned char **parameters) {
  int64_t blocks = (int64_t)grid[0] * grid[1] * grid[2];
  int threads = size[0] * size[1] * size[2];
#pragma omp parallel if (blocks > 1 && !ALONE)
  {
    unsigned char *shared = malloc(SHARED + dynamic + 16);
    Lane *lanes = malloc(sizeof(Lane) * threads);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < blocks; block++) {
      memset(shared, 0xff, SHARED + dynamic);
      memset(lanes, 0, sizeof(Lane) * threads);
      for (int thread = 0; thread < threads; thread++) {
        lanes[thread].position = place(block, thread, grid, size);
        lanes[thread].state = READY;
        SET_COPIES(lanes[thread], block / 2 % 2);
      }
      run_block(lanes, threads, block % 2, shared, parameters);
    }
    free(shared);
    free(lanes);
  }
}
