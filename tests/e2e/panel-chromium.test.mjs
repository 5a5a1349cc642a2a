// The control panel in Chromium, on a real domain: what it shows of people who come and go, hostile names,
// accessibility, sizes and schemes. Screenshots go to $PANEL_SCREENSHOTS, if set.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchBrowser } from "./lib/browser.mjs";
import { monotonicMs } from "./lib/clock.mjs";
import { newPerson, told, world } from "./lib/fixture.mjs";
import { runLoad } from "./lib/load.mjs";
import { until, withDeadline } from "./lib/wait.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HOSTILE = "<script>document.title='taken'</script><img src=x onerror=alert(1)>";
const FIRST_VIEW_MAX = 150 * 1024;
const SLOW_REQUEST_MAX_MS = 25000;
const WATCHERS_MAX = 16;
const CROWD = 1000;
const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

const here = world({ config: { descriptors: { world_name: "Harbour & <b>Hills</b>" } } });
let browser;
let page;
const errors = [];
// Begun first, looked at last: a request that never ends.
let slow;

const panel = () => `http://127.0.0.1:${here.domain.ports.http}`;

// Everything the server says to these bytes until it closes; keeps the connection when it does not.
function raw(text, { deadlineMs = 3000 } = {}) {
	const socket = connect(here.domain.ports.http, "127.0.0.1", () => socket.write(text));
	let heard = "";
	socket.setEncoding("latin1").on("data", (data) => heard += data);
	const closed = new Promise((resolve) => socket.on("close", resolve).on("error", resolve));
	return withDeadline(JSON.stringify(text.slice(0, 60)), closed, deadlineMs).then(() => heard)
		.finally(() => socket.destroy());
}

const status = async (line, ...headers) => Number((await raw(
	[line, "Connection: close", ...headers, "", ""].join("\r\n"))).split(" ")[1]);

before(async () => {
	browser = await launchBrowser();
	const begun = monotonicMs();
	slow = raw("GET / HTTP/1.1\r\nHost: loc", { deadlineMs: SLOW_REQUEST_MAX_MS }).then(() => monotonicMs() - begun);
	slow.catch(() => {});
	page = await (await browser.newContext({ viewport: SIZES.desk })).newPage();
	page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
	page.on("pageerror", (error) => errors.push(error.stack));
	page.on("dialog", (dialog) => { errors.push("a dialog"); dialog.dismiss(); });
});
after(() => browser?.close());

test("nobody is here; the first view is small", told(here, async (t) => {
	let bytes = 0;
	const session = await page.context().newCDPSession(page);
	await session.send("Network.enable");
	session.on("Network.dataReceived", ({ encodedDataLength }) => bytes += encodedDataLength);
	await page.goto(panel());
	await page.getByRole("heading", { name: "Nobody is here." }).waitFor();
	assert.equal(await page.locator("#domain-name").innerText(), "Harbour & <b>Hills</b>");
	assert.equal(await page.title(), "Now – Harbour & <b>Hills</b>");
	await page.getByRole("article").nth(3).waitFor();
	t.diagnostic(`first view ${Math.round(bytes / 1024)} kB`);
	assert.ok(bytes > 0 && bytes < FIRST_VIEW_MAX);
	assert.deepEqual(errors, []);
}));

test("a person with a browser appears, harmless by any name, and disappears", told(here, async () => {
	const person = await newPerson(HOSTILE);
	await person.enter(here.domain.url);
	const row = page.getByRole("row", { name: HOSTILE });
	await row.waitFor({ timeout: 10000 });
	assert.match(await row.innerText(), /web browser/);
	await page.getByRole("heading", { name: `${HOSTILE} is here.` }).waitFor();
	assert.equal(await page.locator("main script, main img").count(), 0);
	await person.leave();
	await page.getByRole("heading", { name: "Nobody is here." }).waitFor({ timeout: 10000 });
	assert.equal(await page.locator("#people tbody tr").count(), 0);
	assert.deepEqual(errors, []);
}));

test("every page without an axe violation, in both sizes and schemes", told(here, async () => {
	const load = runLoad(here.domain, "-n", "12", "--duration", "18", "--move");
	await page.getByRole("heading", { name: "12 people are here." }).waitFor({ timeout: 10000 });
	await until("everybody on the map", async () => await page.locator("#map .dot").count() === 12, { deadlineMs: 8000 });
	await page.getByText(/^usually \d+ %, rarely over \d+ %$/).nth(3).waitFor();
	await until("voices", () => page.locator("#people .bar:not([aria-label=silent])").count(), { deadlineMs: 8000 });
	for (const [size, viewport] of Object.entries(SIZES)) {
		await page.setViewportSize(viewport);
		for (const colorScheme of ["light", "dark"]) {
			await page.emulateMedia({ colorScheme });
			for (const name of ["Now", "Ports", "About", "Log in"]) {
				await page.getByRole("link", { name, exact: true }).click();
				await page.getByRole("region", { name: name === "Now" ? /here/ : name }).waitFor();
				if (process.env.PANEL_SCREENSHOTS)
					await page.screenshot({ fullPage: true, path: join(process.env.PANEL_SCREENSHOTS,
						`${name.toLowerCase()}-${size}-${colorScheme}.png`) });
				assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} fits`);
				const found = await page.evaluate(`${AXE}; axe.run()`);
				assert.deepEqual(found.violations.map(({ id, nodes }) => [id, nodes[0].html]), [], `${name} ${size} ${colorScheme}`);
			}
		}
	}
	assert.deepEqual(errors, []);
	await load;
}));

test("what is wrong is said, and what to do", told(here, async () => {
	const alerts = (doc) => page.evaluate(async (doc) => (await import("/alerts.js")).alertsOf(doc), doc);
	const mixer = { hat: "audio", type: "audio-mixer", is_silent: false, load: 10, since: 0, takes_web_clients: true };
	const fine = { now: 100, domain: { since: 0, takes_web_clients: true }, waiting: {}, mixers: { a: mixer }, kernel_drops: 0 };
	assert.deepEqual(await alerts(fine), []);
	const cases = [
		[{ waiting: { w: { type: "messages-mixer" } } }, /messages-mixer is not running. Chat does not work/],
		[{ waiting: { w: { type: "agent" } } }],
		[{ now: 5, waiting: { w: { type: "messages-mixer" } } }],
		[{ mixers: { a: { ...mixer, load: 90 } } }, /no time left: 90 %/],
		[{ mixers: { a: { ...mixer, is_silent: true } } }, /not been heard/],
		[{ mixers: { a: { ...mixer, takes_web_clients: false } } }, /web browser do not reach the audio-mixer/],
		[{ mixers: { a: { ...mixer, kernel_drops: 7 } } }, /7 packets were lost/],
		[{ kernel_drops: 7 }, /domain-server could not keep up/],
	];
	for (const [change, expected] of cases) {
		const list = await alerts({ ...fine, ...change });
		assert.equal(list.length, expected ? 1 : 0, JSON.stringify(change));
		if (expected)
			assert.match(list[0].what, expected);
	}
}));

test("patches are applied as RFC 7396 says", told(here, async () => {
	const merged = (target, patch) => page.evaluate(async ([target, patch]) =>
		(await import("/live.js")).mergePatch(target, patch), [target, patch]);
	// Appendix A.
	for (const [target, patch, result] of [
		[{ a: "b" }, { a: "c" }, { a: "c" }],
		[{ a: "b", b: "c" }, { a: null }, { b: "c" }],
		[{ a: ["b"] }, { a: "c" }, { a: "c" }],
		[{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
		[{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
		[{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
	])
		assert.deepEqual(await merged(target, patch), result);
}));

test("people are on the map where they are", told(here, async () => {
	await page.setViewportSize(SIZES.desk);
	await page.emulateMedia({ reducedMotion: "reduce" });
	await page.goto(panel());
	const show = (at) => page.evaluate(async (at) => {
		const people = Object.fromEntries(Object.entries(at).map(([name, position_dm]) => [name, { name, position_dm }]));
		(await import("/map.js")).showMap({ people });
		const { left, top, width, height } = document.getElementById("map").getBoundingClientRect();
		return [document.getElementById("map-scale").textContent, Object.fromEntries(
			[...document.querySelectorAll("#map .dot")].map((dot) => {
				const box = dot.getBoundingClientRect();
				const x = (box.x + box.width / 2 - left) / width;
				const y = (box.y + box.height / 2 - top) / height;
				return [dot.innerText, { x, y, isInside: x > 0 && x < 1 && y > 0 && y < 1 }];
			}))];
	}, at);
	for (const metres of [0.1, 3, 40, 800, 900000]) {
		const d = metres * 10;
		const [scale, { Nora, Ost, Mia, Sue }] = await show({ Nora: [0, -d], Ost: [d, 0], Mia: [0, 0], Sue: [d, d] });
		assert.match(scale, /^A square is \d+ k?m wide/);
		assert.ok([Nora, Ost, Mia, Sue].every(({ isInside }) => isInside), `${metres} m`);
		assert.ok(Nora.y < Mia.y && Ost.x > Mia.x && Sue.y > Mia.y && Sue.x > Mia.x, `${metres} m`);
	}
	assert.deepEqual(Object.keys((await show({ Nora: null, Mia: [7, 7] }))[1]), ["Mia"]);
	assert.deepEqual(errors, []);
}));

test("a thousand people are drawn", told(here, async (t) => {
	const [dots, rows, ms] = await page.evaluate(async (n) => {
		const { showNow } = await import("/now.js");
		const people = (second) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`person ${i}`, {
			name: `Person ${i}`, since: i, address: "192.0.2.1:1", place: "", level: (i + second) % 9,
			position_dm: [i * 37 % 900 + second, i * 91 % 700],
		}]));
		const show = (second) => {
			showNow({ now: 9000 + second, waiting: {}, domain: { since: 0 }, mixers: {}, people: people(second) });
			return document.body.offsetHeight; // lays it out
		};
		show(0);
		const begun = performance.now();
		for (let second = 1; second <= 4; second++)
			show(second);
		const count = (selector) => document.querySelectorAll(selector).length;
		return [count("#map .dot"), count("#people tbody tr"), (performance.now() - begun) / 4];
	}, CROWD);
	assert.deepEqual([dots, rows], [CROWD, CROWD]);
	t.diagnostic(`${CROWD} people: ${Math.round(ms)} ms of each second`);
}));

test("pages are reached by keyboard, and focus goes with them", told(here, async () => {
	await page.goto(panel());
	await page.keyboard.press("Tab"); // the skip link
	await page.keyboard.press("Tab");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "Ports" }).waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.id), "ports");
	assert.equal(await page.locator("nav [aria-current=page]").innerText(), "Ports");
	const open = page.locator("#port-table tbody tr:not(.quiet) td:nth-child(3)");
	assert.deepEqual((await open.allInnerTexts()).sort(), [
		"assignment-client@audio", "assignment-client@avatar", "assignment-client@entity", "assignment-client@messages",
		"domain-server", "domain-server", "domain-server", "domain-server",
	]);
}));

test("a domain-server that ended is said to be silent, and its successor is found", told(here, async () => {
	await page.getByRole("link", { name: "Now" }).click();
	await here.domain.server.stop();
	await page.getByText("No answer").waitFor({ timeout: 10000 });
	here.domain.startServer();
	await page.getByText("Live", { exact: true }).waitFor({ timeout: 15000 });
	await here.domain.ready();
	await page.getByRole("article").nth(3).waitFor();
}));

test("hostile requests get nothing, and the server goes on", told(here, async () => {
	const host = "Host: localhost";
	for (const path of ["/../domain.json", "/%2e%2e/domain.json", "/..%2fdomain.json", "//etc/passwd", "/web/index.html",
		"/.", "/style.css/", "/index.html/../../settings-schema.json"])
		assert.equal(await status(`GET ${path} HTTP/1.1`, host), 404, path);
	assert.equal(await status("GET / HTTP/1.1", host), 200);
	assert.equal(await status("GET / HTTP/1.1", "Host: evil.example"), 403);
	assert.equal(await status("POST / HTTP/1.1", host, "Content-Length: 0"), 404);
	for (const method of ["PATCH", "TRACE", "OPTIONS", "CONNECT", "FROB"])
		assert.equal(await status(`${method} / HTTP/1.1`, host), 400, method);
	assert.equal(await status("GET /status.json HTTP/1.1", host, "Sec-Fetch-Site: cross-site"), 403);
	assert.equal(await status("GET /api/v1/events HTTP/1.1", host, "Sec-Fetch-Site: same-site"), 403);
	const first = await fetch(panel());
	const again = await fetch(panel(), { headers: { "If-None-Match": first.headers.get("etag") } });
	assert.deepEqual([first.status, first.headers.get("content-encoding"), again.status, await again.text()],
		[200, "gzip", 304, ""]);
	assert.match(first.headers.get("content-security-policy"), /^default-src 'none'; script-src 'self';/);
	const long = await raw(`GET / HTTP/1.1\r\n${host}\r\nX-Long: ${"x".repeat(64 * 1024)}\r\n\r\n`);
	assert.ok(!long.includes(" 200 "));
	await here.domain.status();
}));

test("watchers are limited, and a slow one costs the others nothing", told(here, async () => {
	const open = [];
	const statuses = [];
	for (let i = 0; i <= WATCHERS_MAX; i++) {
		const socket = connect(here.domain.ports.http, "127.0.0.1");
		open.push(socket);
		socket.write("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
		statuses.push(await new Promise((resolve) => socket.once("data", (data) => resolve(String(data).split(" ")[1]))));
		socket.pause();
	}
	assert.deepEqual([...new Set(statuses)].sort(), ["200", "503"]);
	// The page is among them and goes on.
	const life = await page.locator("#mixers p").last().innerText();
	await until("goes on", async () => await page.locator("#mixers p").last().innerText() !== life);
	open.forEach((socket) => socket.destroy());
	await until("places are free again", async () => {
		const controller = new AbortController();
		const answer = await fetch(`${panel()}/api/v1/events`, { signal: controller.signal });
		controller.abort();
		return answer.ok;
	}, { pollMs: 200 });
}));

test("a request that never ends is ended", told(here, async (t) => {
	t.diagnostic(`after ${Math.round(await slow / 1000)} s`);
}));
