// The program of the same name: signalling by lines of JSON, events as they happen.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BUILD = process.env.TOP_BUILDDIR ?? fileURLToPath(new URL("../../../build", import.meta.url));

let nextLabel = 1000;

export class Server {
	#waiting = [];
	#lines = [];

	constructor(t, lossPercent = 0) {
		this.child = spawn(`${BUILD}/channel-server`, [String(lossPercent)], { stdio: ["pipe", "pipe", "inherit"] });
		this.exited = new Promise((resolve) => this.child.on("close", resolve));
		createInterface({ input: this.child.stdout }).on("line", (line) => this.#take(JSON.parse(line)));
		t.after(() => this.stop());
	}

	#take(message) {
		const index = this.#waiting.findIndex(({ matches }) => matches(message));
		if (index < 0)
			this.#lines.push(message);
		else
			this.#waiting.splice(index, 1)[0].resolve(message);
	}

	say(object) {
		this.child.stdin.write(JSON.stringify(object) + "\n");
	}

	hears(matches) {
		const index = this.#lines.findIndex(matches);
		if (index >= 0)
			return Promise.resolve(this.#lines.splice(index, 1)[0]);
		return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
	}

	// The answer to one client's offer, each client under a label of its own.
	async answer(offer) {
		const label = `192.0.2.1:${nextLabel++}`;
		this.say({ to: "m", from: label, data: { description: { type: offer.type, sdp: offer.sdp } } });
		const answer = await this.hears((message) => message.to === label);
		assert.equal(answer.from, "m");
		return answer.data.description;
	}

	event(name) {
		return this.hears((message) => message.event === name);
	}

	async stop() {
		this.child.stdin.end();
		assert.equal(await this.exited, 0, "channel-server ends cleanly");
	}
}
