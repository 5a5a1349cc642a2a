// What the Web SDK's own integration tests expect of a domain (02 §17), with console.error watched.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "./lib/client.mjs";
import { monotonicMs } from "./lib/clock.mjs";
import { newPerson, told, watchErrors, world } from "./lib/fixture.mjs";
import { loadSdk } from "./lib/sdk-node.mjs";
import { never, until, withDeadline } from "./lib/wait.mjs";

const NOBODY_LISTENS = "ws://127.0.0.1:9";
const LOW_LEVEL_MS = 5000;
const STAYS_MS = 2500;

const here = world();
const errors = watchErrors();
const sdk = await loadSdk();
const internal = (name) => sdk.internal(`networking/${name}`).default;
const SignalingChannel = internal("webrtc/WebRTCSignalingChannel");
const DataChannel = internal("webrtc/WebRTCDataChannel");
const WebRTCSocket = internal("webrtc/WebRTCSocket");
const Socket = internal("udt/Socket");
const Url = sdk.internal("shared/Url").default;
const NodeType = internal("NodeType");

const once = (target, event, what) =>
	withDeadline(what, new Promise((resolve) => { target[event] = resolve; }), LOW_LEVEL_MS);

async function openSignaling() {
	const channel = new SignalingChannel(here.domain.url);
	await once(channel, "onopen", "signalling channel open");
	return channel;
}

async function openData(nodeType, signaling) {
	const channel = new DataChannel(nodeType, signaling);
	await once(channel, "onopen", `data channel to ${nodeType} open`);
	return channel;
}

const text = (buffer) => new TextDecoder().decode(buffer);

test("DomainServer: connects, stays, disconnects, reconnects", told(here, async () => {
	const { DomainServer, Uuid } = sdk;
	const domain = new DomainServer([]);
	assert.equal(domain.sessionUUID.value(), Uuid.NULL);
	for (let round = 0; round < 2; round++) {
		domain.connect(here.domain.url);
		await until("CONNECTED", () => domain.state === DomainServer.CONNECTED);
		await never("leaves CONNECTED", () => domain.state !== DomainServer.CONNECTED, STAYS_MS);
		assert.notEqual(domain.sessionUUID.value(), Uuid.NULL);
		domain.disconnect();
		assert.equal(domain.state, DomainServer.DISCONNECTED);
		await until("no session id", () => domain.sessionUUID.value() === Uuid.NULL);
		domain.disconnect();
		assert.equal(domain.state, DomainServer.DISCONNECTED);
	}
	await here.domain.empty();
	assert.deepEqual(errors, []);
}));

test("DomainServer: disconnects while CONNECTING, connects from ERROR", told(here, async () => {
	const { DomainServer } = sdk;
	const domain = new DomainServer([]);
	domain.connect(here.domain.url);
	assert.equal(domain.state, DomainServer.CONNECTING);
	domain.disconnect();
	assert.equal(domain.state, DomainServer.DISCONNECTED);
	domain.connect("");
	assert.equal(domain.state, DomainServer.ERROR);
	domain.connect(here.domain.url);
	await until("CONNECTED", () => domain.state === DomainServer.CONNECTED);
	// While its offers to the mixers are under way, disconnecting makes the SDK itself report errors.
	await never("leaves CONNECTED", () => domain.state !== DomainServer.CONNECTED, STAYS_MS);
	domain.disconnect();
	await here.domain.empty();
	assert.deepEqual(errors, []);
}));

test("DomainServer: another protocol is refused with a reason", told(here, async () => {
	const other = await loadSdk((bundle) => {
		const edited = bundle.replace(/PROTOCOL_SIGNATURE_BYTES\s*=\s*\[[^\]]*\]/u,
			`PROTOCOL_SIGNATURE_BYTES = [${Array(16).fill(0)}]`);
		assert.notEqual(edited, bundle);
		return edited;
	});
	const domain = new other.DomainServer([]);
	domain.connect(here.domain.url);
	await until("REFUSED", () => domain.state === other.DomainServer.REFUSED);
	assert.match(domain.refusalInfo, /[Pp]rotocol/u);
	domain.disconnect();
	assert.deepEqual(errors, []);
}));

test("mixers: UNAVAILABLE, listed, CONNECTED, UNAVAILABLE", told(here, async () => {
	const person = await newPerson();
	for (const mixer of ["audio", "avatar", "entity", "messages"])
		assert.equal(person[mixer].state, sdk.AssignmentClientState.UNAVAILABLE);
	await person.enter(here.domain.url);
	await person.leave();
	for (const mixer of ["audio", "avatar", "entity", "messages"])
		assert.deepEqual(person.statesOf(mixer), ["DISCONNECTED", "CONNECTED", "UNAVAILABLE"], mixer);
	await here.domain.empty();
	assert.deepEqual(errors, []);
}));

test("MessageMixer: a text of several packets comes back whole", told(here, async () => {
	const person = new Client(sdk);
	await person.enter(here.domain.url);
	const sent = "Lorem ipsum dolor sit amet. ".repeat(200);
	person.messages.subscribe("com.example.test");
	await until("subscribed", async () => {
		person.say("com.example.test", "ping");
		return person.hears("com.example.test", () => true, { deadlineMs: 300 }).catch(() => null);
	});
	person.say("com.example.test", sent);
	const heard = await person.hears("com.example.test", (m) => m.text !== "ping");
	assert.equal(heard.text, sent);
	assert.equal(heard.localOnly, false);
	await person.leave();
	await here.domain.empty();
	assert.deepEqual(errors, []);
}));

test("WebRTCSignalingChannel: opens, closes, and errors where nobody listens", told(here, async () => {
	const channel = await openSignaling();
	assert.equal(channel.readyState, SignalingChannel.OPEN);
	const closed = once(channel, "onclose", "signalling channel closed");
	channel.close();
	await closed;
	await once(new SignalingChannel(NOBODY_LISTENS), "onerror", "error");
}));

test("WebRTCSignalingChannel: two hear their own echoes only, off D and off m", told(here, async () => {
	for (const nodeType of [NodeType.DomainServer, NodeType.MessagesMixer]) {
		const channels = [await openSignaling(), await openSignaling()];
		const heard = channels.map((channel, i) => {
			const answers = [];
			channel.onmessage = (message) => answers.push(message);
			channel.send({ echo: `echo ${i}`, to: nodeType });
			return answers;
		});
		await until("both echoes", () => heard.every((answers) => answers.length > 0), { deadlineMs: LOW_LEVEL_MS });
		heard.forEach((answers, i) => {
			assert.equal(answers.length, 1);
			assert.equal(answers[0].echo, `echo ${i}`);
			assert.equal(answers[0].from, nodeType);
		});
		channels.forEach((channel) => channel.close());
	}
	assert.deepEqual(errors, []);
}));

test("WebRTCDataChannel: two echoes at once off D, as binary", told(here, async () => {
	const signaling = [await openSignaling(), await openSignaling()];
	const channels = await Promise.all(signaling.map((one) => openData(NodeType.DomainServer, one)));
	await Promise.all(channels.map(async (channel, i) => {
		assert.equal(channel.readyState, DataChannel.OPEN);
		const answer = once(channel, "onmessage", "echo");
		channel.send(`echo:Hello ${i}`);
		const data = await answer;
		assert.ok(data instanceof ArrayBuffer);
		assert.equal(text(data), `echo:Hello ${i}`);
	}));
	for (const channel of channels) {
		const closed = once(channel, "onclose", "data channel closed");
		channel.close();
		await closed;
		assert.equal(channel.readyState, DataChannel.CLOSED);
	}
	signaling.forEach((one) => one.close());
	assert.deepEqual(errors, []);
}));

test("WebRTCDataChannel: echo off each mixer, without a domain connection", told(here, async () => {
	const signaling = await openSignaling();
	const domain = await openData(NodeType.DomainServer, signaling);
	for (const nodeType of [NodeType.AudioMixer, NodeType.AvatarMixer, NodeType.MessagesMixer, NodeType.EntityServer]) {
		const channel = await openData(nodeType, signaling);
		const answer = once(channel, "onmessage", `echo off ${nodeType}`);
		channel.send("echo:Hello");
		assert.equal(text(await answer), "echo:Hello");
		channel.close();
	}
	domain.close();
	signaling.close();
	assert.deepEqual(errors, []);
}));

test("WebRTCSocket and Socket: a channel to D, then one to a mixer", told(here, async () => {
	const socket = new WebRTCSocket();
	for (const nodeType of [NodeType.DomainServer, NodeType.MessagesMixer]) {
		socket.connectToHost(here.domain.url, nodeType, () => {});
		await until(`WebRTCSocket to ${nodeType}`,
			() => socket.state(here.domain.url, nodeType) === WebRTCSocket.CONNECTED, { deadlineMs: LOW_LEVEL_MS });
	}
	socket.abort();

	const udt = new Socket();
	const url = new Url(here.domain.url);
	for (const nodeType of [NodeType.DomainServer, NodeType.AvatarMixer]) {
		udt.openSocket(url, nodeType, () => {});
		await until(`Socket to ${nodeType}`, () => udt.getSocketState(url, nodeType) === Socket.CONNECTED,
			{ deadlineMs: LOW_LEVEL_MS });
	}
	udt.clearConnections();
	assert.deepEqual(errors, []);
}));

test("sessions of one process that overlap do not disturb each other", told(here, async (t) => {
	const start = monotonicMs();
	const people = await Promise.all(Array.from({ length: 4 }, (_, i) => newPerson(`Person ${i}`)));
	await Promise.all(people.map((person) => person.enter(here.domain.url)));
	t.diagnostic(`four at once inside after ${Math.round(monotonicMs() - start)} ms`);
	for (const person of people)
		await until("sees three others", () => person.others().length === 3);
	await Promise.all(people.map((person) => person.leave()));
	await here.domain.empty();
	assert.deepEqual(errors, []);
}));
