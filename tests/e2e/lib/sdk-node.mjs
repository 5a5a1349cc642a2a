// The published Web SDK under node: the browser globals it asks for, and its modules as it was built.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import wrtc from "@roamhq/wrtc";
import WebSocket from "ws";
import { AudioContext, AudioWorkletNode, MediaStream } from "./web-audio-node.mjs";

const BUNDLE = fileURLToPath(new URL("../node_modules/@vircadia/web-sdk/dist/Vircadia.js", import.meta.url));
// The bundle keeps its modules to itself; the low-level suites (02 §17) test some of them alone.
const INTERNALS = "\nexport const internal = (name) => __webpack_require__(`./src/domain/${name}.ts`);\n";
const LOG_LINES_KEPT = 400;

// The HTTP library inside the SDK asks an anchor element for the parts of the page's address.
const anchor = () => ({
	hash: "",
	host: "localhost",
	hostname: "localhost",
	pathname: "/",
	port: "",
	protocol: "http:",
	search: "",
	setAttribute() {},
});

// Certificates (PEM) of those whose word a person takes for who a server is.
let authorities;
export function trust(pems) {
	authorities = pems;
}

// A browser's socket that is closed or refused early tells its listeners, if it has any; ws wants one.
class BrowserSocket extends WebSocket {
	constructor(url) {
		super(url, { ca: authorities });
		this.on("error", () => {});
	}
}

// In a browser a channel closes and tells of it in one step. Here another thread closes it first: a send before
// its event comes then throws, or with bad luck crashes, where a browser's would go into the void.
const sendOrThrow = wrtc.RTCDataChannel.prototype.send;
wrtc.RTCDataChannel.prototype.send = function send(data) {
	if (this.readyState === "closing" || this.readyState === "closed")
		return;
	try {
		sendOrThrow.call(this, data);
	} catch (error) {
		if (error.name !== "InvalidStateError" || this.readyState === "connecting")
			throw error;
	}
};

// No directory service can be reached, so the upload of a public key that the SDK starts by itself fails.
class UnreachableRequest {
	open() {}

	setRequestHeader() {}

	send() {
		setTimeout(() => this.onerror?.(), 0);
	}

	abort() {}
}

const GLOBALS = {
	AudioContext,
	AudioWorkletNode,
	MediaStream,
	RTCIceCandidate: wrtc.RTCIceCandidate,
	RTCPeerConnection: wrtc.RTCPeerConnection,
	RTCSessionDescription: wrtc.RTCSessionDescription,
	WebSocket: BrowserSocket,
	XMLHttpRequest: UnreachableRequest,
	crypto: webcrypto,
	document: {
		baseURI: "http://localhost/",
		cookie: "",
		createElement: anchor,
		currentScript: null,
		getElementsByTagName: () => [],
	},
	location: { hostname: "localhost", href: "http://localhost/", protocol: "http:" },
	navigator: { userAgent: "node" },
	self: globalThis,
	window: globalThis,
};

// What the SDK said: it logs a lot, so it goes to memory, to be shown when a test fails.
export const sdkLog = [];
// console.error calls: a correct server causes none (02 §17).
export const sdkErrors = [];

function keep(level, words) {
	const line = `${level}: ${words.map((word) => word?.stack ?? String(word)).join(" ")}`;
	sdkLog.push(line);
	if (sdkLog.length > LOG_LINES_KEPT)
		sdkLog.shift();
	if (level === "error")
		sdkErrors.push(line);
}

function install() {
	for (const [name, value] of Object.entries(GLOBALS))
		Object.defineProperty(globalThis, name, { configurable: true, value, writable: true });
	for (const level of ["debug", "log", "info", "warn", "error"])
		console[level] = (...words) => keep(level, words);
}

let bundle = null;
let directory = null;
let copies = 0;

// A fresh instance of the SDK. Each has a machine fingerprint of its own, as each browser profile has.
// edit may change the bundle's text first, to play a client that the SDK cannot be asked to be.
export async function loadSdk(edit = (text) => text) {
	if (!directory) {
		install();
		bundle = readFileSync(BUNDLE, "utf8") + INTERNALS;
		directory = mkdtempSync(join(tmpdir(), "hifi-sdk-"));
		process.on("exit", () => rmSync(directory, { force: true, recursive: true }));
	}
	// .mjs because the package does not say that it is a module, and node 18 does not guess.
	const file = join(directory, `sdk-${copies++}.mjs`);
	writeFileSync(file, edit(bundle));
	return import(pathToFileURL(file).href);
}
