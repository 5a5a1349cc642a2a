// A server process under test: started, listened to, measured, and stopped by its pid.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { monotonicMs } from "./clock.mjs";
import { until, withDeadline } from "./wait.mjs";

const STOP_MS = 5000;
const LINES_KEPT = 2000;

export class Daemon {
	lines = [];
	#partial = "";

	// prefix: a command to run it under, such as ["ip", "netns", "exec", NAME].
	constructor(name, file, args, { env = {}, prefix = [] } = {}) {
		this.name = name;
		const [command, ...rest] = [...prefix, file, ...args];
		this.startedAt = monotonicMs();
		this.child = spawn(command, rest, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.setEncoding("utf8").on("data", (text) => this.#take(text));
		this.exited = new Promise((resolve, reject) => {
			this.child.on("error", reject);
			this.child.on("close", (code, signal) => resolve({ code, signal }));
		});
		this.exited.then((result) => { this.result = result; }, (error) => { this.result = { error }; });
	}

	#take(text) {
		const lines = (this.#partial + text).split("\n");
		this.#partial = lines.pop();
		this.lines.push(...lines);
		this.lines.splice(0, this.lines.length - LINES_KEPT);
	}

	get pid() {
		return this.child.pid;
	}

	isRunning() {
		return this.result === undefined;
	}

	async says(pattern, { deadlineMs = 5000 } = {}) {
		const find = () => this.lines.find((line) => pattern.test(line));
		await until(`${this.name} says ${pattern}`, () => find() || !this.isRunning(),
			{ deadlineMs, describe: () => this.tail() });
		if (!find())
			throw new Error(`${this.name} ended before it said ${pattern}:\n${this.tail()}`);
		return find();
	}

	tail(count = 40) {
		return this.lines.slice(-count).join("\n");
	}

	// SIGTERM; the daemon must end by itself, with exit status 0.
	async stop() {
		if (this.isRunning())
			this.child.kill("SIGTERM");
		let result;
		try {
			result = await withDeadline(`${this.name} ends after SIGTERM`, this.exited, STOP_MS);
		} catch (error) {
			this.child.kill("SIGKILL");
			throw new Error(`${error.message}\n${this.tail()}`);
		}
		if (result.code !== 0)
			throw new Error(`${this.name} ended with ${result.code ?? result.signal}:\n${this.tail()}`);
	}

	async kill() {
		this.child.kill("SIGKILL");
		await this.exited;
	}

	// Proportional set size in kB.
	pssKb() {
		return pssKbOf(this.pid);
	}
}

export function pssKbOf(pid) {
	return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);
}

// Pids of the children of a process, by /proc.
export function childrenOf(pid) {
	return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}
