// Native clients over UDP, many at once: hifi-load against a whole domain.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rounded, told, world } from "./lib/fixture.mjs";
import { failed, runLoad } from "./lib/load.mjs";

const here = world();
const nothing = ["--no-audio", "--no-avatar", "--no-messages", "--no-entities"];

test("a dozen native clients hear, see and read each other, some come and go", told(here, async (t) => {
	const run = await runLoad(here.domain, "-n", "12", "--duration", "8", "--ramp", "10", "--tone", "--talkers", "0.5",
		"--spread", "5", "--move", "--chat", "1", "--churn", "0.3", "--min-heard", "0.95", "--min-seen", "0.95");
	assert.deepEqual(failed(run), []);
	assert.equal(run.code, 0);
	const { audio, avatar, messages, connect } = run.report;
	assert.ok(connect.departures > 0 && messages.received > 0);
	t.diagnostic(`${rounded(audio.rate, 1)} mixes/s, jitter p99 ${rounded(audio.jitter_ms.p99, 1)} ms; ` +
		`avatars seen after ${rounded(avatar.latency_ms.p50, 1)} ms, p99 ${rounded(avatar.latency_ms.p99, 1)} ms; ` +
		`chat p99 ${rounded(messages.latency_ms.p99, 1)} ms`);
}));

test("each codec is agreed on and decodes", told(here, async () => {
	for (const codec of ["pcm", "zlib", "none"]) {
		const run = await runLoad(here.domain, "-n", "3", "--duration", "2", "--tone", "--talkers", "1", "--spread", "3",
			"--codec", codec, "--min-heard", "1", ...nothing.slice(1));
		assert.deepEqual(failed(run), [], codec);
		assert.equal(run.report.audio.codecs_refused, 0, codec);
	}
}));

test("a run fails when a mixer is not there", told(here, async () => {
	await here.domain.hats.messages.stop();
	const run = await runLoad(here.domain, "-n", "2", "--duration", "1", ...nothing.slice(0, 2));
	assert.equal(run.code, 1);
	assert.deepEqual(failed(run), ["missing"]);
}));
