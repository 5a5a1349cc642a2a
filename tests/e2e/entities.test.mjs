// A world from its file, as the Web SDK sees it (06a §4, 06b, 06c §9.1).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Domain } from "./lib/domain.mjs";
import { newPerson, told, watchErrors, world } from "./lib/fixture.mjs";
import { until } from "./lib/wait.mjs";

const MANY = 500;
const LONG = "x".repeat(1200);
const id = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const at = (x, y, z) => ({ x, y, z });
const rgb = (red, green, blue) => ({ red, green, blue });
const ROTATED = { x: 0, y: Math.SQRT1_2, z: 0, w: Math.SQRT1_2 };

// What each entity is in the file. All stand around the origin, where the SDK's camera is.
const ENTITIES = {
	Box: { shape: "Cube", name: "box", position: at(1, 0, -1), color: rgb(255, 128, 0), alpha: 0.5, rotation: ROTATED },
	Sphere: { shape: "Sphere", position: at(-1, 0, -1), dimensions: at(0.5, 0.5, 0.5), locked: true },
	Shape: { shape: "Torus", position: at(0, 1, -1), userData: "{\"a\": 1}" },
	Model: { modelURL: "http://localhost/a.glb", position: at(0, 0, -2), animation: { url: "http://localhost/a.fbx", fps: 24 } },
	Text: { text: "Grüß Gott ☃", lineHeight: 0.25, position: at(0, 2, -2), textColor: rgb(1, 2, 3), alignment: "center" },
	Image: { imageURL: "http://localhost/a.png", position: at(1, 1, -2), keepAspectRatio: false },
	Web: { sourceUrl: "http://localhost/", position: at(-1, 1, -2), dpi: 60, maxFPS: 30 },
	ParticleEffect: { maxParticles: 50, position: at(0, -1, -2), emitRate: 7, isEmitting: false },
	Light: { isSpotlight: true, intensity: 4.5, position: at(1, 1, -2), falloffRadius: 1.5 },
	Zone: {
		dimensions: at(20, 20, 20), skybox: { color: rgb(10, 20, 30), url: "http://localhost/sky.jpg" }, skyboxMode: "enabled",
		keyLight: { intensity: 2, direction: at(0, -1, 0) }, keyLightMode: "enabled", haze: { hazeRange: 500 }, hazeMode: "enabled",
		// More than one packet holds.
		userData: LONG, description: LONG,
	},
	Material: { materialURL: "materialData", materialData: "{}", position: at(0, 0, -1), priority: 3 },
};
// The SDK reads these but does not hand them out.
const UNREPORTED = ["Line", "PolyLine", "PolyVox", "Grid", "Gizmo"];

const here = world({ entities: { Entities: [
	...Object.entries(ENTITIES).map(([type, properties], i) => ({ type, id: `{${id(i)}}`, ...properties })),
	...UNREPORTED.map((type, i) => ({ type, id: `{${id(50 + i)}}`, position: at(0, 0, -1) })),
	...Array.from({ length: MANY }, (_, i) => ({ type: "Box", id: `{${id(1000 + i)}}`, name: `box ${i}`, position: at(0, 0, -2) })),
], Version: 133 } });
const errors = watchErrors();

// Records put together as the Vircadia web application does: each over what was known.
function watch(person) {
	const seen = new Map();
	person.entity.entityData.connect((records) => {
		for (const record of records) {
			const known = Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
			const key = record.entityItemID.stringify();
			seen.set(key, { ...seen.get(key), ...known });
		}
	});
	return seen;
}

const plain = (value) => typeof value === "object" && value !== null
	? Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v)])) : value;

function same(actual, expected, path) {
	if (typeof expected === "number")
		assert.ok(Math.abs(actual - expected) < 1e-4, `${path}: ${actual} is not ${expected}`);
	else if (typeof expected === "object")
		Object.keys(expected).forEach((key) => same(actual?.[key], expected[key], `${path}.${key}`));
	else
		assert.equal(actual, expected, path);
}

// Where the SDK has another name or form than the file.
const AS_SEEN = {
	Model: { animation: { animationURL: "http://localhost/a.fbx", animationFPS: 24 } },
	Text: { alignment: undefined, textAlignment: "center" },
	Web: { sourceUrl: undefined, sourceURL: "http://localhost/" },
	Zone: { haze: { range: 500 }, skyboxMode: 2, keyLightMode: 2, hazeMode: 2 },
};

test("every entity of the file arrives, property by property", told(here, async () => {
	const alice = await newPerson("Alice");
	const seen = watch(alice);
	await alice.enter(here.domain.url);
	await until("all entities", () => seen.size >= Object.keys(ENTITIES).length + MANY,
		{ deadlineMs: 15000, describe: () => `${seen.size} seen` });
	await until("the second part of the zone", () => seen.get(id(9)).userData === LONG && seen.get(id(9)).description === LONG);

	Object.entries(ENTITIES).forEach(([type, properties], i) => {
		const record = plain(seen.get(id(i)));
		same(record, { ...properties, ...AS_SEEN[type] }, type);
	});
	for (let i = 0; i < MANY; i++)
		assert.equal(seen.get(id(1000 + i)).name, `box ${i}`);
	const count = Object.keys(ENTITIES).length + UNREPORTED.length + MANY;
	await until("the count in the status", async () => (await here.domain.mixer("entity")).load.entities === count);
	assert.deepEqual(errors, []);
	await alice.leave();
}));

test("what is behind is sent when one turns around", told(here, async () => {
	const bob = await newPerson("Bob");
	const seen = watch(bob);
	bob.camera.orientation = { x: 0, y: 1, z: 0, w: 0 };
	bob.camera.position = at(0, 0, 30);
	await bob.enter(here.domain.url);
	await until("the zone all around", () => seen.has(id(9)));
	await new Promise((resolve) => setTimeout(resolve, 500));
	assert.ok(!seen.has(id(3)), "the model is behind");
	bob.camera.orientation = { x: 0, y: 0, z: 0, w: 1 };
	bob.camera.position = at(0, 0, 5);
	await until("the model", () => seen.has(id(3)));
	assert.deepEqual(errors, []);
	await bob.leave();
}));

// What the Vircadia web application needs: something to stand on, light, and a sky.
test("a new domain has ground, light and sky", told(here, async () => {
	const fresh = await Domain.start();
	try {
		const carol = await newPerson("Carol");
		const seen = watch(carol);
		carol.camera.position = at(0, 1.7, 0);
		await carol.enter(fresh.url);
		await until("seven entities", () => seen.size === 7, { describe: () => `${seen.size} seen` });
		const named = (name) => [...seen.values()].find((entity) => entity.name === name);
		same(plain(named("ground")), { dimensions: at(200, 1, 200), position: at(0, -0.5, 0) }, "ground");
		same(plain(named("sky and sunlight")), { skyboxMode: 2, skybox: { color: rgb(118, 174, 219) }, keyLightMode: 2 }, "sky");
		assert.match(named("welcome").text, /domain\.json/);
		assert.deepEqual(errors, []);
		await carol.leave();
	} finally {
		await fresh.stop();
	}
}));
