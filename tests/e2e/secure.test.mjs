// Web clients over wss beside others over ws on one port; a certificate that is renewed, and one that expires.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { get as getHttps } from "node:https";
import { connect as connectTls } from "node:tls";
import { after, test } from "node:test";
import WebSocket from "ws";
import { program } from "./lib/domain.mjs";
import { newPerson, told, world } from "./lib/fixture.mjs";
import { Authority } from "./lib/pki.mjs";
import { trust } from "./lib/sdk-node.mjs";
import { until } from "./lib/wait.mjs";

// Files are looked at every five seconds, and taken once they have been still for as long.
const RENEWAL = { deadlineMs: 60000, pollMs: 500 };

const authority = new Authority();
authority.issue("first", 90);
trust(authority.pem);
const http = { certificate: authority.certificate, certificate_key: authority.key };
const here = world({ config: { http } });
let alice;
let bob;

after(() => authority.remove());

const wss = () => here.domain.url.replace("ws:", "wss:");

// The common name in the certificate that the signalling port shows now.
const shownName = () => new Promise((resolve, reject) => {
	const socket = connectTls({ port: here.domain.ports.domain, host: "127.0.0.1", rejectUnauthorized: false }, () => {
		resolve(socket.getPeerCertificate().subject.CN);
		socket.destroy();
	});
	socket.on("error", reject);
});

const hifictl = (...words) => execFileSync(program("hifictl"), ["-s", here.domain.adminSocket, ...words],
	{ encoding: "utf8" });

async function chat(from, to, text) {
	for (const person of [from, to])
		person.messages.subscribe("Secure");
	// Subscriptions are on their way for a moment.
	await until(`${text} arrives`, async () => {
		from.say("Secure", text);
		return to.hears("Secure", (m) => m.text === text, { deadlineMs: 300 }).catch(() => null);
	}, { deadlineMs: 15000 });
}

test("one over wss and one over ws are in the same world", told(here, async () => {
	alice = await newPerson("Alice");
	bob = await newPerson("Bob");
	await alice.enter(wss());
	await bob.enter(here.domain.url);
	await alice.meets(bob.id);
	await chat(alice, bob, "over both");
	const { tls } = (await here.domain.status()).signalling;
	assert.ok(tls.handshakes >= 1, JSON.stringify(tls));
}));

test("the status is served by https, and plain text there is told so", told(here, async () => {
	const { https } = here.domain.ports;
	const body = await new Promise((resolve, reject) => {
		getHttps({ port: https, host: "127.0.0.1", path: "/status.json", ca: authority.pem }, async (response) => {
			resolve((await response.toArray()).join(""));
		}).on("error", reject);
	});
	assert.equal(JSON.parse(body).certificate.state, "valid");
	assert.equal((await fetch(`http://127.0.0.1:${https}/`)).status, 400);
}));

test("after a renewal new ones get the new certificate and old ones go on", told(here, async () => {
	assert.equal(await shownName(), "first");
	authority.issue("second", 10);
	await until("the new certificate", async () => await shownName() === "second", RENEWAL);
	await chat(alice, bob, "still here");
	assert.deepEqual(alice.statesOf("domain").filter((state) => state === "CONNECTED").length, 1);
	const carol = await newPerson("Carol");
	await carol.enter(wss());
	await carol.meets(alice.id);
	await carol.leave();
	assert.match(hifictl("status"), /The certificate expires at .*: renew it\./);
}));

test("only pages of allowed origins may connect", told(here, async () => {
	const { domain } = here;
	const answer = (origin) => new Promise((resolve) => {
		const socket = new WebSocket(wss(), { ca: authority.pem, origin });
		socket.on("unexpected-response", (request, response) => resolve(response.statusCode) || request.destroy());
		socket.on("open", () => resolve(101) || socket.close());
		socket.on("error", (error) => resolve(error.message));
	});
	assert.equal(await answer("https://elsewhere.example"), 101);
	domain.writeConfig({ http, webrtc: { allowed_origins: ["https://world.example"] } });
	process.kill(domain.server.pid, "SIGHUP");
	await until("elsewhere is refused", async () => await answer("https://elsewhere.example") === 403);
	assert.equal(await answer("https://world.example"), 101);
	assert.equal(await answer(undefined), 101);
	await chat(bob, alice, "reloaded");
}));

test("an expired certificate is told of; files that cannot be used are not taken", told(here, async () => {
	const { domain } = here;
	authority.issue("third", -1);
	await domain.server.says(/The certificate .* has expired/, RENEWAL);
	assert.equal((await domain.status()).certificate.state, "expired");
	assert.match(hifictl("status"), /The certificate expired at /);
	assert.equal(await shownName(), "third");

	domain.writeConfig({ http: { ...http, certificate_key: "/nonexistent.pem" } });
	process.kill(domain.server.pid, "SIGHUP");
	await domain.server.says(/Cannot use the key '\/nonexistent.pem': No such file/);
	assert.match(hifictl("status"), /Cannot use the key/);
	assert.equal(await shownName(), "third");
	await chat(alice, bob, "unharmed");
	await Promise.all([alice.leave(), bob.leave()]);
}));
