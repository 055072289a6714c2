#!/usr/bin/env bash
# up.sh DIR: a controller of Slurm and three virtual nodes on this host. All their state is in DIR. Root or an ordinary
# user. BASE is the first of four ports. It needs: apt-get install slurmctld slurmd slurm-client munge
set -euo pipefail
D=$(realpath -m "$1"); H=$(hostname -s); U=$(id -un); BASE=${BASE:-17000}
mkdir -p "$D"/{munge,state,spool/n1,spool/n2,spool/n3,log}; chmod 700 "$D/munge"
(umask 077; head -c 128 /dev/urandom > "$D/munge/key")
munged --force --key-file="$D/munge/key" --socket="$D/munge/socket" --pid-file="$D/munge/pid" \
  --seed-file="$D/munge/seed" --log-file="$D/munge/log"
echo 'NodeName=n[1-3] Name=gpu File=/dev/null' > "$D/gres.conf"
cat > "$D/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$H(127.0.0.1)
SlurmctldPort=$BASE
SlurmUser=$U
SlurmdUser=$U
AuthType=auth/munge
AuthInfo=socket=$D/munge/socket
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool/%n
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd-%n.pid
SlurmctldLogFile=$D/log/slurmctld
SlurmdLogFile=$D/log/slurmd-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
SlurmdTimeout=10
InactiveLimit=0
KillWait=4
CompleteWait=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
NodeName=n[1-3] NodeHostname=$H NodeAddr=127.0.0.1 Port=$((BASE+1))-$((BASE+3)) CPUs=2 RealMemory=2000 Gres=gpu:1
PartitionName=batch Nodes=n[1-3] Default=YES MaxTime=INFINITE PriorityTier=1 GraceTime=0
PartitionName=urgent Nodes=n[1-3] MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
CONF
export SLURM_CONF=$D/slurm.conf
slurmctld -c
for n in n1 n2 n3; do slurmd -N $n; done
for _ in $(seq 200); do
  [ "$(sinfo -h -N -p batch -t idle -o %N 2>/dev/null | wc -l)" = 3 ] && exit 0
  sleep 0.05
done
sinfo >&2; tail -n 20 "$D"/log/* >&2; exit 1
