#!/bin/sh
# The units as systemd reads them: no complaints, and no more exposed than each may be. Prints TAP.
set -u
limit_of() {
	case $1 in
	assignment-client@*) echo 0.6 ;;
	*) echo 1.5 ;;
	esac
}

if ! command -v systemd-analyze >/dev/null; then
	echo "1..0 # SKIP no systemd-analyze"
	exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# Nothing is installed yet: a program that is there instead of ours. Templates as an instance.
for unit in "${TOP_BUILDDIR:-.}"/units/*.service "${TOP_BUILDDIR:-.}"/units/*.socket "${TOP_BUILDDIR:-.}"/units/*.target; do
	sed -E 's|^(Exec[A-Za-z]*=)/[^ ]*|\1/bin/true|; /^Documentation=/d' "$unit" >"$dir/${unit##*/}"
done
cp "$dir/assignment-client@.service" "$dir/assignment-client@audio.service"
cp "$dir/hifi-failed@.service" "$dir/hifi-failed@audio.service"
cd "$dir" || exit 1

n=0 failed=0
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
	fi
}

SYSTEMD_UNIT_PATH=$dir: systemd-analyze verify --man=no ./*@audio.service ./*.socket ./*.target \
	./domain-server.service ./hifi-firewall.service >log 2>&1
status=$?
# What else this machine has is not ours to judge.
grep -E 'assignment-client|domain-server|hifi' log | sed 's/^/# /'
grep -qE 'assignment-client|domain-server|hifi' log && status=1
result "$status" "systemd-analyze verify"

for unit in assignment-client@audio.service domain-server.service hifi-failed@audio.service hifi-firewall.service; do
	score=$(systemd-analyze security --offline=yes --no-pager "./$unit" |
		sed -n 's/.*exposure level for .*: \([0-9.]*\).*/\1/p')
	[ -n "$score" ] && awk "BEGIN { exit !($score <= $(limit_of "$unit")) }"
	result $? "$unit is exposed by ${score:-?}, at most $(limit_of "$unit")"
done
echo "1..$n"
exit "$failed"
