// Answers on UDP and TCP ports of every address with what came; for firewall.test.mjs.
//
//   node echo.mjs PROTO:PORT...
import { createServer } from "node:net";
import { createSocket } from "node:dgram";
import { once } from "node:events";

async function open(word) {
	const [proto, port] = word.split(":");
	if (proto === "udp") {
		const socket = createSocket("udp6");
		socket.on("message", (data, from) => socket.send(data, from.port, from.address));
		socket.bind(Number(port));
		await once(socket, "listening");
		return;
	}
	const server = createServer((socket) => {
		socket.on("error", () => {});
		socket.pipe(socket);
	});
	server.listen(Number(port), "::");
	await once(server, "listening");
}

await Promise.all(process.argv.slice(2).map(open));
console.log("ready");
