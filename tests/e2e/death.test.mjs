// Servers die while people are inside: who comes back, and in what time. Nobody reloads a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { monotonicMs } from "./lib/clock.mjs";
import { HATS } from "./lib/domain.mjs";
import { newPerson, rounded, told, world } from "./lib/fixture.mjs";
import { until } from "./lib/wait.mjs";

// Stated bounds: a mixer under the monitor is used again by a web client, everything after the
// domain-server, whose clients first have to notice (02 §15: five check-ins of one second).
const MIXER_BACK_MS = 5000;
const DOMAIN_BACK_MS = 25000;

const here = world({ monitor: true });
const people = [];

const chatWorks = async () => {
	const [alice, bob] = people;
	const text = `still here ${monotonicMs()}`;
	await until("chat", async () => {
		alice.say("Chat", text);
		return bob.hears("Chat", (m) => m.text === text, { deadlineMs: 300 }).catch(() => null);
	});
};

const seeEachOther = () => until("see each other",
	() => people.every((person, i) => person.others().includes(people[1 - i].id) && person.others().length === 1),
	{ describe: () => JSON.stringify(people.map((person) => person.others())) });

test("two people are inside", told(here, async () => {
	people.push(await newPerson("Alice"), await newPerson("Bob"));
	await Promise.all(people.map((person) => person.enter(here.domain.url)));
	people.forEach((person) => person.messages.subscribe("Chat"));
	await chatWorks();
	await seeEachOther();
}));

for (const hat of Object.keys(HATS)) {
	test(`${hat} is killed and comes back`, told(here, async (t) => {
		const ids = people.map((person) => person.id);
		const before = await here.domain.mixer(hat);
		const victim = await here.domain.pidOf(hat);
		assert.ok(victim > 0);
		const start = monotonicMs();
		process.kill(victim, "SIGKILL");
		await until(`${hat} is lost`, () => people.every((person) => !person.isInside()),
			{ deadlineMs: MIXER_BACK_MS, pollMs: 1, describe: () => people[0].describe() });
		await Promise.all(people.map((person) => person.inside({ deadlineMs: MIXER_BACK_MS })));
		t.diagnostic(`${hat}: both clients CONNECTED to it again ${rounded(monotonicMs() - start)} ms after SIGKILL`);
		await chatWorks();
		await seeEachOther();
		assert.deepEqual(people.map((person) => person.id), ids, "only the lost mixer is reconnected");
		const { uuid, address } = await here.domain.mixer(hat);
		assert.deepEqual([uuid, address], [before.uuid, before.address], "it is the same node");
	}));
}

test("the domain-server is killed and started again", told(here, async (t) => {
	const start = monotonicMs();
	await here.domain.server.kill();
	here.domain.startServer();
	await here.domain.answers();
	t.diagnostic(`domain-server answers again ${rounded(monotonicMs() - start)} ms after SIGKILL`);
	await here.domain.ready(Object.keys(HATS), { deadlineMs: DOMAIN_BACK_MS });
	t.diagnostic(`all mixers connected again after ${rounded(monotonicMs() - start)} ms`);
	await until("everyone noticed", () => people.every((person) => !person.isInside()), { deadlineMs: DOMAIN_BACK_MS });
	await Promise.all(people.map((person) => person.inside({ deadlineMs: DOMAIN_BACK_MS })));
	t.diagnostic(`both people inside again after ${rounded(monotonicMs() - start)} ms, without doing anything`);
	await chatWorks();
	await seeEachOther();
	await Promise.all(people.map((person) => person.leave()));
	await here.domain.empty();
}));
