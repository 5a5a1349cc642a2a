// Two network namespaces with a bad wire between them: netem where the kernel has it, else lossy-link.
import { execFileSync } from "node:child_process";
import { Daemon } from "../e2e/lib/daemon.mjs";
import { program } from "../e2e/lib/domain.mjs";

const ADDRESSES = ["10.99.0.1", "10.99.0.2"];

const run = (...words) => execFileSync(words[0], words.slice(1), { stdio: ["ignore", "pipe", "pipe"] });

function tryRun(...words) {
	try {
		run(...words);
		return true;
	} catch {
		return false;
	}
}

const netemOptions = ({ loss = 0, delay = 0, jitter = 0, duplicate = 0, reorder = 0 }) => {
	const options = ["loss", `${loss}%`, "duplicate", `${duplicate}%`];
	if (delay > 0)
		options.push("delay", `${delay}ms`, `${jitter}ms`);
	if (delay > 0 && reorder > 0)
		options.push("reorder", `${reorder}%`);
	return options;
};

function withNetem(namespaces, faults) {
	run("ip", "-n", namespaces[0], "link", "add", "link0", "type", "veth", "peer", "name", "link0", "netns", namespaces[1]);
	for (const namespace of namespaces)
		run("tc", "-n", namespace, "qdisc", "add", "dev", "link0", "root", "netem", ...netemOptions(faults));
}

const hasNetem = (namespace) =>
	tryRun("tc", "-n", namespace, "qdisc", "add", "dev", "lo", "root", "netem", "loss", "0%") &&
	tryRun("tc", "-n", namespace, "qdisc", "del", "dev", "lo", "root");

async function withLossyLink(namespaces, faults) {
	const options = Object.entries(faults).flatMap(([name, value]) => [`--${name}`, String(value)]);
	const daemon = new Daemon("lossy-link", program("lossy-link"), [...namespaces, ...options]);
	await daemon.says(/^ready$/);
	return daemon;
}

// faults: loss, duplicate and reorder in percent, delay and jitter in milliseconds, each way.
// Returns where the server and the clients are to run: { kind, server, client }, each of the two with the
// prefix of its commands and its address; close() takes everything down.
export async function openLink(faults) {
	const namespaces = ["server", "client"].map((side) => `hifi-${side}-${process.pid}`);
	let daemon = null;

	const close = async () => {
		await daemon?.stop();
		for (const namespace of namespaces)
			tryRun("ip", "netns", "del", namespace);
	};

	try {
		for (const namespace of namespaces)
			run("ip", "netns", "add", namespace);
		const kind = hasNetem(namespaces[0]) ? "netem" : "lossy-link";
		if (kind === "netem")
			withNetem(namespaces, faults);
		else
			daemon = await withLossyLink(namespaces, faults);
		namespaces.forEach((namespace, i) => {
			run("ip", "-n", namespace, "addr", "add", `${ADDRESSES[i]}/24`, "dev", "link0");
			run("ip", "-n", namespace, "link", "set", "link0", "up");
			run("ip", "-n", namespace, "link", "set", "lo", "up");
		});
		const [server, client] = namespaces.map((namespace, i) =>
			({ address: ADDRESSES[i], prefix: ["ip", "netns", "exec", namespace] }));
		return { client, close, kind, server };
	} catch (error) {
		await close();
		throw error;
	}
}
