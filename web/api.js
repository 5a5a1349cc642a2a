// Asking the domain-server for something, as whom the visitor is logged in.
export let session = { role: "none", has_owner: true };

const RANKS = ["none", "viewer", "moderator", "owner", "operator"];
export const may = (role) => RANKS.indexOf(session.role) >= RANKS.indexOf(role);
export const isLoggedIn = () => session.csrf_token !== undefined;

// Throws an Error with the server's own words, and its status.
export async function ask(method, path, body) {
	const headers = {};
	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	if (method !== "GET" && session.csrf_token)
		headers["X-CSRF-Token"] = session.csrf_token;
	let response;
	try {
		response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
	} catch {
		throw new Error("The domain-server does not answer.");
	}
	const reply = await response.json().catch(() => ({}));
	if (!response.ok)
		throw Object.assign(new Error(reply.error ?? `The domain-server says ${response.status}.`), { status: response.status });
	return reply;
}

function take(next) {
	session = next;
	document.dispatchEvent(new Event("session"));
}

export const readSession = async () => take(await ask("GET", "api/v1/session"));
export const logIn = async (body) => take(await ask("POST", "api/v1/login", body));

export async function logOut() {
	await ask("POST", "api/v1/logout");
	await readSession();
}

// A new password is a new session when it is one's own.
export async function putAccount(name, body) {
	const reply = await ask("PUT", `api/v1/users/${encodeURIComponent(name)}`, body);
	if (reply.csrf_token)
		take(reply);
}
