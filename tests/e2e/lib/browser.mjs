// Chromium with the page of a person in it, each person in a browser profile of its own.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDERS = {
	"/lib/": join(ROOT, "lib"),
	"/page/": join(ROOT, "page"),
	"/sdk/": join(ROOT, "node_modules/@vircadia/web-sdk/dist"),
};
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };
const FLAGS = [
	"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
];

function fileFor(path) {
	if (path === "/")
		return join(ROOT, "page/index.html");
	const folder = Object.keys(FOLDERS).find((prefix) => path.startsWith(prefix));
	return folder && join(FOLDERS[folder], normalize(path.slice(folder.length - 1)));
}

// Serves the page and the SDK; anything else, such as the SDK's upload of a public key, gets an empty object.
async function serve(request, response) {
	const file = request.method === "GET" && fileFor(new URL(request.url, "http://localhost").pathname);
	try {
		if (!file)
			throw new Error("no such file");
		const body = await readFile(file);
		response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
		response.end(body);
	} catch {
		response.writeHead(request.method === "GET" ? 404 : 200, { "Content-Type": "application/json" });
		response.end("{}");
	}
}

export const launchBrowser = () =>
	chromium.launch({ args: FLAGS, executablePath: "/usr/bin/chromium", headless: true });

export async function openBrowser() {
	const server = createServer(serve);
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const browser = await launchBrowser();
	const url = `http://localhost:${server.address().port}/`;

	return {
		// A new person's page, with the errors its console showed.
		async person(name) {
			const context = await browser.newContext();
			const page = await context.newPage();
			const errors = [];
			const log = [];
			page.on("console", (message) => {
				log.push(message.text());
				if (message.type() === "error")
					errors.push(message.text());
			});
			page.on("pageerror", (error) => errors.push(error.stack));
			await page.goto(url);
			await page.waitForFunction(() => globalThis.startPerson);
			await page.evaluate((options) => globalThis.startPerson(options), { name });
			return { context, errors, log, page };
		},
		async close() {
			await browser.close();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

// Left and right samples out of what record() in the page returns.
export function decodeRecording(text) {
	const bytes = Buffer.from(text, "base64");
	const frames = bytes.length / 4;
	const left = new Float32Array(frames);
	const right = new Float32Array(frames);
	for (let i = 0; i < frames; i++) {
		left[i] = bytes.readInt16LE(4 * i) / 32768;
		right[i] = bytes.readInt16LE(4 * i + 2) / 32768;
	}
	return { left, right };
}
