#!/bin/sh
# Who may include whom below src/ (docs/architecture.md): a folder uses those listed for it, and itself.
# Ours are written "folder/header.h", everybody else's <header.h>. Prints TAP.
set -u
cd "${TOP_SRCDIR:-.}/src" || exit 1

engines="audio avatar entity asset"
# "hifi" is include/hifi, what plugins see.
allowed() {
	case $1 in
	base) echo ;;
	net) echo base ;;
	webrtc) echo base net ;;
	node) echo base net webrtc ;;
	audio | avatar | entity | asset) echo base hifi ;;
	script) echo base $engines ;;
	firewall) echo base ;;
	ctl | load) echo base net webrtc node $engines ;;
	assignment-client | domain-server) echo base net webrtc node script $engines ;;
	*) return 1 ;;
	esac
}

n=0 failed=0
result() {
	n=$((n + 1))
	if [ -n "$2" ]; then
		failed=1
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	else
		echo "ok $n - $1"
	fi
}

for folder in */; do
	folder=${folder%/}
	# No match: every line found is one too many.
	if list=$(allowed "$folder"); then
		pattern=$(echo "$folder" $list | tr ' ' '|')
		result "src/$folder includes only what it may" \
			"$(grep -rn --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' \
				"$folder" | grep -Ev "\"($pattern)/")"
	else
		result "src/$folder has a place in the order" "src/$folder: add it to allowed()"
	fi
done
echo "1..$n"
exit $failed
