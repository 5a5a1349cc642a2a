// Logging in to the control panel: the first visit in Chromium, roles, and what attackers try.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchBrowser } from "./lib/browser.mjs";
import { program } from "./lib/domain.mjs";
import { told, world } from "./lib/fixture.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const PASSWORD = "correct horse battery";
// "secret", as another domain-server stored it (protocol 09 section 15, vector 1).
const OLD_HASH = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const FREE_TRIES = 5;

const here = world({ hats: [] });
let browser;
let page;
const errors = [];

const panel = () => `http://127.0.0.1:${here.domain.ports.http}`;
const hifictl = (...words) => execFileSync(program("hifictl"), ["-s", here.domain.adminSocket, ...words],
	{ encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const config = () => JSON.parse(readFileSync(join(here.domain.data, "domain.json"), "utf8"));

// Somebody with a cookie jar of their own.
class Visitor {
	async ask(method, path, body, headers = {}) {
		const response = await fetch(panel() + path, {
			method,
			headers: { "Content-Type": "application/json", ...this.cookie && { Cookie: this.cookie },
				...this.token && { "X-CSRF-Token": this.token }, ...headers },
			body: body === undefined ? undefined : JSON.stringify(body),
		});
		this.setCookie = response.headers.get("set-cookie");
		if (this.setCookie)
			this.cookie = this.setCookie.split(";")[0];
		const reply = await response.json();
		if (path === "/api/v1/login")
			this.token = reply.csrf_token;
		return { status: response.status, retryAfter: response.headers.get("retry-after"), reply };
	}

	logIn(user, password) {
		return this.ask("POST", "/api/v1/login", { user, password });
	}
}

// Looks at a page in both sizes and schemes; screenshots go to $PANEL_SCREENSHOTS, if set.
async function look(name) {
	for (const [size, viewport] of Object.entries(SIZES)) {
		await page.setViewportSize(viewport);
		for (const colorScheme of ["light", "dark"]) {
			await page.emulateMedia({ colorScheme });
			if (process.env.PANEL_SCREENSHOTS)
				await page.screenshot({ fullPage: true, path: join(process.env.PANEL_SCREENSHOTS, `${name}-${size}-${colorScheme}.png`) });
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} fits`);
			const found = await page.evaluate(`${AXE}; axe.run()`);
			assert.deepEqual(found.violations.map(({ id, nodes }) => [id, nodes[0].html]), [], `${name} ${size} ${colorScheme}`);
		}
	}
}

async function loggedIn(user, password = PASSWORD) {
	const visitor = new Visitor();
	assert.equal((await visitor.logIn(user, password)).status, 200);
	return visitor;
}

const status = async (visitor, ...call) => (await visitor.ask(...call)).status;

before(async () => {
	browser = await launchBrowser();
	page = await (await browser.newContext()).newPage();
	page.on("pageerror", (error) => errors.push(error.stack));
});
after(() => browser?.close());

test("the first visit: a link, a name, a password", told(here, async () => {
	const url = hifictl("panel").trim();
	await page.goto(url);
	await page.getByText("Welcome.").waitFor();
	assert.ok(!page.url().includes("link="));
	await look("first-visit");
	const form = page.locator("#first");
	await form.getByLabel("Name").fill("anna");
	await form.getByLabel("Password", { exact: true }).fill(PASSWORD);
	await form.getByLabel("Password again").fill("another one");
	await form.getByRole("button").click();
	await page.getByText("The two passwords differ.").waitFor();
	await form.getByLabel("Password again").fill(PASSWORD);
	await form.getByRole("button").click();
	await page.getByRole("heading", { name: "Nobody is here." }).waitFor();
	assert.equal(await page.locator("#who").innerText(), "anna");
	const { http_username, http_password } = config().security;
	assert.equal(http_username, "anna");
	assert.match(http_password, /^scrypt\$15\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}$/);

	await page.getByRole("button", { name: "Log out" }).click();
	await page.getByRole("heading", { name: "Log in" }).waitFor();
	await page.goto(url); // once is once
	await page.reload();
	await page.getByText("The link was used").waitFor();
	await page.locator("#login-form").getByLabel("Name").fill("anna");
	await page.locator("#login-form").getByLabel("Password").fill(PASSWORD);
	await page.keyboard.press("Enter");
	await page.getByRole("link", { name: "Accounts" }).waitFor();
	await page.getByRole("link", { name: "Accounts" }).click();
	await page.getByRole("row", { name: "anna" }).waitFor();
	await look("accounts");
	assert.deepEqual(errors, []);
}));

test("the owner makes accounts, and each role may do its part", told(here, async () => {
	const owner = await loggedIn("anna");
	assert.match(owner.setCookie, /^hifi-panel=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
	for (const role of ["viewer", "moderator"])
		assert.equal(await status(owner, "PUT", `/api/v1/users/${role}`, { role, password: PASSWORD }), 200);
	assert.equal(await status(owner, "PUT", "/api/v1/users/x", { role: "viewer", password: "short" }), 400);
	assert.equal(await status(owner, "PUT", "/api/v1/users/a:b", { role: "viewer", password: PASSWORD }), 400);
	assert.equal(await status(owner, "PUT", "/api/v1/users/anna", { role: "viewer" }), 409);
	assert.equal(await status(owner, "DELETE", "/api/v1/users/anna"), 409);

	const nobody = new Visitor();
	const viewer = await loggedIn("viewer");
	const moderator = await loggedIn("moderator");
	const kick = ["POST", "/kick", { uuid: "00000000-0000-0000-0000-000000000000" }];
	const change = ["POST", "/settings.json", { descriptors: { world_name: "Harbour" } }];
	for (const [call, ...expected] of [[["GET", "/status.json"], 200, 200, 200, 200], [kick, 401, 403, 404, 404],
		[change, 401, 403, 403, 200], [["GET", "/settings.json"], 401, 403, 403, 200],
		[["POST", "/api/v1/link"], 401, 403, 403, 403], [["GET", "/api/v1/users"], 401, 403, 403, 200]])
		assert.deepEqual([await status(nobody, ...call), await status(viewer, ...call), await status(moderator, ...call),
			await status(owner, ...call)], expected, JSON.stringify(call));
	assert.match(here.domain.server.tail(), /anna \(127\.0\.0\.1\) changed descriptors\.world_name from "" to "Harbour"/);
	const { reply } = await owner.ask("GET", "/settings.json");
	assert.ok(!JSON.stringify(reply.values).includes("scrypt"));

	// What an account may do ends with it, not with its session.
	assert.equal(await status(owner, "PUT", "/api/v1/users/moderator", { role: "viewer" }), 200);
	assert.equal(await status(moderator, ...kick), 403);
	assert.equal(await status(owner, "DELETE", "/api/v1/users/moderator"), 200);
	assert.equal(await status(moderator, ...kick), 401);
	assert.equal(await status(viewer, "POST", "/api/v1/logout"), 200);
	assert.equal((await viewer.ask("GET", "/api/v1/session")).reply.user, undefined);
}));

test("a new password ends the sessions of the old one; an old hash is made anew", told(here, async () => {
	const first = await loggedIn("anna");
	const second = await loggedIn("anna");
	assert.equal(await status(first, "PUT", "/api/v1/users/anna", { password: `${PASSWORD} two` }), 200);
	assert.equal((await second.ask("GET", "/api/v1/session")).reply.user, undefined);
	assert.equal((await first.ask("GET", "/api/v1/session")).reply.user, "anna");
	hifictl("settings", "set", "security.http_password", OLD_HASH);
	const third = await loggedIn("anna", "secret");
	assert.match(config().security.http_password, /^scrypt\$/);
	await loggedIn("anna", "secret");
	assert.equal(await status(third, "PUT", "/api/v1/users/anna", { password: PASSWORD }), 200);
}));

test("forged requests, fixed sessions and guesses are refused", told(here, async () => {
	const owner = await loggedIn("anna");
	const change = ["POST", "/settings.json", { descriptors: { world_name: "taken" } }];
	for (const headers of [{ "X-CSRF-Token": "" }, { "X-CSRF-Token": "0".repeat(64) }])
		assert.equal(await status(owner, ...change, headers), 401, JSON.stringify(headers));
	for (const headers of [{ Origin: "https://evil.example" }, { Origin: "null" }, { "Sec-Fetch-Site": "cross-site" },
		{ Origin: "http://127.0.0.1:1" }])
		assert.equal(await status(owner, ...change, headers), 403, JSON.stringify(headers));
	assert.equal(await status(owner, "GET", "/settings.json", undefined, { "X-CSRF-Token": "" }), 200);

	// A session that somebody else prepared is not the one that begins.
	const fixed = new Visitor();
	fixed.cookie = `hifi-panel=${"ab".repeat(32)}`;
	await fixed.logIn("anna", PASSWORD);
	assert.ok(!fixed.cookie.includes("abab"));
	const old = fixed.cookie;
	await fixed.logIn("anna", PASSWORD);
	const stolen = new Visitor();
	stolen.cookie = old;
	assert.equal((await stolen.ask("GET", "/api/v1/session")).reply.user, undefined);

	for (const [body, expected] of [[{}, 400], [[], 400], [{ user: 1, password: 2 }, 400], [{ user: "anna", password: "x".repeat(300) }, 400],
		[{ user: "x".repeat(64), password: "y" }, 400], [{ link: "" }, 401], [{ link: "0".repeat(64) }, 401]])
		assert.equal(await status(new Visitor(), "POST", "/api/v1/login", body), expected, JSON.stringify(body));
	assert.equal(await status(owner, "POST", "/settings.json", { descriptors: { world_name: "x".repeat(2 << 20) } }), 413);

	const name = "<img src=x onerror=alert(1)>\n\x1b[31mforged";
	assert.equal((await new Visitor().logIn(name, "guess")).status, 401);
	assert.ok(!here.domain.server.tail().includes("\x1b[31mforged"));
	let last;
	for (let i = 0; i <= FREE_TRIES; i++)
		last = await new Visitor().logIn("anna", `guess ${i}`);
	assert.equal(last.status, 429);
	assert.ok(Number(last.retryAfter) > 0);
	// Nor does the right one help before its time; a link does.
	assert.equal((await new Visitor().logIn("anna", PASSWORD)).status, 429);
	const [, link] = hifictl("panel").trim().split("link=");
	assert.equal(await status(new Visitor(), "POST", "/api/v1/login", { link }), 200);
	assert.match(here.domain.server.tail(), /a log-in of anna \(127\.0\.0\.1\) failed/);
}));
