// Making and measuring sound: pure functions over samples from -1 to 1.
import { median } from "./clock.mjs";

export const SAMPLE_RATE = 24000;

// 16-bit samples of a sine, phase-continuous by position.
export function sine(hz, amplitude, position, count) {
	const step = 2 * Math.PI * hz / SAMPLE_RATE;
	return Int16Array.from({ length: count }, (_, i) =>
		Math.round(32767 * amplitude * Math.sin(step * (position + i))));
}

export function rms(samples) {
	let sum = 0;
	for (const value of samples)
		sum += value * value;
	return samples.length ? Math.sqrt(sum / samples.length) : 0;
}

export const toDb = (ratio) => 20 * Math.log10(Math.max(ratio, 1e-9));

// Amplitude of one frequency (Goertzel).
export function amplitudeAt(samples, hz) {
	if (samples.length === 0)
		return 0;
	const coefficient = 2 * Math.cos(2 * Math.PI * hz / SAMPLE_RATE);
	let previous = 0;
	let beforePrevious = 0;
	for (const value of samples) {
		const current = value + coefficient * previous - beforePrevious;
		beforePrevious = previous;
		previous = current;
	}
	const power = previous ** 2 + beforePrevious ** 2 - coefficient * previous * beforePrevious;
	return 2 * Math.sqrt(Math.max(power, 0)) / samples.length;
}

// The usual pitch in short windows: one glitch more or less does not move it.
export function usualPitch(samples, windowMs = 50) {
	const size = SAMPLE_RATE * windowMs / 1000;
	const windows = [];
	for (let i = 0; i + size <= samples.length; i += size)
		windows.push(pitch(samples.subarray(i, i + size)));
	return windows.length ? median(windows) : 0;
}

// Pitch of a steady tone, from the first to the last rising zero crossing (interpolated).
export function pitch(samples) {
	let first = null;
	let last = 0;
	let crossings = 0;
	for (let i = 1; i < samples.length; i++) {
		if (samples[i - 1] < 0 && samples[i] >= 0) {
			const at = i - samples[i] / (samples[i] - samples[i - 1]);
			first ??= at;
			last = at;
			crossings++;
		}
	}
	return crossings > 1 ? (crossings - 1) * SAMPLE_RATE / (last - first) : 0;
}

// Stretches in which a steady tone falls under a quarter of its own level: { atMs, ms } each.
export function gaps(samples, windowMs = 5) {
	const size = SAMPLE_RATE * windowMs / 1000;
	const levels = [];
	for (let i = 0; i + size <= samples.length; i += size)
		levels.push(rms(samples.subarray(i, i + size)));
	const floor = [...levels].sort((a, b) => a - b)[levels.length >> 1] / 4;
	const found = [];
	levels.forEach((level, i) => {
		if (level >= floor)
			return;
		const last = found.at(-1);
		if (last && last.atMs + last.ms === i * windowMs)
			last.ms += windowMs;
		else
			found.push({ atMs: i * windowMs, ms: windowMs });
	});
	return found;
}
