// One person in a world: every Web SDK object that a page would hold, driven as a page would drive it.
// Runs in node (lib/sdk-node.mjs loads the SDK there) and in a page.
import { monotonicMs } from "./clock.mjs";
import { until } from "./wait.mjs";

const UPDATE_MS = 16;
const MIXERS = ["audio", "avatar", "entity", "messages"];

export class Client {
	#updates = null;

	// sdk: the SDK's module namespace. Nobody's directory service is asked: it is set to address.
	constructor(sdk, { name = "", directory = "http://127.0.0.1:9/" } = {}) {
		this.sdk = sdk;
		this.domain = new sdk.DomainServer([]);
		this.domain.metaverseServerURL = directory;
		const context = this.domain.contextID;
		this.camera = new sdk.Camera(context);
		this.audio = new sdk.AudioMixer(context);
		this.avatar = new sdk.AvatarMixer(context);
		this.entity = new sdk.EntityServer(context);
		this.messages = new sdk.MessageMixer(context);
		this.received = [];
		this.states = [];

		this.domain.onStateChanged = (state, info) =>
			this.#note("domain", sdk.DomainServer.stateToString(state), info);
		for (const which of MIXERS)
			this[which].onStateChanged = (state) => this.#note(which, sdk.AssignmentClientState[state]);
		this.messages.messageReceived.connect((channel, text, sender, localOnly) =>
			this.received.push({ channel, text, sender: sender.stringify(), localOnly, at: monotonicMs() }));
		this.audio.positionGetter = () => this.me.position;
		this.audio.orientationGetter = () => this.me.orientation;
		if (name)
			this.me.displayName = name;
	}

	get me() {
		return this.avatar.myAvatar;
	}

	get id() {
		return this.domain.sessionUUID.stringify();
	}

	#note(who, state, info = "") {
		this.states.push({ who, state, info, at: monotonicMs() });
	}

	// The states that one of "domain", "audio", "avatar", "entity", "messages" went through.
	statesOf(who) {
		return this.states.filter((entry) => entry.who === who).map((entry) => entry.state);
	}

	isInside() {
		return this.domain.state === this.sdk.DomainServer.CONNECTED &&
			MIXERS.every((which) => this[which].state === this.sdk.AssignmentClientState.CONNECTED);
	}

	describe() {
		const of = (which) => `${which} ${this.sdk.AssignmentClientState[this[which].state]}`;
		return [`domain ${this.sdk.DomainServer.stateToString(this.domain.state)}`, ...MIXERS.map(of)].join(", ");
	}

	// Connects and waits for the domain and all four mixers; returns the milliseconds it took.
	async enter(url, { deadlineMs = 10000 } = {}) {
		const start = monotonicMs();
		this.startUpdates();
		this.domain.connect(url);
		await this.inside({ deadlineMs });
		return monotonicMs() - start;
	}

	inside({ deadlineMs = 10000 } = {}) {
		return until("connected to the domain and four mixers", () => this.isInside(),
			{ deadlineMs, describe: () => this.describe() });
	}

	async leave() {
		this.stopUpdates();
		this.domain.disconnect();
		await until("no session", () => this.domain.sessionUUID.value() === this.sdk.Uuid.NULL);
	}

	// What a page's render loop does (04 §15.1).
	startUpdates() {
		this.#updates ??= setInterval(() => {
			this.camera.update();
			this.avatar.update();
			this.entity.update();
		}, UPDATE_MS);
	}

	stopUpdates() {
		clearInterval(this.#updates);
		this.#updates = null;
	}

	// The SDK's Uuid of somebody given as text.
	uuid(id) {
		return new this.sdk.Uuid(id);
	}

	// Session ids of the others this client knows an avatar of.
	others() {
		// Our own avatar stands in the list under the null id.
		return this.avatar.avatarList.getAvatarIDs().filter((uuid) => uuid.value() !== this.sdk.Uuid.NULL)
			.map((uuid) => uuid.stringify());
	}

	see(id) {
		return this.avatar.avatarList.getAvatar(this.uuid(id));
	}

	async meets(other, { deadlineMs = 5000 } = {}) {
		await until(`sees ${other}`, () => this.others().includes(other),
			{ deadlineMs, describe: () => JSON.stringify(this.others()) });
		return this.see(other);
	}

	say(channel, text) {
		this.messages.sendMessage(channel, text);
	}

	// The first received message on channel that accept() likes; it is taken out of the list.
	async hears(channel, accept = () => true, { deadlineMs = 5000 } = {}) {
		const find = () => this.received.findIndex((m) => m.channel === channel && accept(m));
		await until(`message on ${channel}`, () => find() >= 0, { deadlineMs });
		return this.received.splice(find(), 1)[0];
	}
}
