// Port numbers for a domain under test, and what a process listens on.
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

// How far the servers can move the ports of their table.
const LAST_OFFSET = 17000;
const STEP = 20;

// The port table (docs/architecture.md), moved by an offset; a hat's number is its assignment type.
export function portsOf(offset) {
	return { domain: 40102 + offset, hat: (number) => 48000 + offset + number, http: 40100 + offset, https: 40101 + offset,
		metrics: 9703 + offset };
}

const closing = (socket, resolve, free) => () => socket.close(() => resolve(free));

function isTcpFree(port) {
	return new Promise((resolve) => {
		const server = createServer();
		server.once("error", () => resolve(false));
		server.listen(port, "127.0.0.1", closing(server, resolve, true));
	});
}

function isUdpFree(port) {
	return new Promise((resolve) => {
		const socket = createSocket("udp4");
		socket.once("error", () => resolve(false));
		socket.bind(port, "127.0.0.1", closing(socket, resolve, true));
	});
}

export async function freeOffset() {
	for (let i = 0; i < 50; i++) {
		const offset = STEP * Math.ceil(Math.random() * LAST_OFFSET / STEP);
		const ports = portsOf(offset);
		const udp = [ports.domain, ...Array.from({ length: 13 }, (_, n) => ports.hat(n))];
		const free = await Promise.all([isTcpFree(ports.http), isTcpFree(ports.domain), ...udp.map(isUdpFree)]);
		if (free.every(Boolean))
			return offset;
	}
	throw new Error("no free range of ports");
}

// What a process receives on, as `ss` tells: listening TCP and every UDP socket, "PROTO ADDRESS:PORT" each,
// sorted. prefix: a command to run ss under.
export function receivesOn(pid, prefix = []) {
	const [command, ...args] = [...prefix, "ss", "-Htunap"];
	return execFileSync(command, args, { encoding: "utf8" }).split("\n")
		.filter((line) => line.includes(`pid=${pid},`))
		.map((line) => line.split(/\s+/))
		.filter(([proto, state]) => proto === "udp" || state === "LISTEN")
		.map(([proto, , , , local]) => `${proto} ${local}`)
		.sort();
}

// The process that has a UDP port.
export function pidOfUdpPort(port) {
	const line = execFileSync("ss", ["-Hunap", `sport = :${port}`], { encoding: "utf8" });
	return Number(/pid=(\d+),/.exec(line)?.[1] ?? 0);
}
