// The definitive list of ports, and which of them something of ours has open now.
import { byId, el, setText, syncChildren } from "./dom.js";

function isOpen({ name }, { domain, mixers }) {
	switch (name) {
	case "http":
	case "domain":
		return true;
	case "signalling":
		return domain.takes_web_clients;
	case "metrics":
		return domain.has_metrics;
	default:
		return Object.values(mixers).some(({ hat }) => hat === name);
	}
}

export function showPorts(doc) {
	const list = doc.ports.map((port) => [port.name, port]);
	syncChildren(byId("port-table").tBodies[0], list,
		() => el("tr", {}, el("th", { scope: "row" }), el("td"), el("td"), el("td"), el("td")),
		(row, port) => {
			const words = [`${port.port}/${port.transport}`, port.purpose, port.process, port.reachable_from,
				isOpen(port, doc) ? "open" : port.condition ? `no: ${port.condition}` : "no"];
			words.forEach((word, i) => setText(row.children[i], word));
			row.className = isOpen(port, doc) ? "" : "quiet";
		});
}
