#!/bin/bash
# {{ title }}: joins the shards, grades the run and writes its report, from what is there when it starts.
# Made by `unigauge submit slurm`. It can be edited, and sent by hand with `sbatch`.
#SBATCH --job-name={{ job_name }}-merge
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
{%- for option in options %}
#SBATCH {{ option }}
{%- endfor %}
#SBATCH --open-mode=append
#SBATCH --output={{ log }}

cd {{ directory }} || exit 6
exec {{ command }}
