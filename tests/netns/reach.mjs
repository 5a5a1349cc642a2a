// Asks echo.mjs on many ports at once, each in a flow of its own; for firewall.test.mjs. Prints as JSON which
// of them answered, in the order given.
//
//   node reach.mjs SERVER SOURCE PROTO:PORT...
import { connect } from "node:net";
import { createSocket } from "node:dgram";

// So long nobody answers: nobody will.
const QUIET_MS = 400;

const [server, source, ...words] = process.argv.slice(2);
const answers = words.map(() => false);
let missing = words.length;
let timer = null;

function finish() {
	console.log(JSON.stringify(words.filter((_, i) => answers[i])));
	process.exit();
}

// On a busy machine the time is over before what has come is looked at: so once more round the loop.
function wait() {
	clearTimeout(timer);
	const before = missing;
	timer = setTimeout(() => setImmediate(() => (missing === before ? finish() : wait())), QUIET_MS);
}

function answered(i) {
	if (answers[i])
		return;
	answers[i] = true;
	missing -= 1;
	if (missing === 0)
		finish();
	wait();
}

function askUdp(port, i) {
	const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
	socket.on("message", () => answered(i));
	socket.on("error", () => {});
	socket.bind(0, source, () => socket.send("hello", port, server));
}

function askTcp(port, i) {
	const socket = connect({ host: server, localAddress: source, port });
	socket.on("connect", () => socket.write("hello"));
	socket.on("data", () => answered(i));
	socket.on("error", () => {});
}

words.forEach((word, i) => {
	const [proto, port] = word.split(":");
	(proto === "udp" ? askUdp : askTcp)(Number(port), i);
});
wait();
