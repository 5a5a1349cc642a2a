// Two people with the Web SDK under node, over real WebRTC, in one world.
import assert from "node:assert/strict";
import { test } from "node:test";
import { amplitudeAt, rms, toDb, usualPitch } from "./lib/audio.mjs";
import { median, monotonicMs } from "./lib/clock.mjs";
import { newPerson, rounded, told, watchErrors, world } from "./lib/fixture.mjs";
import { until } from "./lib/wait.mjs";
import { openEar, Tone } from "./lib/web-audio-node.mjs";

const CONNECT_MEDIAN_MS = 2500;
const MOVE_MS = 100;
const ROUNDS = 20;
const SETTLED_ROUND = 5;
const DRIFT_KB = 1024;
const MIXER_STATES = ["DISCONNECTED", "CONNECTED"];

const joint = (index, parentIndex, name, y) => ({
	boneType: parentIndex < 0 ? 0 : 1, defaultRotation: { w: 1, x: 0, y: 0, z: 0 }, defaultScale: 1,
	defaultTranslation: { x: 0, y, z: 0 }, jointIndex: index, jointName: name, parentIndex,
});
const SKELETON = [joint(0, -1, "Hips", 1), joint(1, 0, "Spine", 0.25), joint(2, 1, "Head", 0.5)];

const here = world();
const errors = watchErrors();
let alice;
let bob;

// q and -q are the same rotation.
const sameRotation = (a, b) => Math.abs(a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z) > 0.9999;
const near = (a, b, tolerance) => Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z) < tolerance;

test("both enter and reach all four mixers", told(here, async (t) => {
	alice = await newPerson("Alice");
	bob = await newPerson("Bob");
	const took = await Promise.all([alice.enter(here.domain.url), bob.enter(here.domain.url)]);
	t.diagnostic(`connect() to four mixers: ${took.map((ms) => rounded(ms)).join(" and ")} ms`);
	for (const mixer of ["audio", "avatar", "entity", "messages"])
		assert.deepEqual(alice.statesOf(mixer), MIXER_STATES, mixer);
	assert.notEqual(alice.id, bob.id);
	assert.equal((await here.domain.people()).length, 2);
	assert.deepEqual(errors, []);
}));

test("5,000 characters of chat arrive intact both ways, with the sender's id", told(here, async () => {
	const text = Array.from({ length: 5000 }, (_, i) => "abcdefghij é ☃ 0123"[i % 19]).join("");
	for (const person of [alice, bob])
		person.messages.subscribe("Chat");
	for (const [from, to] of [[alice, bob], [bob, alice]]) {
		// The subscription has arrived once a person's own words come back.
		await until("subscribed", async () => {
			to.say("Chat", "ping");
			return to.hears("Chat", (m) => m.text === "ping", { deadlineMs: 300 }).catch(() => null);
		});
		from.say("Chat", text);
		for (const person of [from, to]) {
			const heard = await person.hears("Chat", (m) => m.text.length > 4);
			assert.equal(heard.text, text);
			assert.equal(heard.sender, from.id);
			assert.equal(heard.localOnly, false);
		}
	}
	assert.deepEqual(errors, []);
}));

test("each sees the other's name, position and skeleton", told(here, async () => {
	bob.me.position = { x: 3, y: 1, z: -2 };
	bob.me.skeletonModelURL = "http://localhost/bob.glb";
	bob.me.skeleton = SKELETON;
	alice.me.position = { x: -1, y: 1, z: 0 };

	const seen = await alice.meets(bob.id);
	await until("Bob's name", () => seen.sessionDisplayName === "Bob" && seen.displayName === "Bob",
		{ describe: () => `${seen.displayName} / ${seen.sessionDisplayName}` });
	await until("Bob's position", () => near(seen.position, bob.me.position, 0.01));
	await until("Bob's model", () => seen.skeletonModelURL === bob.me.skeletonModelURL);
	await until("Bob's skeleton", () => seen.skeleton.length === SKELETON.length);
	seen.skeleton.forEach((got, i) => {
		assert.equal(got.jointName, SKELETON[i].jointName);
		assert.equal(got.parentIndex, SKELETON[i].parentIndex);
		assert.ok(near(got.defaultTranslation, SKELETON[i].defaultTranslation, 0.001));
	});

	const other = await bob.meets(alice.id);
	await until("Alice's name and position",
		() => other.sessionDisplayName === "Alice" && near(other.position, alice.me.position, 0.01));
	assert.deepEqual(alice.others(), [bob.id]);
	assert.deepEqual(bob.others(), [alice.id]);
	assert.deepEqual(errors, []);
}));

test("a second Bob is told apart by his session display name", told(here, async () => {
	const second = await newPerson("Bob");
	await second.enter(here.domain.url);
	const seen = await alice.meets(second.id);
	await until("a name of his own", () => seen.sessionDisplayName !== "" && seen.sessionDisplayName !== "Bob",
		{ describe: () => seen.sessionDisplayName });
	assert.equal(seen.displayName, "Bob");
	await second.leave();
	await until("gone", () => !alice.others().includes(second.id) && alice.others().length === 1);
}));

test("moves and turns are seen within 100 ms", told(here, async (t) => {
	const seen = await alice.meets(bob.id);
	const took = [];
	for (let step = 0; step < 20; step++) {
		const to = { x: step * 0.5, y: 1, z: -2 };
		const half = (step + 1) * 0.05;
		const turn = { w: Math.cos(half), x: 0, y: Math.sin(half), z: 0 };
		const start = monotonicMs();
		bob.me.position = to;
		bob.me.orientation = turn;
		await until("move", () => near(seen.position, to, 0.01) && sameRotation(seen.orientation, turn),
			{ deadlineMs: 2000, pollMs: 1, describe: () => JSON.stringify([seen.position, seen.orientation]) });
		took.push(monotonicMs() - start);
	}
	took.sort((a, b) => a - b);
	t.diagnostic(`move seen after ${rounded(median(took))} ms (median), ${rounded(took.at(-1))} ms (slowest of 20)`);
	assert.ok(took[17] < MOVE_MS, `nine of ten within ${MOVE_MS} ms: ${took.map((ms) => rounded(ms))}`);
}));

// Bob speaks a tone, two metres to Alice's right.
async function placeForAudio() {
	alice.me.position = { x: 0, y: 0, z: 0 };
	alice.me.orientation = { w: 1, x: 0, y: 0, z: 0 };
	bob.me.position = { x: 2, y: 0, z: 0 };
	bob.audio.audioInput = new Tone(440);
	const ear = await openEar(alice);
	await until("Bob is heard", async () => rms((await ear.take(200)).right) > 0.005, { deadlineMs: 5000 });
	return ear;
}

// Level at the louder ear over half a second, in dB of full scale.
async function levelDb(ear) {
	const { left, right } = await ear.take(500);
	return toDb(Math.max(amplitudeAt(left, 440), amplitudeAt(right, 440)));
}

test("a tone is heard at its pitch, louder in the ear that faces it", told(here, async (t) => {
	const ear = await placeForAudio();
	const { left, right } = await ear.take(1000);
	t.diagnostic(`pitch ${rounded(usualPitch(right), 1)} Hz, left ${rounded(toDb(rms(left)), 1)} dB, ` +
		`right ${rounded(toDb(rms(right)), 1)} dB`);
	assert.ok(Math.abs(usualPitch(right) - 440) < 2);
	assert.ok(toDb(rms(right) / rms(left)) > 3);
	assert.deepEqual(errors, []);

	const before = await levelDb(ear);
	bob.me.position = { x: 16, y: 0, z: 0 };
	await until("quieter with distance", async () => await levelDb(ear) < before - 9);
	bob.me.position = { x: 2, y: 0, z: 0 };
	await until("as loud as before", async () => Math.abs(await levelDb(ear) - before) < 1);

	alice.domain.users.setAvatarGain(alice.uuid(bob.id), -20);
	await until("20 dB less by personal gain", async () => Math.abs(await levelDb(ear) - before + 20) < 2);
	alice.domain.users.setAvatarGain(alice.uuid(bob.id), 0);
	await until("back to full level", async () => Math.abs(await levelDb(ear) - before) < 1);

	alice.domain.users.setPersonalMute(alice.uuid(bob.id), true);
	await until("silent by personal mute", async () => await levelDb(ear) < -80);
	alice.domain.users.setPersonalMute(alice.uuid(bob.id), false);
	await until("heard again", async () => Math.abs(await levelDb(ear) - before) < 1);
}));

test("the ignored are neither seen nor heard, and come back", told(here, async () => {
	const ear = await placeForAudio();
	alice.domain.users.setPersonalIgnore(alice.uuid(bob.id), true);
	await until("Bob silent and unseen", async () => await levelDb(ear) < -80 && !alice.others().includes(bob.id));
	await until("Alice unseen by the ignored", () => !bob.others().includes(alice.id));
	alice.domain.users.setPersonalIgnore(alice.uuid(bob.id), false);
	await until("heard and seen again", async () => await levelDb(ear) > -50 && alice.others().includes(bob.id) &&
		bob.others().includes(alice.id));
	assert.deepEqual(errors, []);
}));

test("an admin mutes somebody", told(here, async () => {
	assert.equal(alice.domain.users.canKick, true);
	let told = 0;
	bob.audio.mutedByMixer.connect(() => told++);
	alice.domain.users.mute(alice.uuid(bob.id));
	await until("Bob is muted", () => told === 1 && bob.audio.inputMuted);
	bob.audio.audioInput = null;
	bob.audio.inputMuted = false;
}));

test("who leaves is gone, and comes back as somebody new", told(here, async (t) => {
	const old = bob.id;
	const start = monotonicMs();
	await bob.leave();
	await until("Bob's avatar is gone", () => !alice.others().includes(old), { deadlineMs: 2000 });
	t.diagnostic(`gone after ${rounded(monotonicMs() - start)} ms`);
	await until("Bob's node is gone", async () => (await here.domain.people()).length === 1);
	assert.equal(bob.domain.sessionUUID.value(), bob.sdk.Uuid.NULL);

	await bob.enter(here.domain.url);
	assert.notEqual(bob.id, old);
	await alice.meets(bob.id);
	assert.deepEqual(alice.others(), [bob.id]);
}));

test("20 rounds of coming and going leave no ghost and no memory", told(here, async (t) => {
	await bob.leave();
	const took = [];
	let settled;
	for (let round = 0; round < ROUNDS; round++) {
		took.push(await bob.enter(here.domain.url));
		await alice.meets(bob.id);
		await bob.leave();
		await until("no ghost", () => alice.others().length === 0, { describe: () => JSON.stringify(alice.others()) });
		await until("one person inside", async () => (await here.domain.people()).length === 1);
		if (round === SETTLED_ROUND)
			settled = here.domain.pssKb();
	}
	t.diagnostic(`connect() to four mixers over ${ROUNDS} rounds: median ${rounded(median(took))} ms, ` +
		`slowest ${rounded(Math.max(...took))} ms`);
	assert.ok(median(took) < CONNECT_MEDIAN_MS);

	const end = here.domain.pssKb();
	const drift = Object.entries(end).map(([name, kb]) => [name, kb - settled[name]]);
	t.diagnostic(`PSS after ${ROUNDS} rounds, kB: ${JSON.stringify(end)}; since round ${SETTLED_ROUND}: ${JSON.stringify(Object.fromEntries(drift))}`);
	for (const [name, kb] of drift)
		assert.ok(kb < DRIFT_KB, `${name} grew by ${kb} kB`);
	assert.deepEqual(errors, []);
}));

test("the kicked are out at once, and refused with a reason when they come back", told(here, async () => {
	await bob.enter(here.domain.url);
	await alice.meets(bob.id);
	alice.domain.users.kick(alice.uuid(bob.id));
	await until("Bob is gone for Alice", () => alice.others().length === 0);
	await until("Bob is refused", () => bob.domain.state === bob.sdk.DomainServer.REFUSED,
		{ deadlineMs: 15000, describe: () => bob.describe() });
	assert.notEqual(bob.domain.refusalInfo, "");
	await bob.leave();

	const carol = await newPerson("Carol");
	await carol.enter(here.domain.url);
	await carol.leave();
	await alice.leave();
	await here.domain.empty();
}));
