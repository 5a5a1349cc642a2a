// What listens is exactly the port table, and WebRTC peers open nothing more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HATS } from "./lib/domain.mjs";
import { newPerson, told, world } from "./lib/fixture.mjs";
import { receivesOn } from "./lib/ports.mjs";

const here = world();

// Any way of writing "every address of this machine"; a dual-stack socket shows as "*".
const anywhere = (entry) => entry.replace(/ (\*|0\.0\.0\.0|\[::\]):/, " any:");

function assertExactlyTheTable() {
	const { ports, server, hats } = here.domain;
	const ofServer = new Set(receivesOn(server.pid).map(anywhere));
	assert.deepEqual([...ofServer].sort(), [
		`tcp 127.0.0.1:${ports.http}`, `tcp 127.0.0.1:${ports.metrics}`, `tcp any:${ports.domain}`, `udp any:${ports.domain}`,
	].sort());
	for (const [hat, daemon] of Object.entries(hats))
		assert.deepEqual(receivesOn(daemon.pid).map(anywhere), [`udp any:${ports.hat(HATS[hat])}`], hat);
}

test("with everything up, each process has its own ports only", told(here, assertExactlyTheTable));

test("with people inside, still the same ports", told(here, async () => {
	const people = [await newPerson("Alice"), await newPerson("Bob")];
	await Promise.all(people.map((person) => person.enter(here.domain.url)));
	assertExactlyTheTable();
	await Promise.all(people.map((person) => person.leave()));
}));
