// A crowd of native clients on a whole domain: what hifi-load sees, what the mixers say of their frames, what
// the kernel dropped, how much CPU each used, and how the memory moved. Prints; the exit code is hifi-load's.
//
//   TOP_BUILDDIR=build node tests/bench/crowd.mjs [CLIENTS [SECONDS [hifi-load option…]]]     (100 for 60 s)
import { spawn } from "node:child_process";
import { loadavg } from "node:os";
import { Domain, program } from "../e2e/lib/domain.mjs";

const [clients = "100", seconds = "60", ...options] = process.argv.slice(2);
const SAMPLE_MS = 5000;

const domain = await Domain.start();
const megabytes = (pss) => Object.entries(pss).map(([name, kb]) => `${name} ${(kb / 1024).toFixed(1)}`).join(", ");
const samples = [];

// Memory and frame times once everybody is inside.
async function sample() {
	const status = await domain.status();
	if (status.people.length < Number(clients))
		return;
	const load = Object.fromEntries(status.mixers.map((mixer) => [mixer.hat, mixer.load]));
	samples.push({ pss: domain.pssKb(), audio: load.audio, avatar: load.avatar,
		cpu: Object.entries(load).map(([hat, { cpu_percent: percent }]) => `${hat} ${(percent / 100).toFixed(2)}`),
		drops: status.mixers.map((mixer) => mixer.load.transport?.kernel_drops ?? 0) });
}

const timer = setInterval(() => sample().catch((error) => console.error(error.message)), SAMPLE_MS);
const child = spawn(program("hifi-load"), ["--port-base", String(domain.offset), "-n", clients, "--duration", seconds,
	"--ramp", "50", ...options], { stdio: "inherit" });
const code = await new Promise((resolve) => child.on("close", resolve));
clearInterval(timer);

const [first, last] = [samples[0], samples.at(-1)];
if (first) {
	console.log(`\nload average ${loadavg().map((n) => n.toFixed(1)).join(" ")}, ${samples.length} samples`);
	console.log(`memory, MB PSS: at first ${megabytes(first.pss)}`);
	console.log(`                at last  ${megabytes(last.pss)}`);
	console.log(`CPU seconds per second, at last: ${last.cpu.join(", ")}`);
	console.log(`audio frame, mean µs: ${samples.map(({ audio }) => Math.round(audio.avg_timing_stats.us_per_frame)).join(" ")} (of 10000)`);
	console.log(`audio frame, ms, over the last 30 to 60 s: ${Object.entries(last.audio.frame_ms).map((pair) => pair.join(" ")).join(", ")}`);
	console.log(`audio frames late ${last.audio.late_frames - first.audio.late_frames}, left out ${last.audio.skipped_frames - first.audio.skipped_frames}; codec complexity ${samples.map(({ audio }) => audio.codec_complexity).join(" ")}`);
	console.log(`avatar frame, share of the tick: ${samples.map(({ avatar }) => avatar.trailing_mix_ratio?.toFixed(2)).join(" ")}`);
	console.log(`kernel drops of the mixers: ${last.drops.join(" ")}`);
}
await domain.stop();
process.exit(code);
