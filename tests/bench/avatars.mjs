// What the avatar-mixer costs and gives, over real UDP: crowds of several sizes in a room, 60 joints a third of them
// moving, 50 Hz in. Prints a line for each size.
//
//   TOP_BUILDDIR=build node tests/bench/avatars.mjs [SIZES [SECONDS [MBIT/S [hifi-load option…]]]]     (10,25,60 for 10 s at 5)
import { readFileSync, readdirSync } from "node:fs";
import { Domain } from "../e2e/lib/domain.mjs";
import { failed, runLoad } from "../e2e/lib/load.mjs";
import { pause, until } from "../e2e/lib/wait.mjs";

const [sizes = "10,25,60", seconds = "10", mbps = "5", ...options] = process.argv.slice(2);
const SETTLE_MS = 2000;
const JOIN_MS = 60000;
const NS_PER_S = 1e9;

const COLUMNS = ["people", "CPU s/s", "frame %", "frame p99 ms", "threads", "Hz", "near p50 ms", "near p99 ms", "all p99 ms", "latency p99",
	"packets/s", "Mbit/s each", "MB", "generator %"];

// Time on a processor of all threads of a process.
const cpuSeconds = (pid) => readdirSync(`/proc/${pid}/task`)
	.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]), 0) / NS_PER_S;

// Once everybody is inside: the mixer's CPU time per second, what it says of itself, and its memory.
async function observe(domain, people) {
	await until("everybody is inside", async () => (await domain.people()).length === people,
		{ deadlineMs: JOIN_MS, pollMs: 200 });
	await pause(SETTLE_MS);
	const pid = await domain.pidOf("avatar");
	const [cpu, start] = [cpuSeconds(pid), performance.now()];
	await pause(1000 * Number(seconds));
	const used = (cpuSeconds(pid) - cpu) / ((performance.now() - start) / 1000);
	return { used, load: (await domain.mixer("avatar")).load, mb: domain.pssKb().avatar / 1024 };
}

async function measure(people) {
	const domain = await Domain.start({ config: { avatar_mixer: { max_node_send_bandwidth: Number(mbps) } } });
	try {
		const [run, { used, load, mb }] = await Promise.all([
			runLoad(domain, "-n", String(people), "--duration", String(Number(seconds) + SETTLE_MS / 1000), "--ramp", "50",
				"--no-audio", "--no-messages", "--no-entities", ...options),
			observe(domain, people)]);
		const { avatar, mixers, generator } = run.report;
		return { failed: failed(run), values: [people, used.toFixed(3),
			(100 * load.trailing_mix_ratio).toFixed(0), load.frame_ms.p99?.toFixed(1), load.threads,
			load.broadcast_loop_rate.toFixed(1), avatar.near_interval_ms.p50?.toFixed(1), avatar.near_interval_ms.p99?.toFixed(1),
			avatar.interval_ms.p99?.toFixed(1), avatar.latency_ms.p99?.toFixed(1), mixers.avatar.packets_in_per_s.toFixed(0),
			(mixers.avatar.bytes_in_per_s * 8 / 1e6 / people).toFixed(2), mb.toFixed(1), generator.cpu_percent.toFixed(0)] };
	} finally {
		await domain.stop();
	}
}

console.log(COLUMNS.join("  "));
for (const people of sizes.split(",").map(Number)) {
	const { values, failed: faults } = await measure(people);
	console.log(values.map((value, i) => String(value ?? "-").padStart(COLUMNS[i].length)).join("  ") +
		(faults.length > 0 ? `  not ok: ${faults.join(", ")}` : ""));
}
