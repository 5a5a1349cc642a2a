// What is wrong, in plain words, and what to do. Pure: from the document to a list.
const BUSY_PERCENT = 85;
const SETTLE_S = 15;

const WITHOUT = {
	"audio": "People cannot hear each other.",
	"avatar": "People cannot see each other.",
	"messages": "Chat does not work.",
	"entity": "The things of the world are missing.",
};
const MIXERS = { "audio-mixer": "audio", "avatar-mixer": "avatar", "messages-mixer": "messages", "entity-server": "entity" };

function missing({ domain, now, waiting }) {
	if (now - domain.since < SETTLE_S)
		return [];
	return Object.values(waiting).filter(({ type }) => MIXERS[type]).map(({ type }) => ({
		level: "bad",
		what: `The ${type} is not running. ${WITHOUT[MIXERS[type]]}`,
		todo: `See why with “systemctl status assignment-client@${MIXERS[type]}”, then “systemctl start” it.`,
	}));
}

function ofMixer({ hat, is_silent, kernel_drops = 0, load, since, takes_web_clients, type }, { domain, now }) {
	const alerts = [];
	if (is_silent)
		alerts.push({
			level: "bad",
			what: `The ${type} has not been heard for some seconds.`,
			todo: `If it stays so: “systemctl restart assignment-client@${hat}”. People inside stay.`,
		});
	if (load >= BUSY_PERCENT)
		alerts.push({
			level: "warn",
			what: `The ${type} has no time left: ${load} % of what it can bear.`,
			todo: "Fewer people, or a machine with more or faster processor cores, or less else running on this one.",
		});
	if (domain.takes_web_clients && !takes_web_clients && now - since > SETTLE_S)
		alerts.push({
			level: "warn",
			what: `People with a web browser do not reach the ${type}.`,
			todo: `See its log: “journalctl -u assignment-client@${hat}”.`,
		});
	if (kernel_drops > 0)
		alerts.push({
			level: "warn",
			what: `The ${type} could not keep up with its network at some time: ${kernel_drops} packets were lost.`,
			todo: "If the number grows, the machine is too busy or net.core.rmem_max too small.",
		});
	return alerts;
}

export function alertsOf(doc) {
	const list = [...missing(doc), ...Object.values(doc.mixers).flatMap((mixer) => ofMixer(mixer, doc))];
	if (doc.kernel_drops > 0)
		list.push({
			level: "warn",
			what: `The domain-server could not keep up with its network at some time: ${doc.kernel_drops} packets were lost.`,
			todo: "If the number grows, the machine is too busy or net.core.rmem_max too small.",
		});
	return list;
}
