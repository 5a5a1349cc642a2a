// Which page shows, and what every page has: the domain's name, and whether what it tells is current.
import { showAbout } from "./about.js";
import { byId, setText } from "./dom.js";
import { watch } from "./live.js";
import { showNow } from "./now.js";
import { showPorts } from "./ports.js";

const PAGES = { now: "Now", ports: "Ports", about: "About" };
const CONNECTION = { live: "Live", lost: "No answer; what you see is old" };

const pageOf = (hash) => Object.hasOwn(PAGES, hash.slice(1)) ? hash.slice(1) : "now";
let domainName = "";

function setTitle() {
	document.title = `${PAGES[pageOf(location.hash)]} – ${domainName || "Control panel"}`;
}

function turn({ type } = {}) {
	const page = pageOf(location.hash);
	for (const id of Object.keys(PAGES))
		byId(id).hidden = id !== page;
	for (const link of document.querySelectorAll("nav a"))
		link.toggleAttribute("aria-current", link.hash === `#${page}`);
	document.querySelector("nav a[aria-current]").setAttribute("aria-current", "page");
	setTitle();
	if (type === "hashchange") {
		byId(page).focus();
		window.scrollTo(0, 0);
	}
}

function show(doc) {
	domainName = doc.domain.name;
	setText(byId("domain-name"), domainName || "This domain");
	setTitle();
	showNow(doc);
	showPorts(doc);
	showAbout(doc);
}

function showConnection(state) {
	const element = byId("connection");
	setText(element, CONNECTION[state]);
	element.className = state;
	document.querySelector("main").classList.toggle("stale", state === "lost");
}

window.addEventListener("hashchange", turn);
turn();
watch("api/v1/events", show, showConnection);
