// A whole domain of freshly built servers in a data folder and on ports of its own.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { childrenOf, Daemon } from "./daemon.mjs";
import { freeOffset, pidOfUdpPort, portsOf } from "./ports.mjs";
import { until } from "./wait.mjs";

const BUILD = resolve(process.env.TOP_BUILDDIR ?? fileURLToPath(new URL("../../../build", import.meta.url)));
// The programs are not installed: what would be in the data directory is still in the source tree.
// AddressSanitizer, where it is in them, keeps 256 MB of what was freed; that would hide whether memory grows.
const ENV = {
	HIFI_DATADIR: fileURLToPath(new URL("../../../etc", import.meta.url)),
	ASAN_OPTIONS: "quarantine_size_mb=1:thread_local_quarantine_size_kb=64",
};
const READY_MS = 10000;

export const HATS = { audio: 0, avatar: 1, messages: 4, entity: 6 };
// Fetches a URL and prints the answer; for domains whose loopback is not ours.
const FETCH = "fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t))";

export const program = (name) => join(BUILD, name);

export class Domain {
	// config: contents of domain.json. host: the address clients use. prefix: command to run all under.
	// monitor: one assignment-client that keeps a child for each hat, instead of one process a hat.
	// keeper: each process under a service manager (tests/e2e/keeper.c), which starts it again when it is killed.
	// entities: contents of models.json.gz.
	static async start({ config = {}, entities = null, hats = Object.keys(HATS), host = "127.0.0.1", monitor = false,
		keeper = false, prefix = [] } = {}) {
		const domain = new Domain(await freeOffset(), host, prefix);
		domain.keeper = keeper;
		try {
			domain.writeConfig(config);
			if (entities)
				domain.writeEntities(entities);
			domain.startServer();
			await domain.answers();
			if (monitor)
				domain.startMonitor(hats.length);
			else
				hats.forEach((hat) => domain.startHat(hat));
			await domain.ready(hats);
		} catch (error) {
			await domain.kill();
			throw new Error(`${error.message}\n${domain.logs()}`);
		}
		return domain;
	}

	constructor(offset, host, prefix) {
		this.offset = offset;
		this.ports = portsOf(offset);
		this.host = host;
		this.prefix = prefix;
		this.data = mkdtempSync(join(tmpdir(), "hifi-e2e-"));
		this.hats = {};
	}

	get url() {
		return `ws://${this.host}:${this.ports.domain}`;
	}

	get adminSocket() {
		return join(this.data, "admin.sock");
	}

	writeConfig(config) {
		writeFileSync(join(this.data, "domain.json"), JSON.stringify(config, null, "\t"));
	}

	writeEntities(entities) {
		mkdirSync(join(this.data, "entities"), { recursive: true });
		writeFileSync(join(this.data, "entities", "models.json.gz"), gzipSync(JSON.stringify(entities)));
	}

	// sockets: options of the keeper.
	#start(name, file, args, sockets = []) {
		const where = ["--port-base", String(this.offset), "--data", this.data];
		const prefix = this.keeper ? [...this.prefix, program("keeper"), ...sockets] : this.prefix;
		return new Daemon(name, program(file), [...args, ...where], { env: ENV, prefix });
	}

	startServer() {
		this.server = this.#start("domain-server", "domain-server", ["--admin-socket", this.adminSocket],
			["--udp", `domain:${this.ports.domain}`]);
	}

	// Ends the process that a keeper keeps: "domain-server" or a hat.
	async killKept(name, signal = "SIGKILL") {
		const keeper = name === "domain-server" ? this.server : this.hats[name];
		const [pid] = await until(`${name} runs`, () => {
			const children = childrenOf(keeper.pid);
			return children.length > 0 && children;
		});
		process.kill(pid, signal);
		await until(`${name} is dead`, () => !childrenOf(keeper.pid).includes(pid), { pollMs: 1 });
	}

	startHat(hat) {
		this.hats[hat] = this.#start(hat, "assignment-client", ["-t", hat]);
	}

	startMonitor(children) {
		this.hats.monitor = this.#start("monitor", "assignment-client", ["-n", String(children)]);
	}

	get daemons() {
		return [this.server, ...Object.values(this.hats)].filter(Boolean);
	}

	async get(path) {
		const url = `http://127.0.0.1:${this.ports.http}${path}`;
		if (this.prefix.length > 0) {
			const [command, ...args] = [...this.prefix, process.execPath, "-e", FETCH, url];
			return JSON.parse((await promisify(execFile)(command, args)).stdout);
		}
		const response = await fetch(url);
		if (!response.ok)
			throw new Error(`${path}: status ${response.status}`);
		return response.json();
	}

	status() {
		return this.get("/status.json");
	}

	// The domain-server's answer to an HTTP request is its sign of being up.
	async answers() {
		await until("domain-server answers", () => this.#statusUnlessDead(), { deadlineMs: READY_MS });
	}

	async #statusUnlessDead() {
		const dead = this.daemons.find((daemon) => !daemon.isRunning());
		if (dead)
			throw new Error(`${dead.name} ended: ${JSON.stringify(dead.result)}`);
		return this.status().catch(() => null);
	}

	async mixer(hat) {
		return (await this.status()).mixers.find((mixer) => mixer.hat === hat);
	}

	async pidOf(hat) {
		return pidOfUdpPort(Number((await this.mixer(hat)).address.split(":").at(-1)));
	}

	async people() {
		return (await this.status()).people;
	}

	// A client can use them all.
	async ready(hats = Object.keys(HATS), { deadlineMs = READY_MS } = {}) {
		const missing = async () => {
			const mixers = (await this.#statusUnlessDead())?.mixers ?? [];
			return hats.filter((hat) => !mixers.some((mixer) => mixer.hat === hat && mixer.takes_web_clients));
		};
		await until(`${hats.join(", ")} connected`, async () => (await missing()).length === 0,
			{ deadlineMs, describe: async () => `missing ${await missing()}` });
	}

	// Nobody is inside: each client has been let go by the domain-server.
	async empty({ deadlineMs = 3000 } = {}) {
		await until("nobody inside", async () => (await this.people()).length === 0,
			{ deadlineMs, describe: async () => JSON.stringify(await this.people()) });
	}

	pssKb() {
		return Object.fromEntries(this.daemons.map((daemon) => [daemon.name, daemon.pssKb()]));
	}

	logs() {
		return this.daemons.map((daemon) => `--- ${daemon.name}\n${daemon.tail()}`).join("\n");
	}

	// Hats first, as a service manager would; each must end by itself with status 0.
	async stop() {
		try {
			await Promise.all(Object.values(this.hats).map((daemon) => daemon.stop()));
			await this.server.stop();
		} finally {
			await this.kill();
		}
	}

	async kill() {
		await Promise.all(this.daemons.filter((daemon) => daemon.isRunning()).map((daemon) => daemon.kill()));
		rmSync(this.data, { force: true, recursive: true });
	}
}
