// The data channel stack against Chromium, without a domain around it (protocol 11 §1, §6). What it has that
// node lacks: a ClientHello in two datagrams, mDNS candidates, its own idea of what closing looks like.
import assert from "node:assert/strict";
import test from "node:test";
import { chromium } from "playwright-core";
import { Server } from "./channel-server.mjs";

const MESSAGES = 2000;
const DEADLINE_MS = 60000;

let browser;
test.before(async () => {
	browser = await chromium.launch({
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
		executablePath: "/usr/bin/chromium",
		headless: true,
	});
});
test.after(() => browser.close());

// These two run inside the page.
async function makeOffer() {
	globalThis.received = [];
	globalThis.connection = new RTCPeerConnection({ iceServers: [] });
	globalThis.channel = connection.createDataChannel("label", { protocol: "protocol", ordered: false, maxRetransmits: 0 });
	channel.binaryType = "arraybuffer";
	channel.onmessage = ({ data }) => received.push(data);
	globalThis.closed = new Promise((resolve) => { channel.onclose = resolve; });
	const offer = await connection.createOffer();
	return { type: offer.type, sdp: offer.sdp };
}

async function takeAnswer(answer) {
	const opened = new Promise((resolve) => { channel.onopen = resolve; });
	await connection.setLocalDescription();
	await connection.setRemoteDescription(answer);
	await opened;
}

async function connected(t, lossPercent) {
	const server = new Server(t, lossPercent);
	const page = await browser.newPage();
	t.after(() => page.close());
	await page.evaluate(takeAnswer, await server.answer(await page.evaluate(makeOffer)));
	await server.event("open");
	return { server, page };
}

const hasReceived = (page, count) => page.waitForFunction((n) => received.length >= n, count, { timeout: DEADLINE_MS });

test("echo comes back as binary", { timeout: DEADLINE_MS }, async (t) => {
	const { page } = await connected(t);
	for (const length of [10, 1464, 60005]) {
		await page.evaluate((text) => { received = []; channel.send(text); }, "echo:".padEnd(length, "x"));
		await hasReceived(page, 1);
		const back = await page.evaluate(() => received[0] instanceof ArrayBuffer && new TextDecoder().decode(received[0]));
		assert.equal(back, "echo:".padEnd(length, "x"));
	}
});

test("ordered and complete under 10 % loss each way", { timeout: DEADLINE_MS }, async (t) => {
	const { server, page } = await connected(t, 10);
	server.say({ send: MESSAGES });
	await hasReceived(page, MESSAGES);
	const numbers = await page.evaluate(() => received.map((data) => new DataView(data).getUint32(0, true)));
	assert.deepEqual(numbers, Array.from({ length: MESSAGES }, (_, i) => i));
});

test("the server closes the channel: the page sees it", { timeout: DEADLINE_MS }, async (t) => {
	const { server, page } = await connected(t);
	server.say({ close: true });
	await page.evaluate(() => closed);
});

test("the page closes its connection: the server sees it", { timeout: DEADLINE_MS }, async (t) => {
	const { server, page } = await connected(t);
	await page.evaluate(() => connection.close());
	assert.equal((await server.event("closed")).reason, "peer");
});
