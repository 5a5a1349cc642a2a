// Servers are killed under native clients, and nobody notices more than a moment of silence: under a service
// manager that holds the sockets and what the servers gave it to hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HATS } from "./lib/domain.mjs";
import { rounded, told, world } from "./lib/fixture.mjs";
import { failed, runLoad } from "./lib/load.mjs";
import { pause } from "./lib/wait.mjs";

// Voices and avatars are back within this, at worst.
const BACK_MS = 1000;
const JOINED_MS = 6000; // ramp, and the calm before the measuring
const BETWEEN_MS = 700; // deaths

const here = world({ keeper: true });

// A dozen people talk, walk and chat while deaths() happen. hifi-load itself notices lost, repeated or wrong
// messages, wrong avatars and names, and every session that ends.
async function underLoad(t, seconds, deaths) {
	const run = runLoad(here.domain, "-n", "12", "--duration", String(seconds), "--ramp", "10", "--tone",
		"--talkers", "0.5", "--spread", "5", "--move", "--chat", "1", "--min-heard", "0.95", "--min-seen", "0.95");
	await pause(JOINED_MS);
	await deaths();
	const result = await run;
	// How many packets a second each listener gets: five deaths are more silence than it allows.
	assert.deepEqual(failed(result).filter((check) => check !== "audio_rate"), []);
	const { audio, avatar, connect, messages } = result.report;
	assert.deepEqual([connect.ended, connect.mixers_lost], [0, 0]);
	const worst = { voice: audio.jitter_ms.max, avatar: avatar.interval_ms.max, chat: messages.latency_ms.max };
	t.diagnostic(`worst of all: ${Object.entries(worst).map(([what, ms]) => `${what} ${rounded(ms)} ms`).join(", ")}`);
	assert.ok(worst.voice < BACK_MS && worst.avatar < BACK_MS, JSON.stringify(worst));
}

for (const hat of Object.keys(HATS)) {
	test(`${hat} is killed five times`, told(here, (t) => underLoad(t, 8, async () => {
		for (let i = 0; i < 5; i++) {
			await here.domain.killKept(hat);
			await pause(BETWEEN_MS);
		}
	})));
}

test("every mixer hands over to a successor", told(here, (t) => underLoad(t, 6, async () => {
	for (const hat of Object.keys(HATS)) {
		await here.domain.killKept(hat, "SIGUSR2");
		await pause(BETWEEN_MS);
	}
})));

test("the domain-server is killed and restarted, five times each", told(here, async (t) => {
	const before = (await here.domain.status()).mixers.map((mixer) => mixer.uuid).sort();
	await underLoad(t, 12, async () => {
		for (let i = 0; i < 5; i++)
			for (const signal of ["SIGKILL", "SIGTERM"]) {
				await here.domain.killKept("domain-server", signal);
				await pause(BETWEEN_MS);
			}
	});
	await here.domain.answers();
	assert.deepEqual((await here.domain.status()).mixers.map((mixer) => mixer.uuid).sort(), before);
}));
