// hifi-load's native clients and Web SDK clients in one world: they see, hear and read each other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rms } from "./lib/audio.mjs";
import { Daemon } from "./lib/daemon.mjs";
import { program } from "./lib/domain.mjs";
import { newPerson, rounded, told, world } from "./lib/fixture.mjs";
import { until, withDeadline } from "./lib/wait.mjs";
import { openEar, Tone } from "./lib/web-audio-node.mjs";

const NATIVES = 5;
const RUN_MS = 60000;

const here = world();

const startLoad = (...options) => new Daemon("hifi-load", program("hifi-load"),
	["--port-base", String(here.domain.offset), "-n", String(NATIVES), "--json", ...options]);

async function reportOf(load) {
	await withDeadline("hifi-load", load.exited, RUN_MS);
	const report = JSON.parse(load.lines.slice(load.lines.indexOf("{")).join("\n"));
	assert.deepEqual(report.checks.filter((check) => !check.ok), [], load.tail(20));
	assert.equal(load.result.code, 0);
	return report;
}

test("natives and web people see, hear and read each other", told(here, async (t) => {
	const alice = await newPerson("Alice");
	await alice.enter(here.domain.url);
	const ear = await openEar(alice);
	alice.messages.subscribe("Chat");

	const load = startLoad("--duration", "10", "--talkers", "0.4", "--move", "--chat", "1", "--channel", "Chat");
	await until("all natives seen by name", () => alice.others().length === NATIVES &&
		alice.others().every((id) => alice.see(id).sessionDisplayName !== ""), { deadlineMs: 15000 });
	const walkers = alice.others();
	const from = walkers.map((id) => alice.see(id).position);
	await until("natives walk", () => walkers.every((id, i) => alice.see(id).position.x !== from[i].x));
	await until("natives heard", async () => rms((await ear.take(300)).left) > 0.002, { deadlineMs: 8000 });
	const read = await alice.hears("Chat", (m) => walkers.includes(m.sender), { deadlineMs: 8000 });
	assert.match(read.text, /TransmitChatMessage/u);
	for (let i = 0; i < 20; i++)
		alice.say("Chat", `words from the web ${i}`);

	const report = await reportOf(load);
	t.diagnostic(`natives got ${report.avatar.others_records} records of web people and ${report.messages.others} of their texts`);
	assert.ok(report.avatar.others_records > 0, "natives see Alice");
	assert.equal(report.messages.others, 20 * NATIVES, "natives read Alice");
	await until("natives gone", () => alice.others().length === 0);
	await alice.leave();
}));

test("natives who are silent themselves hear a web client's tone", told(here, async (t) => {
	const silent = await reportOf(startLoad("--duration", "3", "--talkers", "0"));
	assert.equal(silent.audio.mixes, 0, "silence without anybody who talks");

	const alice = await newPerson("Alice");
	await alice.enter(here.domain.url);
	alice.audio.audioInput = new Tone(440);
	const heard = await reportOf(startLoad("--duration", "5", "--talkers", "0"));
	const share = heard.audio.mixes / (heard.audio.mixes + heard.audio.silent_frames);
	t.diagnostic(`${rounded(100 * share, 1)} % of the natives' frames carry Alice's tone`);
	assert.ok(share > 0.9);
	await alice.leave();
}));
