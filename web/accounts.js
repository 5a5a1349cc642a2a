// Logging in and out, the first visit, and who may log in.
import { ask, isLoggedIn, logIn, logOut, may, putAccount, readSession, session } from "./api.js";
import { byId, el, onSubmit, setText, syncChildren } from "./dom.js";

const ROLES = ["viewer", "moderator", "owner"];

async function change(action, done) {
	try {
		await action();
		setText(byId("accounts-said"), done);
	} catch (error) {
		setText(byId("accounts-said"), error.message);
	}
	await showAccounts();
}

function row({ name }) {
	const role = el("select", { "aria-label": `Role of ${name}` },
		...ROLES.map((name) => el("option", {}, name)));
	const remove = el("button", { type: "button", "aria-label": `Remove ${name}` }, "Remove");
	role.addEventListener("change", () => change(() => putAccount(name, { role: role.value }), `${name} is now ${role.value}.`));
	remove.addEventListener("click", () => change(() => ask("DELETE", `api/v1/users/${encodeURIComponent(name)}`), `${name} is removed.`));
	return el("tr", {}, el("th", { scope: "row" }), el("td", {}, role), el("td", {}, remove));
}

function update(element, { name, role, is_first }) {
	const [title, select, remove] = [element.children[0], ...element.querySelectorAll("select, button")];
	setText(title, name);
	select.value = role;
	select.disabled = remove.disabled = is_first;
}

export async function showAccounts() {
	byId("first-visit").hidden = session.has_owner;
	byId("account-list").hidden = !session.has_owner;
	if (!may("owner") || !session.has_owner)
		return;
	const { users } = await ask("GET", "api/v1/users");
	syncChildren(byId("account-table").tBodies[0], users.map((user) => [user.name, user]), row, update);
}

function showSession() {
	setText(byId("who"), session.user || (isLoggedIn() ? "Owner, by a link" : ""));
	byId("log-in").hidden = isLoggedIn();
	byId("log-out").hidden = !isLoggedIn();
	for (const link of document.querySelectorAll("nav a[data-role]"))
		link.hidden = !may(link.dataset.role);
}

export async function startSession() {
	document.addEventListener("session", showSession);
	byId("log-out").addEventListener("click", async () => {
		await logOut();
		location.hash = "#login";
	});
	onSubmit("login-form", async ({ user, password }) => {
		await logIn({ user, password });
		location.hash = "#now";
	});
	onSubmit("first", async ({ user, password, again }) => {
		if (password !== again)
			throw new Error("The two passwords differ.");
		await putAccount(user, { role: "owner", password });
		location.hash = "#now";
	});
	onSubmit("account", async ({ user, role, password }) => {
		await putAccount(user, { role, password });
		await showAccounts();
		return `${user} may log in.`;
	});
	const link = /^#link=([0-9a-f]+)$/.exec(location.hash)?.[1];
	if (!link)
		return readSession().catch(() => {});
	// It must not stay in the history: it is the key to the house, though it turns only once.
	history.replaceState(null, "", "#login");
	try {
		await logIn({ link });
		history.replaceState(null, "", session.has_owner ? "#now" : "#accounts");
	} catch (error) {
		await readSession().catch(() => {});
		setText(byId("login-said"), error.message);
	}
}
