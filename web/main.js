// Which page shows, and what every page has: the domain's name, and whether what it tells is current.
import { showAbout } from "./about.js";
import { showAccounts, startSession } from "./accounts.js";
import { may } from "./api.js";
import { byId, setText } from "./dom.js";
import { watch } from "./live.js";
import { showNow } from "./now.js";
import { showPorts } from "./ports.js";

const PAGES = { now: "Now", ports: "Ports", accounts: "Accounts", about: "About", login: "Log in" };
// Of pages that are not kept current: called when one is turned to.
const OPENED = { accounts: showAccounts };
const CONNECTION = { live: "Live", lost: "No answer; what you see is old" };

const LEAST_ROLE = { accounts: "owner", login: "none" };

function pageOf(hash) {
	const page = Object.hasOwn(PAGES, hash.slice(1)) ? hash.slice(1) : "now";
	return may(LEAST_ROLE[page] ?? "viewer") ? page : "login";
}
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
	document.querySelector("nav a[aria-current]")?.setAttribute("aria-current", "page");
	setTitle();
	OPENED[page]?.();
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

await startSession();
window.addEventListener("hashchange", turn);
document.addEventListener("session", turn);
turn();
const listen = watch("api/v1/events", show, showConnection, () => may("viewer"));
document.addEventListener("session", listen);
