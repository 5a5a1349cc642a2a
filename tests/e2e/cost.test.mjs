// What an idle domain costs, and how fast its daemons start.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { monotonicMs } from "./lib/clock.mjs";
import { HATS } from "./lib/domain.mjs";
import { rounded, told, world } from "./lib/fixture.mjs";
import { pause, until } from "./lib/wait.mjs";

const PSS_KB = 64 * 1024;
const CPU_PERCENT = 1;
const SETTLE_MS = 5000;
const IDLE_MS = 10000;
const READY_MS = 100;
const TICK_MS = 10;

const here = world();

// User and system time of a process so far.
function cpuMs(pid) {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
	return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const cpuOfEachMs = () => here.domain.daemons.map((daemon) => cpuMs(daemon.pid));
const sum = (values) => values.reduce((total, value) => total + value, 0);

function isUdpBound(port) {
	const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
	return ["udp", "udp6"].some((table) => readFileSync(`/proc/net/${table}`, "utf8").split("\n")
		.some((line) => line.trim().split(/\s+/)[1]?.endsWith(suffix)));
}

test("an idle domain: memory and CPU", told(here, async (t) => {
	// The audio-mixer prepares its filters beside serving at first.
	await pause(SETTLE_MS);
	const before = cpuOfEachMs();
	const start = monotonicMs();
	await pause(IDLE_MS);
	const passed = monotonicMs() - start;
	const percents = cpuOfEachMs().map((ms, i) => 100 * (ms - before[i]) / passed);
	const pss = here.domain.pssKb();
	const total = sum(Object.values(pss));
	const percent = sum(percents);
	t.diagnostic(`idle: ${rounded(percent, 2)} % of a core, ${rounded(total / 1024, 1)} MB PSS: ` +
		here.domain.daemons.map(({ name }, i) =>
			`${name} ${rounded(percents[i], 2)} % ${rounded(pss[name] / 1024, 1)} MB`).join(", "));
	assert.ok(total < PSS_KB);
	assert.ok(percent < CPU_PERCENT);
}));

test("each daemon is up within 100 ms of its start", told(here, async (t) => {
	const took = {};
	for (const [hat, daemon] of Object.entries(here.domain.hats)) {
		await daemon.stop();
		const start = monotonicMs();
		here.domain.startHat(hat);
		await until(`${hat} has its port`, () => isUdpBound(here.domain.ports.hat(HATS[hat])), { pollMs: 1 });
		took[hat] = monotonicMs() - start;
	}
	await here.domain.server.stop();
	const start = monotonicMs();
	here.domain.startServer();
	await until("domain-server answers", () => here.domain.get("/status.json").catch(() => null), { pollMs: 1 });
	took["domain-server"] = monotonicMs() - start;
	t.diagnostic(`from start to serving: ${Object.entries(took).map(([name, ms]) => `${name} ${rounded(ms)} ms`).join(", ")}`);
	await here.domain.ready();
	for (const [name, ms] of Object.entries(took))
		assert.ok(ms < READY_MS, `${name} took ${ms} ms`);
}));
