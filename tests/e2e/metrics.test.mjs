// What Prometheus would read on the metrics port, with a person inside.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newPerson, told, world } from "./lib/fixture.mjs";
import { until } from "./lib/wait.mjs";

const here = world();

const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (gauge|counter|untyped)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*\})? (-?[0-9][0-9.e+-]*)$/;

// A map from "name{labels}" to number. Each metric must be declared once, and its samples stand together.
function read(text) {
	const samples = new Map();
	const declared = new Set();
	let metric = null;
	assert.ok(text.endsWith("\n"));
	for (const line of text.slice(0, -1).split("\n")) {
		const type = TYPE.exec(line);
		if (type) {
			metric = type[1];
			assert.ok(!declared.has(metric), `${metric} is declared twice`);
			declared.add(metric);
			continue;
		}
		const sample = SAMPLE.exec(line);
		assert.ok(sample, `not a sample: ${line}`);
		const [, name, labels = "", value] = sample;
		assert.equal(name, metric, line);
		assert.ok(!samples.has(name + labels), `twice: ${line}`);
		assert.ok(Number.isFinite(Number(value)), line);
		samples.set(name + labels, Number(value));
	}
	return samples;
}

async function scrape() {
	const response = await fetch(`http://127.0.0.1:${here.domain.ports.metrics}/metrics`);
	assert.equal(response.status, 200);
	assert.match(response.headers.get("content-type"), /^text\/plain/);
	return read(await response.text());
}

test("people by transport, and each mixer's statistics under the usual names", told(here, async () => {
	assert.equal((await scrape()).get('hifi_people{transport="web"}'), 0);
	const alice = await newPerson("Alice");
	await alice.enter(here.domain.url, { deadlineMs: 30000 });
	const has = (samples, name) => [...samples.keys()].some((key) => key.startsWith(`${name}{`));
	const samples = await until("the mixers have reported", async () => {
		const now = await scrape();
		return has(now, "audio_mixer_io_stats_inbound_kbps") && has(now, "avatar_mixer_io_stats_outbound_pps") && now;
	}, { deadlineMs: 15000 });
	assert.equal(samples.get('hifi_people{transport="web"}'), 1);
	assert.equal(samples.get('hifi_people{transport="native"}'), 0);
	assert.equal([...samples.keys()].filter((key) => key.startsWith("hifi_mixer_up_seconds{")).length, 4);
	assert.ok(samples.get("domain_server_network_received_packets") > 0);
	await alice.leave();
}));

test("nothing else is served there", told(here, async () => {
	const { metrics } = here.domain.ports;
	assert.equal((await fetch(`http://127.0.0.1:${metrics}/status.json`)).status, 404);
	assert.equal((await fetch(`http://127.0.0.1:${metrics}/metrics`, { method: "POST" })).status, 404);
}));
