#!/bin/bash
# The packages in dist/apt under a systemd of their own, booted with systemd-nspawn: what runs, what the sandbox
# forbids, and what becomes of a mixer that is killed, frozen, or cannot start. As root. Prints TAP.
#
#   tests/container/units.sh [ROOT]     ROOT: where a domain is installed already; it is changed
#   TOP_BUILDDIR: where hifi-load is
set -uo pipefail

top=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
mixers=(audio avatar messages entity)
link=hifi$$
n=0 failed=0 nspawn='' leader='' load='' work=''

skip() { printf '1..0 # SKIP %s\n# skipped 1\n' "$*"; exit 0; }
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2"
	fi
}
inside() { nsenter -t "$leader" -a env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }
property() { inside systemctl show -P "$2" "$1" 2>/dev/null; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# wait_for SECONDS COMMAND…
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.02
	done
}

cleanup() {
	[ -z "$load" ] || kill "$load" 2>/dev/null
	[ -z "$leader" ] || inside systemctl poweroff >/dev/null 2>&1
	if [ -n "$nspawn" ]; then
		wait_for 20 gone "$nspawn" || kill -KILL "$nspawn" 2>/dev/null
		wait "$nspawn" 2>/dev/null
	fi
	ip link del "$link" 2>/dev/null
	[ -z "$work" ] || rm -rf --one-file-system "$work"
}
gone() { ! kill -0 "$1" 2>/dev/null; }
trap cleanup EXIT

# A Debian with systemd and our packages.
make_root() {
	mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,procps,iproute2 \
		--customize-hook="copy-in '$top/dist/apt' /root" \
		--customize-hook='chroot "$1" sh -c "apt-get -qy --no-install-recommends install /root/apt/hifi-domain_*.deb"' \
		bookworm "$1" >"$work/mmdebstrap.log" 2>&1 || { tail -n 40 "$work/mmdebstrap.log"; return 1; }
}

# The container's init. At first the only child is another, which makes it.
find_leader() {
	# The file has no newline at its end, which read takes for a failure.
	read -r leader _ <"/proc/$nspawn/task/$nspawn/children" || true
	[ -n "$leader" ]
}
is_booted() {
	find_leader || return 1
	case $(inside systemctl is-system-running 2>/dev/null) in running | degraded) return 0 ;; esac
	return 1
}
boot() {
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet -D "$1" --boot --private-network --register=no --keep-unit \
		--console=pipe </dev/null >"$work/console.log" 2>&1 &
	nspawn=$!
	wait_for 60 is_booted &&
		ip link add "$link" type veth peer name host0 netns "$leader" &&
		ip addr add 10.199.7.1/24 dev "$link" && ip link set "$link" up &&
		inside ip addr add 10.199.7.2/24 dev host0 && inside ip link set host0 up
}

mixers_serve() {
	local mixer
	for mixer in "${mixers[@]}"; do
		[[ $(property "assignment-client@$mixer" StatusText) != waiting* ]] || return 1
		inside systemctl is-active -q "assignment-client@$mixer" || return 1
	done
}
runs_anew() {
	local pid
	pid=$(property "assignment-client@$1" MainPID)
	[ -n "$pid" ] && [ "$pid" != 0 ] && [ "$pid" != "$2" ] && inside systemctl is-active -q "assignment-client@$1"
}
is_failed() { inside systemctl is-failed -q "$1"; }
people_are_in() { inside hifictl status | grep -q "^$1 people are here"; }
is_installed() { [ -e "$1/usr/sbin/domain-server" ] || [ -e "$1/usr/local/sbin/domain-server" ]; }

# What a process in a mixer's unit can do: a shell in place of the mixer. Each line tries one thing that must fail; but
# the last must not. Outside of the unit all of it can be done, or the probe is no good.
write_probe() {
	inside tee /usr/local/lib/hifi-probe >/dev/null <<-'TXT'
		try() { if bash -c "$2" >/dev/null 2>&1; then echo "can $1"; else echo "cannot $1"; fi; }
		try "open a UDP socket" "exec 3<>/dev/udp/127.0.0.1/40102"
		try "open a TCP socket" "exec 3<>/dev/tcp/127.0.0.1/40100"
		try "write to /etc" "echo >/etc/hifi-probe"
		try "write to another's state" "echo >/var/lib/hifi/probe"
		try "write to /usr" "echo >/usr/hifi-probe"
		try "see process 1" "[ -e /proc/1/status ]"
		try "mount" "mount -t tmpfs none /mnt"
		try "make a namespace" "unshare --user true"
		try "have a capability" "! grep -q '^CapBnd:[[:space:]]*0*$' /proc/self/status"
		try "get a privilege" "! grep -q '^NoNewPrivs:[[:space:]]*1$' /proc/self/status"
		try "write to its state" "echo >\$STATE_DIRECTORY/probe"
		exit 0
	TXT
	inside mkdir -p /run/systemd/system/assignment-client@agent.service.d
	inside tee /run/systemd/system/assignment-client@agent.service.d/probe.conf >/dev/null <<-'TXT'
		[Service]
		Type=oneshot
		Restart=no
		ExecStart=
		ExecStart=/bin/bash /usr/local/lib/hifi-probe
	TXT
	inside systemctl daemon-reload
}
probe() {
	write_probe
	inside bash /usr/local/lib/hifi-probe >"$work/probe"
	grep '^cannot ' "$work/probe" && return 1
	inside systemctl start assignment-client@agent.service
	inside systemctl stop assignment-client@agent.socket
	inside journalctl --sync
	inside journalctl -b -o cat -t bash -u assignment-client@agent.service | grep -E '^can(not)? ' >"$work/probe"
	sed 's/^/# in the unit: /' "$work/probe"
	[ "$(grep -c '^cannot ' "$work/probe")" = 10 ] && [ "$(grep '^can ' "$work/probe")" = "can write to its state" ]
}

# dies SIGNAL SECONDS HAT: another process is in its place within SECONDS.
dies() {
	local pid start
	pid=$(property "assignment-client@$3" MainPID)
	start=$(now_ms)
	inside kill "-$1" "$pid"
	wait_for "$2" runs_anew "$3" "$pid" || return 1
	echo "# assignment-client@$3 after SIG$1: back in $(($(now_ms) - start)) ms"
}

starts_in_vain() {
	inside mkdir -p /run/systemd/system/assignment-client@messages.service.d
	inside tee /run/systemd/system/assignment-client@messages.service.d/fault.conf >/dev/null <<-'TXT'
		[Service]
		ExecStart=
		ExecStart=/bin/false
	TXT
	inside systemctl daemon-reload
	inside systemctl restart assignment-client@messages.service >/dev/null 2>&1
	wait_for 60 is_failed assignment-client@messages.service || return 1
	wait_for 10 has_entry
}
entries() {
	inside journalctl -q -b -o cat MESSAGE_ID=6f2f0a4ce0d1476d9d2a8b9ce3a1f7b4 HIFI_UNIT=assignment-client@messages.service
}
has_entry() { [ -n "$(entries)" ]; }

[ "$(id -u)" = 0 ] || skip "not root"
for tool in systemd-nspawn nsenter ip; do
	command -v "$tool" >/dev/null || skip "no $tool"
done
work=$(mktemp -d "${TMPDIR:-/tmp}/hifi-units-XXXXXX")
root=${1:-$work/root}
if [ $# = 0 ]; then
	command -v mmdebstrap >/dev/null || skip "no mmdebstrap"
	make_root "$root" || skip "no root could be made"
fi
is_installed "$root" || { echo "not ok 1 - a domain is installed in $root"; exit 1; }
if ! boot "$root"; then
	sed 's/^/# /' "$work/console.log"
	skip "a container with systemd does not boot here"
fi

start=$(now_ms)
inside systemctl enable --now hifi-domain.target 2>/dev/null && wait_for 60 mixers_serve
result $? "systemctl enable --now hifi-domain.target: all mixers serve"
echo "# from the command to mixers that serve: $(($(now_ms) - start)) ms"

"${TOP_BUILDDIR:-$top/build/gcc}/hifi-load" -a 10.199.7.2 --allow-remote -n 5 --duration 600 >"$work/load.log" 2>&1 &
load=$!
wait_for 60 people_are_in 5
result $? "five native clients from another host are inside"

for mixer in "${mixers[@]}"; do
	dies KILL 30 "$mixer"
	result $? "assignment-client@$mixer is back after SIGKILL"
done
dies STOP 30 audio
result $? "assignment-client@audio is back after its frames stopped"
people_are_in 5
result $? "nobody left the domain meanwhile"

probe
result $? "a process in a mixer's unit can do nothing but write to its state"

starts_in_vain
result $? "a mixer that cannot start comes to its limit"
[ "$(entries | wc -l)" = 1 ]
result $? "of which one journal entry tells: $(entries | head -n 1)"
inside systemctl is-active -q domain-server assignment-client@audio assignment-client@avatar assignment-client@entity
result $? "the others go on"

echo "1..$n"
echo "# pass $((n - failed))"
echo "# fail $failed"
[ "$failed" = 0 ]
