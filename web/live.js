// The domain-server's document, kept current by server-sent events: a snapshot, then a JSON Merge Patch each second.
const SILENCE_MS = 5000;
const RETRY_MS = 2000;

// RFC 7396, for documents without nulls.
export function mergePatch(target, patch) {
	if (patch === null || typeof patch !== "object" || Array.isArray(patch))
		return patch;
	const result = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
	for (const [key, value] of Object.entries(patch)) {
		if (value === null)
			delete result[key];
		else
			result[key] = mergePatch(result[key], value);
	}
	return result;
}

// Calls onDocument with each state and onConnection with "live" or "lost". A page that nobody looks at does not
// listen: browsers allow only six connections to a server, and a machine that sleeps hears nothing anyway. Nor does one
// that mayWatch() denies. Returns what listens anew.
export function watch(url, onDocument, onConnection, mayWatch) {
	let source = null;
	let state = null;
	let timer;

	function close() {
		clearTimeout(timer);
		source?.close();
		source = null;
	}
	function lost() {
		close();
		onConnection("lost");
		timer = setTimeout(open, RETRY_MS);
	}
	function hear(next) {
		state = next;
		clearTimeout(timer);
		timer = setTimeout(lost, SILENCE_MS);
		onConnection("live");
		onDocument(state);
	}
	function open() {
		close();
		if (document.hidden || !mayWatch())
			return;
		source = new EventSource(url);
		source.addEventListener("snapshot", (event) => hear(JSON.parse(event.data)));
		source.addEventListener("patch", (event) => hear(mergePatch(state, JSON.parse(event.data))));
		source.addEventListener("error", lost);
		timer = setTimeout(lost, SILENCE_MS);
	}

	document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
	window.addEventListener("online", open);
	open();
	return open;
}
