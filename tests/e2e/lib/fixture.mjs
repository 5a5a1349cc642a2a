// What the test files share: a world for the length of a file, people who come and go in it.
import { after, before, beforeEach } from "node:test";
import { Client } from "./client.mjs";
import { Domain } from "./domain.mjs";
import { loadSdk, sdkErrors, sdkLog } from "./sdk-node.mjs";

// WebRTC under node keeps threads alive after the last test, which would keep the file's process too.
const LINGER_MS = 500;

export const newPerson = async (name) => new Client(await loadSdk(), { name });

// A domain for the tests of one file; what it wrote is shown when one of them failed.
export function world(options) {
	const here = { domain: null };

	before(async () => {
		here.domain = await Domain.start(options);
	});
	after(async () => {
		try {
			await here.domain?.stop();
		} finally {
			setTimeout(() => process.exit(), LINGER_MS).unref();
		}
	});
	return here;
}

// Runs one test's body; when it fails, the error also tells what the servers and the SDK said.
export const told = (here, body) => async (t) => {
	try {
		await body(t);
	} catch (error) {
		error.message += `\n${here.domain?.logs() ?? ""}\n--- SDK\n${sdkLog.slice(-60).join("\n")}`;
		throw error;
	}
};

// console.error calls of the SDK since the last test began.
export function watchErrors() {
	beforeEach(() => {
		sdkErrors.length = 0;
	});
	return sdkErrors;
}

export const rounded = (value, digits = 0) => Number(value.toFixed(digits));
