// hifi-firewall in the kernel: what a client on another host reaches is exactly the port table, whatever other
// tables there are, and those stay as they were.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import {
	ADMIN, ALICE, ALICE_6, BOB, BOB_6, DEFAULT, EVERYTHING, HOST, HOST_6, NEIGHBOUR_6, OTHER_HATS, OURS, THEIRS, World,
	missing,
} from "./firewall-world.mjs";
import { monotonicMs } from "../e2e/lib/clock.mjs";
import { pause, until } from "../e2e/lib/wait.mjs";

const skip = missing() ?? false;
let world = null;

before(async () => {
	world = skip ? null : await World.make();
	world?.routeSources("10.64.0.0/14");
});
after(() => world?.close());
afterEach(() => world?.nft("flush", "ruleset"));

const reachedIn = (list) => EVERYTHING.filter((port) => list.includes(port));

function start(...args) {
	const options = typeof args.at(-1) === "object" ? args.pop() : {};
	const result = world.firewall(["start", ...args], options);
	assert.equal(result.status, 0, result.stderr);
	return result;
}

// From another host, over IPv4 and IPv6: exactly these. From this host: everything.
async function assertReached(list) {
	const here = [["127.0.0.1", "127.0.0.1"], [HOST_6, HOST_6]];
	for (const from of [ALICE, ALICE_6])
		assert.deepEqual(await world.reached(EVERYTHING, { from }), reachedIn(list), `from ${from}`);
	for (const [from, to] of here)
		assert.deepEqual(await world.reached(EVERYTHING, { from, namespace: world.server, to }), EVERYTHING);
}

test("with no other table, the port table is what is reachable", { skip }, async () => {
	await assertReached(EVERYTHING);
	start();
	await assertReached([...DEFAULT, ...THEIRS]);
	assert.equal(world.firewall(["check"]).status, 0);

	start("audio", "asset");
	await assertReached(["udp:40102", "tcp:40102", "udp:48000", "udp:48003", ...THEIRS]);

	assert.equal(world.firewall(["stop"]).status, 0);
	assert.equal(world.nft("list", "ruleset"), "");
	await assertReached(EVERYTHING);
	assert.equal(world.firewall(["stop"]).status, 0, "stop twice");
});

test("counters count, and go on when the table gets new rules", { skip }, async () => {
	start();
	await world.reached(["udp:40102", "udp:48002", "tcp:40100"]);
	// SYNs are sent again, datagrams are not.
	const http = world.counters("http");
	assert.deepEqual(world.counters("domain"), { accepted: 1, limited: 0, refused: 0 });
	assert.deepEqual(world.counters("agent"), { accepted: 0, limited: 0, refused: 1 });
	assert.equal(http.accepted, 0);
	assert.ok(http.refused > 0);

	start("agent");
	await world.reached(["udp:40102", "udp:48002"]);
	assert.deepEqual(world.counters("domain"), { accepted: 2, limited: 0, refused: 0 });
	assert.deepEqual(world.counters("agent"), { accepted: 1, limited: 0, refused: 1 });
	assert.deepEqual(world.counters("http"), http);
});

const FOREIGN = {
	"that drops all": "add table inet strict; " +
		"add chain inet strict in { type filter hook input priority 0; policy drop; }; " +
		"add rule inet strict in iif lo accept; " +
		"add rule inet strict in ct state established,related accept; " +
		"add rule inet strict in ip6 nexthdr icmpv6 accept",
	"of each family that rejects at the end": "add table ip zones; add table ip6 zones; " +
		["ip", "ip6"].map((family) => `add chain ${family} zones lan; ` +
			`add chain ${family} zones in { type filter hook input priority filter + 10; policy accept; }; ` +
			`add rule ${family} zones in iifname lo accept; ` +
			`add rule ${family} zones in ct state vmap { established : accept, related : accept, invalid : drop }; ` +
			(family === "ip6" ? "add rule ip6 zones in meta l4proto ipv6-icmp accept; " : "") +
			`add rule ${family} zones in iifname { "link1", "link2" } accept; ` +
			`add rule ${family} zones in goto lan; ` +
			`add rule ${family} zones lan tcp dport 22 accept; ` +
			`add rule ${family} zones lan reject`).join("; "),
};

for (const [name, script] of Object.entries(FOREIGN))
	test(`a table ${name}: check says what opens it, and then the port table is reachable`, { skip }, async () => {
		world.nft(script);
		const before = world.allTables();
		const warnings = start().stderr;
		assert.equal(world.otherTables(), before, "start leaves it alone");
		assert.match(warnings, /drops what comes to udp 40102, 48000, 48001, 48004, 48006 and tcp 40102/);
		const closed = await world.reached(OURS);
		assert.deepEqual(closed, []);

		const { status, stdout } = world.firewall(["check", "--json"]);
		assert.equal(status, 1);
		assert.equal(world.otherTables(), before, "check leaves it alone");
		for (const blocker of JSON.parse(stdout))
			for (const command of blocker.commands)
				world.shell(command);

		const opened = world.otherTables();
		assert.equal(world.firewall(["check"]).status, 0);
		assert.doesNotMatch(start().stderr, /drops/);
		for (const from of [ALICE, ALICE_6])
			assert.deepEqual(await world.reached(OURS, { from }), DEFAULT);
		assert.equal(world.firewall(["stop"]).status, 0);
		assert.equal(world.allTables(), opened, "stop removes ours and nothing else");
	});

test("a table that accepts opens nothing that is ours to close", { skip }, async () => {
	world.nft("add table inet lenient; add set inet lenient ports { type inet_service; elements = { 22, 48002 }; }; " +
		"add chain inet lenient in { type filter hook input priority -200; policy accept; }; " +
		"add rule inet lenient in udp dport 40000-50000 accept; add rule inet lenient in tcp dport { 40100, 40102 } accept");
	const before = world.allTables();
	start();
	await assertReached([...DEFAULT, ...THEIRS]);
	assert.equal(world.firewall(["check"]).status, 0);
	assert.equal(world.firewall(["stop"]).status, 0);
	assert.equal(world.allTables(), before);
});

test("start twice gives the same table, and no packet gets between", { skip }, async (t) => {
	start();
	const table = world.ourTable();
	start();
	assert.equal(world.ourTable(), table);

	const before = world.datagrams();
	let starts = 0;
	let flooding = true;
	const flood = world.flood(48002, "10.64.0.1", 100000).then(() => { flooding = false; });
	for (; flooding; starts++) {
		start();
		await new Promise((resolve) => { setImmediate(resolve); });
	}
	await flood;
	assert.ok(starts > 3, `${starts} starts`);
	assert.equal(world.datagrams(), before);
	t.diagnostic(`${starts} starts under 100000 datagrams to a closed port`);
});

test("a source is limited alone, by address and by IPv6 /64", { skip }, async () => {
	const flows = Array.from({ length: 30 }, () => "udp:40102");
	start({ config: { firewall: { new_flows_burst: 10, new_flows_per_second: 1 } } });

	const startedAt = monotonicMs();
	const alice = (await world.reached(flows, { from: ALICE })).length;
	const grown = Math.ceil((monotonicMs() - startedAt) / 1000);
	assert.ok(alice >= 10 && alice <= 10 + grown, `${alice} of 30 flows`);
	assert.deepEqual(world.counters("domain").limited, 30 - alice);
	assert.equal((await world.reached(flows.slice(0, 10), { from: BOB })).length, 10, "somebody else is not");

	const site = (await world.reached(flows, { from: ALICE_6 })).length;
	assert.ok(site >= 10 && site < 20, `${site} of 30 flows`);
	assert.ok((await world.reached(flows.slice(0, 10), { from: NEIGHBOUR_6 })).length < 10, "the same /64");
	assert.equal((await world.reached(flows.slice(0, 10), { from: BOB_6 })).length, 10);
});

test("a limited source keeps the flows it has, and gets new ones later", { skip }, async () => {
	start({ config: { firewall: { new_flows_burst: 5, new_flows_per_second: 2 } } });
	const before = world.counters("signalling").accepted;
	const asks = Array.from({ length: 20 }, () => "tcp:40102");
	assert.ok((await world.reached(asks)).length < 20);
	// More packets of flows than flows: their later packets pass.
	assert.ok(world.counters("signalling").accepted - before > 20);
	const deadline = monotonicMs() + 5000;
	while ((await world.reached(["tcp:40102"])).length === 0)
		assert.ok(monotonicMs() < deadline, "a new flow within 5 s");
});

test("a flood from invented sources neither lifts the limit nor locks out who is there", { skip }, async (t) => {
	const flows = Array.from({ length: 30 }, () => "udp:40102");
	start({ config: { firewall: { new_flows_burst: 100, new_flows_per_second: 1 } } });
	assert.deepEqual(await world.reached(["udp:40102"]), ["udp:40102"]);

	const startedAt = monotonicMs();
	await world.flood(48000, "10.64.0.1", 80000);
	const seconds = (monotonicMs() - startedAt) / 1000;
	const { accepted, limited } = world.counters("audio");
	assert.equal(accepted + limited, 80000);
	// 65536 sources and its first 1000 newcomers, then 1000 a second.
	assert.ok(accepted <= 65536 + 1000 + 1000 * seconds + 1, `${accepted} accepted in ${seconds} s`);
	assert.ok(accepted >= 65535, `${accepted} accepted`);
	t.diagnostic(`80000 sources in ${Math.round(seconds * 1000)} ms, ${accepted} new flows let in`);

	assert.equal((await world.reached(flows, { from: ALICE })).length, 30, "who was there goes on");
	const again = world.counters("domain").limited;
	assert.ok((await world.reached([...flows, ...flows, ...flows, ...flows], { from: ALICE })).length < 120);
	assert.ok(world.counters("domain").limited > again, "and is limited as before");
	assert.ok((await world.reached(flows, { from: BOB })).length > 0, "newcomers share what is left");
});

test("without a limit nothing is limited", { skip }, async () => {
	start({ config: { firewall: { new_flows_per_second: 0 } } });
	await world.reached(Array.from({ length: 600 }, () => "udp:40102"));
	// Not all get an answer: that many at once are too many for a socket's buffer.
	assert.deepEqual(world.counters("domain"), { accepted: 600, limited: 0, refused: 0 });
});

test("another limit takes effect on a table that is there", { skip }, async () => {
	const flows = Array.from({ length: 30 }, () => "udp:40102");
	const limits = [{ new_flows_burst: 5, new_flows_per_second: 1 }, { new_flows_per_second: 0 },
		{ new_flows_burst: 5, new_flows_per_second: 1 }, { new_flows_burst: 40, new_flows_per_second: 1 }];
	for (const firewall of limits) {
		start({ config: { firewall: { ...firewall, admin_subnets: ["10.98.0.0/24"] } } });
		const { length } = await world.reached(flows);
		assert.equal(length < 30, firewall.new_flows_burst === 5, `${length} of 30 flows with ${JSON.stringify(firewall)}`);
	}
});

test("administrators' subnets reach the panel and the metrics, until they are taken away", { skip }, async () => {
	const config = { firewall: { admin_subnets: ["10.98.0.3", "10.98.0.3/32", "192.0.2.0/24", `${BOB_6}/64`] } };
	start({ config });
	for (const from of [BOB, BOB_6])
		assert.deepEqual(await world.reached(OURS, { from }), OURS.filter((port) => !OTHER_HATS.includes(port)));
	for (const from of [ALICE, ALICE_6])
		assert.deepEqual(await world.reached(ADMIN, { from }), []);

	const panel = await world.hold(BOB, 40100);
	try {
		start();
		await until("a connection that was let in is silent", async () => {
			const before = panel.lines.length;
			await pause(500);
			return panel.lines.length === before;
		});
	} finally {
		await panel.kill();
	}
	start({ config: { firewall: { admin_subnets: ["0.0.0.0/0", "::/0", "10.0.0.0/8"] } } });
	for (const from of [ALICE, ALICE_6])
		assert.deepEqual(await world.reached(ADMIN, { from }), ADMIN);
});

test("answers to connections of the host itself come back, also to closed ports", { skip }, async () => {
	const server = await world.listen(world.clients, ["udp:6000"]);
	start();
	// Local ports of ours, as the kernel may pick them.
	const ask = `const s = require("dgram").createSocket("udp4"); setTimeout(() => process.exit(1), 2000); ` +
		`s.on("message", () => process.exit(0)); s.bind(PORT, () => s.send("x", 6000, "${ALICE}"));`;
	await world.echo.kill();
	try {
		for (const port of [48002, 40101])
			world.shell(`'${process.execPath}' -e '${ask.replace("PORT", port)}'`);
	} finally {
		await server.kill();
		world.echo = await world.listen(world.server, EVERYTHING);
	}
});

test("the configuration moves ports and switches the table off", { skip }, async () => {
	start({ config: { http: { port: 5001 }, metaverse: { local_port: 5000 } } });
	await assertReached([...DEFAULT.filter((port) => port !== "udp:40102"), "udp:5000", "udp:40102", "tcp:40100",
		...THEIRS.filter((port) => port !== "tcp:5001")]);
	start({ config: { firewall: { enabled: false } } });
	assert.equal(world.nft("list", "ruleset"), "");
	await assertReached(EVERYTHING);
});

test("domains with a port base have tables of their own", { skip }, async () => {
	start();
	start("--port-base", "100");
	assert.match(world.nft("list", "tables"), /^table inet hifi\ntable inet hifi-100\n$/m);
	assert.equal(world.firewall(["stop"]).status, 0);
	assert.equal(world.nft("list", "tables"), "table inet hifi-100\n");
	await assertReached(EVERYTHING);
});

test("a broken configuration: what is loaded stays, else the defaults are loaded", { skip }, async () => {
	const broken = { config: '{ "firewall": { "admin_subnets": ["0.0.0.0/0"],\n "new_flows_burst": "many" } }' };
	const first = world.firewall(["start"], broken);
	assert.equal(first.status, 78);
	assert.match(first.stderr, /domain\.json:2:\d+: firewall\.new_flows_burst: expected/);
	await assertReached([...DEFAULT, ...THEIRS]);

	start("asset");
	const table = world.ourTable();
	for (const config of [broken.config, "{", '{ "http": { "port": 40102 } }']) {
		const result = world.firewall(["start"], { config });
		assert.equal(result.status, 78);
		assert.match(result.stderr, /stay as they are/);
		assert.equal(world.ourTable(), table);
	}
});

test("what it does not take, and what it cannot do without", { skip }, () => {
	for (const words of [["start", "telnet"], ["start", "--hats", "audio;drop"], ["start", "--config", "/x"], ["open"], []]) {
		const result = world.firewall(words);
		assert.equal(result.status, 64, words.join(" "));
	}
	const result = world.firewall(["start"], { prefix: ["setpriv", "--reuid=65534", "--clear-groups"] });
	assert.equal(result.status, 1);
	assert.match(result.stderr, /CAP_NET_ADMIN/);
	assert.equal(world.nft("list", "ruleset"), "");
	// All it needs, beside a netlink socket.
	const capable = world.firewall(["start"], { prefix: ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all,+net_admin",
		"--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin"] });
	assert.equal(capable.status, 0, capable.stderr);
	assert.match(world.nft("list", "tables"), /hifi/);
});
