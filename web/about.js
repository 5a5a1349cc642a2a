import { byId, el, setText, syncChildren } from "./dom.js";
import { duration } from "./words.js";

export function showAbout({ domain, mixers, now }) {
	const versions = [...new Set(Object.values(mixers).map(({ version }) => version))].join(", ");
	const rows = [
		["Domain", domain.name || "has no name"],
		["Id", domain.has_random_id ? `${domain.id} (a new one at each start)` : domain.id],
		["Version", domain.version],
		["Version of the servers", versions || "none runs"],
		["Up for", duration(now - domain.since)],
		["Protocol signature", domain.protocol],
		["Web browsers", domain.takes_web_clients ? "may enter" : "may not enter (webrtc.enable_webrtc is off)"],
	];
	syncChildren(byId("about-list"), rows.flatMap(([term, text]) => [[`${term}?`, ["dt", term]], [term, ["dd", text]]]),
		([tag]) => el(tag), (element, [, text]) => setText(element, text));
}
