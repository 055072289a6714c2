#!/usr/bin/env bash
# clear.sh DIR: ends the containers that were started with image.sh's DIR, and removes all that podman keeps there.
D=$(realpath "$1") || exit; export CONTAINERS_CONF=$D/containers.conf CONTAINERS_STORAGE_CONF=$D/storage.conf
# Not a container of anybody else.
[ -f "$D/storage.conf" ] && [ "$(podman info --format '{{.Store.GraphRoot}}')" = "$D/state" ] || exit
podman rm --all --force --time 0 >/dev/null
podman volume prune --force >/dev/null
# podman leaves its storage mounted.
awk -v below="$D/" 'index($2, below) == 1 {print $2}' /proc/mounts | sort -r | while read -r place; do
  umount "$place"
done
rm -rf "$D/state" "$D/run"
