// Where people are, from above: north is up, and the grid has a scale. What it shows of each person, the table of
// people tells in words, so to a screen reader it is one picture.
import { byId, el, setText, syncChildren } from "./dom.js";
import { count } from "./words.js";

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000, 1000000]; // metres a square
const SQUARES = 6; // on the shorter side
const NAMES_MAX = 30; // with more, dots have no names and do not glide: it would be a blur, and slow
let zoom = STEPS.length;

const range = (values) => [Math.min(...values), Math.max(...values)];

// The smallest scale that leaves half a square free around everybody. The next larger one is kept too, so that somebody
// who walks to and fro does not make the map jump.
function zoomFor(width, height, across, down) {
	const side = Math.min(width, height) / SQUARES;
	const fits = (step) => across / step <= width / side - 2 && down / step <= height / side - 2;
	const needed = STEPS.findIndex(fits);
	if (zoom < needed || zoom > needed + 1)
		zoom = needed;
	return { side, step: STEPS[zoom] };
}

function place(dot, { name, level = 0, left, top, isNamed }) {
	dot.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px)`;
	dot.style.setProperty("--level", level);
	setText(dot.firstElementChild, isNamed ? name : "");
}

export function showMap({ people }) {
	const map = byId("map");
	const list = Object.entries(people).filter(([, person]) => person.position_dm);
	map.parentElement.hidden = list.length === 0;
	const { clientWidth: width, clientHeight: height } = map;
	if (list.length === 0 || width === 0)
		return;
	const [west, east] = range(list.map(([, { position_dm: [x] }]) => x / 10));
	const [north, south] = range(list.map(([, { position_dm: [, z] }]) => z / 10));
	const { side, step } = zoomFor(width, height, east - west, south - north);
	// The middle is on a crossing of the grid, which so lies still while people move.
	const middle = (a, b) => Math.round((a + b) / 2 / step) * step;
	const [x0, z0] = [middle(west, east), middle(north, south)];
	map.style.backgroundSize = `${side}px ${side}px`;
	map.style.backgroundPosition = `${width / 2}px ${height / 2}px`;
	const metres = step < 1000 ? `${step} m` : `${step / 1000} km`;
	map.setAttribute("aria-label", `Map from above of ${count(list.length, "person", "people")}, ` +
		`${Math.round(east - west)} m from west to east and ${Math.round(south - north)} m from north to south`);
	setText(byId("map-scale"), `A square is ${metres} wide; north is up.`);
	const isCrowd = list.length > NAMES_MAX;
	map.classList.toggle("crowd", isCrowd);
	syncChildren(map, list.map(([id, { name, level, position_dm: [x, z] }]) => [id, {
		name, level, isNamed: !isCrowd,
		left: width / 2 + (x / 10 - x0) / step * side, top: height / 2 + (z / 10 - z0) / step * side,
	}]), () => el("div", { class: "dot" }, el("span")), place);
}
