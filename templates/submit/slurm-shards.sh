#!/bin/bash
# {{ title }}: task N of the array makes shard N of {{ shards }}, counted from 0.
# Made by `unigauge submit slurm`. It can be edited, and sent by hand with `sbatch`.
#SBATCH --job-name={{ job_name }}
#SBATCH --array={{ array }}
#SBATCH --nodes=1
#SBATCH --ntasks={{ pack }}
{%- if cpus %}
#SBATCH --cpus-per-task={{ cpus }}
{%- endif %}
{%- if gpus %}
#SBATCH --gres=gpu:{{ gpus * pack }}
{%- endif %}
{%- if memory %}
#SBATCH --mem={{ memory }}
{%- endif %}
{%- if time %}
#SBATCH --time={{ time }}
{%- endif %}
{%- for option in options %}
#SBATCH {{ option }}
{%- endfor %}
# A task that is preempted, or whose node is lost, starts again and goes on.
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={{ log }}
# Before the time limit, this script gets USR2.
#SBATCH --signal=B:USR2@{{ warning }}

cd {{ directory }} || exit 6
# The program finishes its current outputs and ends with 130. Slurm sends TERM to the program itself, too.
trap 'warned=1; [ -z "${child-}" ] || kill -USR2 "$child"' USR2
trap : TERM
{% if pack > 1 -%}
# Slurm limits the size of arrays, so each task of this one makes {{ pack }} shards.
srun --kill-on-bad-exit=0{% if gpus %} --gpus-per-task={{ gpus }}{% endif %} bash -c '
  export UNIGAUGE_SHARD_INDEX=$((SLURM_ARRAY_TASK_ID * {{ pack }} + SLURM_PROCID))
  [ "$UNIGAUGE_SHARD_INDEX" -lt {{ shards }} ] || exit 0
  exec "$@"
' task {{ command }} &
{%- else -%}
{{ command }} &
{%- endif %}
child=$!
wait "$child"; code=$?
while kill -0 "$child" 2> /dev/null; do
  wait "$child"; code=$?
done
if [ "$code" -gt 128 ]; then
  # A signal may have ended the waiting, not the program.
  wait "$child"; last=$?
  [ "$last" = 127 ] || code=$last
fi
if [ -n "${warned-}" ] && [ "$code" = 130 ]; then
  # The time was too short: this task goes on in a new job. The number of the job alone may mean the whole array.
  exec scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
{%- if tolerant %}
# Outputs that failed are noted, and what comes after this stage need not wait for them.
[ "$code" = 5 ] && code=0
{%- endif %}
exit "$code"
