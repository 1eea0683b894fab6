"""The kernel's cgroup v1 hierarchies, of which a host may have left some unmounted.

containerd learns that a container ran out of memory only where each hierarchy that
/proc/self/cgroup names is mounted; the kubelet and containers then use all of them. They are
mounted where systemd would have, in the mount namespace of the cluster alone.
"""

from __future__ import annotations

import subprocess

MOUNT = r"""
while IFS=: read -r number controllers path; do
  [ -n "$controllers" ] || continue  # cgroup v2
  grep -q -e "- cgroup .*[ ,]$controllers\(,\|$\)" /proc/self/mountinfo && continue
  case $controllers in name=*) options=none,$controllers ;; *) options=$controllers ;; esac
  folder=/sys/fs/cgroup/${controllers#name=}
  { mkdir -p "$folder" && mount -t cgroup -o "$options" cgroup "$folder"; } || true
done </proc/self/cgroup
"""
"""Shell commands that mount what is missing."""

_REMOVE = r"""
for base in /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/*/buildkit /sys/fs/cgroup/kubepods; do
  [ ! -d "$base" ] || find "$base" -depth -type d -exec rmdir {} \; 2>/dev/null || true
done
"""


def remove() -> None:
    """Removes the empty control groups of kubelet and BuildKit from every hierarchy."""
    subprocess.run(
        ["unshare", "--mount", "sh", "-c", MOUNT + _REMOVE], capture_output=True, check=False
    )
