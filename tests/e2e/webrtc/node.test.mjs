// The data channel stack against libwebrtc under node, without a domain around it (protocol 02 §14.5-§14.6, 11).
import assert from "node:assert/strict";
import test from "node:test";
import wrtc from "@roamhq/wrtc";
import { Server } from "./channel-server.mjs";

const MESSAGES = 5000;
const DEADLINE_MS = 60000;
// A little data in flight at a time, so that the client's unreliable channel does not drop its own.
const CLIENT_BUFFER_BYTES = 16384;

class Client {
	received = [];
	#wanted = [];

	// Opens the channel as the Web SDK does.
	async connect(t, server) {
		this.connection = new wrtc.RTCPeerConnection({ iceServers: [] });
		this.channel = this.connection.createDataChannel("label",
			{ protocol: "protocol", ordered: false, maxRetransmits: 0 });
		this.channel.binaryType = "arraybuffer";
		t.after(() => this.connection.close());
		this.closed = new Promise((resolve) => { this.channel.onclose = resolve; });
		this.channel.onmessage = ({ data }) => this.#take(data);
		const opened = new Promise((resolve) => { this.channel.onopen = resolve; });

		const offer = await this.connection.createOffer();
		const answer = await server.answer(offer);
		await this.connection.setLocalDescription(offer);
		await this.connection.setRemoteDescription(answer);
		await opened;
	}

	#take(data) {
		this.received.push(data);
		if (this.received.length >= this.#wanted[0]?.count)
			this.#wanted.shift().resolve();
	}

	hasReceived(count) {
		return this.received.length >= count ? Promise.resolve() :
			new Promise((resolve) => this.#wanted.push({ count, resolve }));
	}

	async sendNumbers(count) {
		this.channel.bufferedAmountLowThreshold = CLIENT_BUFFER_BYTES / 2;
		for (let i = 0; i < count; i++) {
			if (this.channel.bufferedAmount > CLIENT_BUFFER_BYTES)
				await new Promise((resolve) => { this.channel.onbufferedamountlow = resolve; });
			this.channel.send(new Uint32Array([i]));
		}
	}
}

const numberIn = (buffer) => new DataView(buffer).getUint32(0, true);

async function connected(t, lossPercent) {
	const server = new Server(t, lossPercent);
	const client = new Client();
	await client.connect(t, server);
	await server.event("open");
	return { server, client };
}

test("echo comes back as binary", { timeout: DEADLINE_MS }, async (t) => {
	const { client } = await connected(t);
	for (const length of [10, 1464, 60005, 65536]) {
		const text = "echo:".padEnd(length, "x");
		client.received = [];
		client.channel.send(text);
		await client.hasReceived(1);
		assert.ok(client.received[0] instanceof ArrayBuffer, "binary, not a string");
		assert.equal(Buffer.from(client.received[0]).toString(), text);
	}
});

test("5,000 messages both ways", { timeout: DEADLINE_MS }, async (t) => {
	const { server, client } = await connected(t);
	server.say({ send: MESSAGES });
	await Promise.all([client.sendNumbers(MESSAGES), client.hasReceived(MESSAGES)]);
	assert.deepEqual(client.received.map(numberIn), Array.from({ length: MESSAGES }, (_, i) => i));

	let report;
	do {
		server.say({ report: true });
		report = await server.event("report");
	} while (report.received < MESSAGES);
	assert.equal(report.received, MESSAGES);
	assert.equal(report.ordered, true);
	assert.deepEqual(report.drops, {});
});

// The server alone decides how its messages travel, whatever the client opened (01 §13).
test("ordered and complete under 10 % loss each way", { timeout: DEADLINE_MS }, async (t) => {
	const { server, client } = await connected(t, 10);
	server.say({ send: MESSAGES });
	await client.hasReceived(MESSAGES);
	assert.deepEqual(client.received.map(numberIn), Array.from({ length: MESSAGES }, (_, i) => i));
});

test("the server closes the channel: the client sees it", { timeout: DEADLINE_MS }, async (t) => {
	const { server, client } = await connected(t);
	server.say({ close: true });
	assert.equal((await server.event("closed")).reason, "local");
	await client.closed;
});

test("the client closes its channel: the server sees it", { timeout: DEADLINE_MS }, async (t) => {
	const { server, client } = await connected(t);
	client.channel.close();
	assert.equal((await server.event("closed")).reason, "peer");
	await client.closed;
});

test("the client closes its connection: the server sees it", { timeout: DEADLINE_MS }, async (t) => {
	const { server, client } = await connected(t);
	client.connection.close();
	assert.equal((await server.event("closed")).reason, "peer");
});

test("twenty clients at once", { timeout: DEADLINE_MS }, async (t) => {
	const server = new Server(t);
	const clients = Array.from({ length: 20 }, () => new Client());
	await Promise.all(clients.map((client) => client.connect(t, server)));
	server.say({ send: 10 });
	await Promise.all(clients.map((client) => client.hasReceived(10)));
});
