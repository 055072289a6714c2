#!/usr/bin/env bash
# image.sh DIR PROGRAM IMAGE: makes a container image of a program, without a registry, and runs `PROGRAM --version` in
# it. All that podman keeps is in DIR, until clear.sh. Others use it with CONTAINERS_CONF=DIR/containers.conf and
# CONTAINERS_STORAGE_CONF=DIR/storage.conf. Root or an ordinary user. It needs: apt-get install podman runc
# With a DIR of more than about 30 letters podman waits 20 s for the end of each container.
set -euo pipefail
D=$(realpath -m "$1"); PROGRAM=$2; IMAGE=$3
mkdir -p "$D"/{state,run,root/tmp,root/usr/local/bin}
# Neither systemd nor a network is needed.
cat > "$D/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "none"
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$D/run/libpod"
CONF
# An overlay cannot lie on another one, as in a container.
DRIVER=overlay
if [ "$(stat -f -c %T "$D")" = overlayfs ]; then DRIVER=vfs; fi
cat > "$D/storage.conf" <<CONF
[storage]
driver = "$DRIVER"
graphroot = "$D/state"
runroot = "$D/run"
CONF
export CONTAINERS_CONF=$D/containers.conf CONTAINERS_STORAGE_CONF=$D/storage.conf
chmod 1777 "$D/root/tmp"
ln -f "$PROGRAM" "$D/root/usr/local/bin/unigauge" 2>/dev/null || cp "$PROGRAM" "$D/root/usr/local/bin/unigauge"
# The libraries, each where the program looks for it.
ldd "$PROGRAM" | grep -o '/[^ ]*' | while read -r library; do
  install -D "$library" "$D/root$library"
done
tar -C "$D/root" -c . | podman import --quiet --change 'ENV PATH=/usr/local/bin' - "$IMAGE"
rm -r "$D/root"
podman run --rm --pull never --entrypoint '["unigauge"]' "$IMAGE" --version
