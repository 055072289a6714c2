#!/usr/bin/env bash
# down.sh DIR: ends the jobs, then what up.sh started, and nothing of another cluster.
D=$(realpath "$1"); export SLURM_CONF=$D/slurm.conf
timeout 5 scancel -u "$(id -un)" 2>/dev/null
# Steps report to the controller before they end.
for _ in $(seq 80); do [ -z "$(timeout 2 squeue -h -t R,CG 2>/dev/null)" ] && break; sleep 0.1; done
kill $(cat "$D/slurmctld.pid" "$D"/slurmd-n?.pid "$D/munge/pid" 2>/dev/null) 2>/dev/null; sleep 0.5
for p in $(pgrep 'slurm(d|stepd|ctld)'); do
  grep -qzx "SLURM_CONF=$D/slurm.conf" "/proc/$p/environ" 2>/dev/null && kill -9 "$p"
done; true
