// Two people with the Web SDK, run in a network namespace of their own by loss.test.mjs: they enter, chat
// both ways and move. Prints one line of JSON: what came and how long it took.
//
//   node people.mjs URL MESSAGES LENGTH
import { monotonicMs } from "../e2e/lib/clock.mjs";
import { newPerson } from "../e2e/lib/fixture.mjs";
import { sdkErrors } from "../e2e/lib/sdk-node.mjs";
import { until } from "../e2e/lib/wait.mjs";

const ENTER_MS = 60000;
const CHAT_MS = 100000;

const [url, messages, length] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

const textOf = (who, i) => `${who} ${i} `.padEnd(length, String.fromCharCode(97 + i % 26));

async function enter(names) {
	const people = await Promise.all(names.map(newPerson));
	const took = await Promise.all(people.map((person) => person.enter(url, { deadlineMs: ENTER_MS })));
	return { people, took };
}

async function subscribe(person) {
	person.messages.subscribe("Chat");
	await until("subscribed", async () => {
		person.say("Chat", "ping");
		return person.hears("Chat", (m) => m.text === "ping", { deadlineMs: 1500 }).catch(() => null);
	}, { deadlineMs: CHAT_MS });
}

// Everything that each sent, as the other got it: how many came, how often, and whether intact.
async function chat(people) {
	await Promise.all(people.map(subscribe));
	const start = monotonicMs();
	for (let i = 0; i < messages; i++)
		people.forEach((person, who) => person.say("Chat", textOf(who, i)));

	const wanted = people.map((_, who) => new Set(Array.from({ length: messages }, (_, i) => textOf(1 - who, i))));
	const got = (person, who) => person.received.filter((m) => wanted[who].has(m.text));
	await until("all messages", () => people.every((person, who) => got(person, who).length >= messages),
		{ deadlineMs: CHAT_MS, describe: () => people.map((person, who) => got(person, who).length).join() });
	return {
		distinct: people.map((person, who) => new Set(got(person, who).map((m) => m.text)).size),
		times: people.map((person, who) => got(person, who).length),
		tookMs: monotonicMs() - start,
	};
}

async function move([alice, bob]) {
	const seen = await alice.meets(bob.id, { deadlineMs: 10000 });
	const start = monotonicMs();
	bob.me.position = { x: 7, y: 0, z: 0 };
	await until("move seen", () => Math.abs(seen.position.x - 7) < 0.01, { deadlineMs: 10000 });
	return monotonicMs() - start;
}

const result = {};
try {
	const { people, took } = await enter(["Alice", "Bob"]);
	result.enterMs = took;
	result.chat = await chat(people);
	result.moveMs = await move(people);
	people.forEach((person) => person.domain.disconnect());
	result.errors = sdkErrors;
} catch (error) {
	result.failure = error.message;
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(result.failure ? 1 : 0));
