"""A run with HyperQueue: a task for each shard, and the merge.

    hq server start & hq worker start &                     # or within allocations of Slurm and PBS
    python hyperqueue_shards.py geneval flux-1-dev 16 /shared/results

With --local, a server and a worker of this machine are started for the run. HyperQueue tells each task its number in
HQ_TASK_ID, which `--shard auto` reads.
"""

import subprocess
import sys

from hyperqueue import Client, Job
from hyperqueue.cluster import LocalCluster


def make(client: Client, suite: str, model: str, shards: int, results: str) -> None:
    # No failure ends the other shards, and a lost worker is made good by another.
    job = Job(name=f"{suite} {model}", max_fails=None)
    for _ in range(shards):
        command = ["unigauge", "run", suite, "--model", model, "--out", results]
        job.program([*command, "--shard", "auto", "--shards", str(shards)], crash_limit=5)
    # The merge names what is missing.
    client.wait_for_jobs([client.submit(job)], raise_on_error=False)


def main(suite: str, model: str, shards: int, results: str, local: bool) -> int:
    if local:
        with LocalCluster() as cluster:
            cluster.start_worker()
            make(cluster.client(), suite, model, shards, results)
    else:
        make(Client(), suite, model, shards, results)
    return subprocess.run(["unigauge", "merge", f"{results}/{suite}/{model}/seed0"]).returncode


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--local"]
    suite, model, shards, results = words
    sys.exit(main(suite, model, int(shards), results, "--local" in sys.argv))
