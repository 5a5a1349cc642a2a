// Waiting for an event with a deadline: the only way a test here lets time pass.
import { monotonicMs } from "./clock.mjs";

const POLL_MS = 4;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Resolves with the first truthy value of probe(), which may be asynchronous; rejects after deadlineMs,
// saying what was awaited and what describe() tells of the state then.
export async function until(what, probe, { deadlineMs = 5000, describe, pollMs = POLL_MS } = {}) {
	const end = monotonicMs() + deadlineMs;
	for (;;) {
		const value = await probe();
		if (value)
			return value;
		if (monotonicMs() > end) {
			const state = describe ? `; now: ${await describe()}` : "";
			throw new Error(`${what}: not within ${deadlineMs} ms${state}`);
		}
		await pause(pollMs);
	}
}

// Watches for longMs that nothing happens: rejects as soon as probe() is truthy.
export async function never(what, probe, longMs) {
	const end = monotonicMs() + longMs;
	while (monotonicMs() < end) {
		if (await probe())
			throw new Error(`${what}: happened`);
		await pause(POLL_MS);
	}
}

export function withDeadline(what, promise, deadlineMs) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what}: not within ${deadlineMs} ms`)), deadlineMs);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
