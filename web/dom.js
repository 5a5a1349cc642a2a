// Elements. What comes from the server goes into them as text only, never as HTML.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children);
	return element;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

// Writes only what changed, so that a screen reader does not say it again.
export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

// Makes the children of parent those of items, [key, value] each, in this order: known ones are kept and updated
// in place, so that reading, selecting and focus survive. make(value) returns an element, update(element, value).
export function syncChildren(parent, items, make, update) {
	const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
	let at = parent.firstElementChild;
	for (const [key, value] of items) {
		let child = known.get(key);
		known.delete(key);
		if (!child) {
			child = make(value);
			child.dataset.key = key;
		}
		update(child, value);
		if (child === at)
			at = at.nextElementSibling;
		else
			parent.insertBefore(child, at);
	}
	for (const child of known.values())
		child.remove();
}

// A form's values go to send(values), which may return what to say; what it throws is said in the form's output.
export function onSubmit(id, send) {
	const form = byId(id);
	const output = form.querySelector("output");
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		setText(output, "");
		form.querySelector("button").disabled = true;
		try {
			setText(output, await send(Object.fromEntries(new FormData(form))) ?? "");
			form.reset();
		} catch (error) {
			setText(output, error.message);
		}
		form.querySelector("button").disabled = false;
	});
}
