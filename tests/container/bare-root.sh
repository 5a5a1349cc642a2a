#!/bin/bash
# The README's two commands on a Debian 12 that has nothing installed, made with mmdebstrap. As root.
#
#   tests/container/bare-root.sh [run] [test]     (default: run)
set -euo pipefail

top=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
work=$(mktemp -d "${TMPDIR:-/tmp}/hifi-bare-XXXXXX")
root=$work/root
tree=/root/hifi-domain
ready_s=1500
# What this machine's npm trusts besides its own list, the root's npm has to trust as well.
authorities=${NODE_EXTRA_CA_CERTS:-}
in_root_authorities=/etc/extra-authorities.crt

cleanup() {
	local mount
	for mount in dev/pts dev proc sys; do
		umount -R "$root/$mount" 2>/dev/null || true
	done
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT

make_root() {
	mmdebstrap --quiet --variant=minbase bookworm "$root"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	if [ -n "$authorities" ]; then
		cp --dereference "$authorities" "$root$in_root_authorities"
	fi
	mount --bind /dev "$root/dev"
	mount --bind /dev/pts "$root/dev/pts"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys" && mount --make-rslave "$root/sys"
	mkdir "$root$tree"
	git -C "$top" archive HEAD | tar -x -C "$root$tree"
}

# Takes the place of the shell, so that signals for it reach the command.
in_root() {
	exec env -i --default-signal=INT PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true \
		${authorities:+NODE_EXTRA_CA_CERTS=$in_root_authorities} \
		chroot "$root" /bin/bash -c "cd $tree && exec $*"
}

# ./dev run: prints its ready line, and ends with status 0 on Ctrl-C.
try_run() {
	local log=$work/run.log pid status=0 deadline=$((SECONDS + ready_s))

	in_root ./dev run >"$log" 2>&1 </dev/null &
	pid=$!
	until grep -q '^ready: ' "$log"; do
		if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -gt "$deadline" ]; then
			tail -n 60 "$log"
			echo "not ok - ./dev run came to no ready line"
			return 1
		fi
		sleep 0.2
	done
	grep '^ready: ' "$log"
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" = 0 ] || { tail -n 60 "$log"; echo "not ok - ./dev run ended with status $status"; return 1; }
	echo "ok - ./dev run, from nothing to ready and back in $SECONDS s"
}

try_test() {
	(in_root ./dev test) </dev/null
}

make_root
for what in "${@:-run}"; do
	"try_$what"
done
