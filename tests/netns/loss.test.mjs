// Web SDK clients over a bad network: everything reliable arrives once and intact, and nothing stalls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Daemon } from "../e2e/lib/daemon.mjs";
import { Domain } from "../e2e/lib/domain.mjs";
import { rounded } from "../e2e/lib/fixture.mjs";
import { openLink } from "./link.mjs";
import { fileURLToPath } from "node:url";
import { withDeadline } from "../e2e/lib/wait.mjs";

const PEOPLE = fileURLToPath(new URL("people.mjs", import.meta.url));
const MESSAGES = 50;
const RUN_MS = 150000;

// The bound on a chat of 2 × 50 messages of 3,000 characters, for each network.
const NETWORKS = [
	{ chatMs: 5000, faults: { loss: 0 } },
	{ chatMs: 15000, faults: { loss: 1 } },
	{ chatMs: 30000, faults: { delay: 20, jitter: 10, loss: 5 } },
	{ chatMs: 60000, faults: { delay: 20, loss: 20 } },
	{ chatMs: 30000, faults: { delay: 150, duplicate: 5, jitter: 50, loss: 1, reorder: 5 } },
];

// Everybody comes from another host here, so the domain's own defaults apply to them.
async function withDomain(link, body) {
	const domain = await Domain.start({ host: link.server.address, prefix: link.server.prefix });
	try {
		await body(domain);
		await domain.stop();
	} catch (error) {
		error.message += `\n${domain.logs()}`;
		throw error;
	} finally {
		await domain.kill();
	}
}

for (const { chatMs, faults } of NETWORKS) {
	const label = Object.entries(faults).map(([name, value]) => `${name} ${value}`).join(", ");

	test(`two people over a network with ${label}`, async (t) => {
		const link = await openLink(faults);
		try {
			await withDomain(link, async (domain) => {
				const people = new Daemon("people", process.execPath, [PEOPLE, domain.url, String(MESSAGES)],
					{ prefix: link.client.prefix });
				await withDeadline("people", people.exited, RUN_MS);
				const result = JSON.parse(people.lines.find((line) => line.startsWith("{")) ?? "{}");
				assert.equal(result.failure, undefined, people.tail());
				assert.deepEqual(result.chat.distinct, [MESSAGES, MESSAGES], "each message arrives intact");
				assert.deepEqual(result.chat.times, [MESSAGES, MESSAGES], "and once");
				assert.ok(result.chat.tookMs < chatMs, `chat took ${rounded(result.chat.tookMs)} ms`);
				assert.deepEqual(result.errors, []);
				t.diagnostic(`${link.kind}, ${label}: inside after ${result.enterMs.map((ms) => rounded(ms)).join(" and ")} ms, ` +
					`${2 * MESSAGES} messages of 3,000 characters in ${rounded(result.chat.tookMs)} ms, ` +
					`a move seen after ${rounded(result.moveMs)} ms`);
			});
		} finally {
			await link.close();
		}
	});
}
