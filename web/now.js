// Is anyone there? Who, and do the servers bear it.
import { alertsOf } from "./alerts.js";
import { byId, el, setText, svg, syncChildren } from "./dom.js";
import { showMap } from "./map.js";
import { count, duration, percentile, rate } from "./words.js";

const HISTORY = 120; // seconds
const LEVELS = 8; // of a voice
const BY_NAME = new Intl.Collator(undefined, { numeric: true });
const history = new Map(); // of each server's load, by its UUID

// --- people ---

function personRow() {
	return el("tr", {}, el("th", { scope: "row" }), el("td"), el("td"), el("td"), el("td"));
}

function updatePerson(row, { name, is_verified, is_web, is_silent, since, address, place, level }, now) {
	const [title, here, by, from, voice] = row.children;
	setText(title, name || "No name");
	title.className = name ? "" : "quiet";
	title.title = name && !is_verified ? "The name is what they call themselves." : "";
	setText(here, is_silent ? "not heard lately" : duration(now - since));
	setText(by, is_web ? "web browser" : "native client");
	setText(from, place ? `${address}, ${place}` : address);
	if (level === undefined)
		return voice.replaceChildren();
	if (!voice.firstElementChild)
		voice.append(el("span", { class: "bar", role: "img" }));
	voice.firstElementChild.setAttribute("aria-label", level ? `${level} of ${LEVELS}` : "silent");
	voice.firstElementChild.style.setProperty("--part", level / LEVELS);
}

function headline(people) {
	if (people.length === 0)
		return "Nobody is here.";
	const named = people.map(({ name }) => name).filter(Boolean);
	if (people.length === 1)
		return `${named[0] ?? "One person"} is here.`;
	return `${count(people.length, "person is", "people are")} here.`;
}

function showPeople({ now, people }) {
	const list = Object.entries(people).sort(([, a], [, b]) => a.since - b.since || BY_NAME.compare(a.name, b.name));
	setText(byId("now-title"), headline(list.map(([, person]) => person)));
	byId("people").hidden = list.length === 0;
	byId("nobody").hidden = list.length > 0;
	setText(byId("nobody"), "Whoever comes appears here by themselves.");
	syncChildren(byId("people").tBodies[0], list, personRow, (row, person) => updatePerson(row, person, now));
}

// --- servers ---

function remember(id, now, load) {
	const points = history.get(id) ?? [];
	points.push([now, load]);
	while (points[0][0] < now - HISTORY)
		points.shift();
	history.set(id, points);
	return points;
}

function path(points, now) {
	const top = Math.max(100, ...points.map(([, load]) => load));
	return points.map(([at, load], i) => `${i ? "L" : "M"}${HISTORY - (now - at)} ${(100 - 100 * load / top).toFixed(1)}`).join("");
}

function card() {
	return el("article", { class: "card" }, el("h3", {}, el("b"), el("span")),
		svg("svg", { class: "spark", viewBox: `0 -2 ${HISTORY} 104`, preserveAspectRatio: "none", role: "img" },
			svg("line", { x1: 0, x2: HISTORY, y1: 100, y2: 100 }), svg("path")),
		el("p"), el("p"), el("p"));
}

function updateCard(element, id, mixer, now) {
	const [title, spark, span, traffic, life] = element.children;
	const load = mixer.load ?? 0;
	const points = remember(id, now, load);
	const loads = points.map(([, value]) => value).sort((a, b) => a - b);
	setText(title.children[0], mixer.type);
	setText(title.children[1], `${load} %`);
	spark.setAttribute("aria-label", `Load now ${load} %, at most ${loads.at(-1)} % in the last two minutes`);
	spark.lastElementChild.setAttribute("d", path(points, now));
	setText(span, `usually ${percentile(loads, 50)} %, rarely over ${percentile(loads, 95)} %`);
	setText(traffic, `in ${rate(mixer.kbps_in ?? 0)}, out ${rate(mixer.kbps_out ?? 0)}`);
	setText(life, mixer.is_silent ? "not heard lately" : `up for ${duration(now - mixer.since)}`);
}

function showMixers({ mixers, now }) {
	const list = Object.entries(mixers).sort(([, a], [, b]) => a.type.localeCompare(b.type));
	for (const id of history.keys())
		if (!mixers[id])
			history.delete(id);
	syncChildren(byId("mixers"), list.map(([id, mixer]) => [id, [id, mixer]]), card,
		(element, [id, mixer]) => updateCard(element, id, mixer, now));
}

// --- alerts ---

function showAlerts(doc) {
	const list = alertsOf(doc).map((alert) => [alert.what.replace(/\d+/g, ""), alert]);
	syncChildren(byId("alerts"), list, () => el("p", {}, el("strong"), el("span")), (element, alert) => {
		element.className = `alert ${alert.level}`;
		setText(element.children[0], alert.what);
		setText(element.children[1], alert.todo);
	});
}

export function showNow(doc) {
	showPeople(doc);
	showMap(doc);
	showAlerts(doc);
	showMixers(doc);
}
