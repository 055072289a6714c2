"""A run with Ray: a task for each shard, and the merge.

    python ray_shards.py geneval flux-1-dev 16 /shared/results
"""

import subprocess
import sys

import ray

# Another try changes nothing after a mistake in the command, a failed check, an empty selection or a missing file.
FINAL = {0, 2, 3, 4, 6}


@ray.remote(max_retries=4, retry_exceptions=True)
def shard(number: int, suite: str, model: str, shards: int, results: str) -> int:
    command = ["unigauge", "run", suite, "--model", model, "--out", results, "--shard", f"{number}/{shards}"]
    code = subprocess.run(command).returncode
    if code not in FINAL:
        raise RuntimeError(f"shard {number}/{shards} ended with {code}")
    return code


def main(suite: str, model: str, shards: int, results: str) -> int:
    ray.init()
    tasks = [shard.remote(number, suite, model, shards, results) for number in range(1, shards + 1)]
    for task in tasks:
        try:
            ray.get(task)
        except ray.exceptions.RayError as error:
            print(error, file=sys.stderr)
    return subprocess.run(["unigauge", "merge", f"{results}/{suite}/{model}/seed0"]).returncode


if __name__ == "__main__":
    suite, model, shards, results = sys.argv[1:]
    sys.exit(main(suite, model, int(shards), results))
