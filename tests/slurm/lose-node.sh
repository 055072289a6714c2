#!/usr/bin/env bash
# lose-node.sh DIR NODE: as if the node lost power: its slurmd, its steps and all their processes end at once. It comes
# back with `slurmd -N NODE`.
set -eu; D=$(realpath "$1"); N=$2; victims=$(cat "$D/slurmd-$N.pid")
# The session of a step has all its processes, and its log tells the node.
for p in $(pgrep -x slurmstepd); do
  if readlink /proc/"$p"/fd/* 2>/dev/null | grep -qx "$D/log/slurmd-$N"; then
    victims="$victims $(pgrep -s "$(ps -o sid= -p "$p" | tr -d ' ')")"
  fi
done
kill -9 $victims
SLURM_CONF=$D/slurm.conf scontrol update NodeName="$N" State=DOWN Reason=lost
