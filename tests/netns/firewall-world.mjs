// A host with hifi-firewall and servers on every port, and a host of clients, in two network namespaces.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Daemon } from "../e2e/lib/daemon.mjs";
import { program } from "../e2e/lib/domain.mjs";
import { until } from "../e2e/lib/wait.mjs";

const execFileAsync = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const HOST = "10.98.0.1";
export const HOST_6 = "fd98::1";
// Addresses of the clients' host: two sources, and of IPv6 two in one /64 and one in another.
export const ALICE = "10.98.0.2";
export const BOB = "10.98.0.3";
export const ALICE_6 = "fd98::2";
export const NEIGHBOUR_6 = "fd98::3";
export const BOB_6 = "fd98:0:0:1::2";

// The port table (docs/architecture.md), by who may reach it.
export const DEFAULT = ["udp:40102", "tcp:40102", "udp:48000", "udp:48001", "udp:48004", "udp:48006"];
export const ADMIN = ["tcp:40100", "tcp:40101", "tcp:9703"];
export const OTHER_HATS = ["udp:48002", "udp:48003", "udp:48005", "udp:48010", "udp:48011", "udp:48012"];
export const OURS = [...DEFAULT, ...ADMIN, ...OTHER_HATS];
// Of other services on the same host.
export const THEIRS = ["udp:5000", "tcp:5001", "tcp:48000", "udp:40100", "tcp:22"];
export const EVERYTHING = [...OURS, ...THEIRS];

const run = (...words) => execFileSync(words[0], words.slice(1), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

function tryRun(...words) {
	try {
		return run(...words);
	} catch {
		return null;
	}
}

// Why these tests cannot run here, or null.
export function missing() {
	const probe = `hifi-probe-${process.pid}`;
	if (tryRun("ip", "netns", "add", probe) === null)
		return "no right to make network namespaces (root has it)";
	const listing = tryRun("ip", "netns", "exec", probe, "nft", "list", "ruleset");
	run("ip", "netns", "del", probe);
	return listing === null ? "no nftables" : null;
}

export class World {
	server = `hifi-host-${process.pid}`;
	clients = `hifi-clients-${process.pid}`;
	folder = mkdtempSync(join(tmpdir(), "hifi-firewall-"));

	static async make() {
		const world = new World();
		try {
			world.#connect();
			world.echo = await world.listen(world.server, EVERYTHING);
			for (const from of [ALICE, BOB, ALICE_6, NEIGHBOUR_6, BOB_6])
				await until(`${from} is connected`, async () => (await world.reached(["udp:5000"], { from })).length > 0);
		} catch (error) {
			await world.close();
			throw error;
		}
		return world;
	}

	#connect() {
		const { server, clients } = this;
		for (const namespace of [server, clients])
			run("ip", "netns", "add", namespace);
		run("ip", "-n", server, "link", "add", "link0", "type", "veth", "peer", "name", "link0", "netns", clients);
		for (const [namespace, ...addresses] of [
			[server, `${HOST}/24`, `${HOST_6}/48`],
			[clients, `${ALICE}/24`, `${BOB}/24`, `${ALICE_6}/48`, `${NEIGHBOUR_6}/48`, `${BOB_6}/48`]]) {
			for (const address of addresses)
				run("ip", "-n", namespace, "addr", "add", address, "dev", "link0", ...(address.includes(":") ? ["nodad"] : []));
			run("ip", "-n", namespace, "link", "set", "link0", "up");
			run("ip", "-n", namespace, "link", "set", "lo", "up");
		}
	}

	async close() {
		await this.echo?.kill();
		for (const namespace of [this.server, this.clients])
			tryRun("ip", "netns", "del", namespace);
		rmSync(this.folder, { recursive: true });
	}

	async listen(namespace, ports) {
		const daemon = new Daemon("echo", process.execPath, [here("echo.mjs"), ...ports],
			{ prefix: ["ip", "netns", "exec", namespace] });
		await daemon.says(/^ready$/);
		return daemon;
	}

	// What is no file of a fixed place is none of hifi-firewall's business, so its configuration is put in that
	// place, in a mount namespace of its own. config: contents of domain.json, an object or text; absent: no file.
	// Returns { status, stdout, stderr }.
	firewall(args, { config, prefix = [] } = {}) {
		const file = join(this.folder, "domain.json");
		const place = /The configuration is\s+(\S+)\./.exec(run(program("hifi-firewall"), "--help"))[1];
		const script = 'mount -t tmpfs config "$1" && mkdir "$2" && { [ -z "$3" ] || cp "$3" "$2/domain.json"; } && ' +
			'shift 3 && exec "$@"';
		if (config !== undefined)
			writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config));
		const words = ["netns", "exec", this.server, "sh", "-c", script, "sh", dirname(dirname(place)), dirname(place),
			config === undefined ? "" : file, ...prefix, program("hifi-firewall"), ...args];
		return spawnSync("ip", words, { encoding: "utf8", env: { ...process.env, HIFI_DATADIR: here("../../etc") } });
	}

	// The counters of a port's name: { accepted, limited, refused } packets.
	counters(name) {
		const { ports } = JSON.parse(this.firewall(["status", "--json"]).stdout);
		const port = ports.find((p) => p.name === name);
		return { accepted: port.accepted.packets, limited: port.limited.packets, refused: port.refused.packets };
	}

	nft(...words) {
		return run("ip", "netns", "exec", this.server, "nft", ...words);
	}

	// All tables, with handles; and without ours.
	allTables() {
		return this.nft("-a", "list", "ruleset");
	}

	otherTables() {
		return this.allTables().replace(/^table inet hifi\S* \{[^]*?^\}\n/gm, "");
	}

	ourTable() {
		return this.nft("-t", "list", "table", "inet", "hifi");
	}

	// UDP datagrams that got as far as a socket.
	datagrams() {
		const [names, values] = this.shell("grep ^Udp: /proc/net/snmp").split("\n").map((line) => line.split(" "));
		return Number(values[names.indexOf("InDatagrams")]);
	}

	// A shell command on the host, such as check advises.
	shell(command) {
		return run("ip", "netns", "exec", this.server, "sh", "-c", command);
	}

	// Keeps a connection of that source and says "alive" at every answer.
	async hold(from, port) {
		const script = `const s = require("net").connect({ host: "${HOST}", localAddress: "${from}", port: ${port} }); ` +
			's.on("data", () => console.log("alive")); setInterval(() => s.write("x"), 20);';
		const daemon = new Daemon("hold", process.execPath, ["-e", script], { prefix: ["ip", "netns", "exec", this.clients] });
		await daemon.says(/^alive$/);
		return daemon;
	}

	// Which of the ports answer to that source.
	async reached(ports, { from = ALICE, to = from.includes(":") ? HOST_6 : HOST, namespace = this.clients } = {}) {
		const { stdout } = await execFileAsync("ip", ["netns", "exec", namespace, process.execPath, here("reach.mjs"), to,
			from, ...ports]);
		return JSON.parse(stdout);
	}

	// One datagram each from count sources, beginning with first.
	async flood(port, first, count) {
		await execFileAsync("ip", ["netns", "exec", this.clients, program("flows"), HOST, String(port), first, String(count)]);
	}

	routeSources(range) {
		run("ip", "-n", this.clients, "route", "add", "local", range, "dev", "lo");
		run("ip", "-n", this.server, "route", "add", range, "via", ALICE);
	}
}
