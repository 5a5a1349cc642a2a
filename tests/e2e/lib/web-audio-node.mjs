// As much of Web Audio as the SDK's audio input and output use, without a sound card: a microphone is a
// Tone, and what the SDK would play is kept with the time it came.
import { monotonicMs } from "./clock.mjs";
import { SAMPLE_RATE, sine } from "./audio.mjs";

const FRAME_SAMPLES = 240;
const FRAME_MS = 10;
// The SDK's output worklet starts to play at this many blocks and asks for silence below it (03 §4).
const PLAYING_BLOCKS = 180;
const KEPT_BLOCKS = 60 * SAMPLE_RATE / 128;

export class MediaStream {
	getAudioTracks() {
		return [];
	}

	getTracks() {
		return this.getAudioTracks();
	}
}

// A microphone that hears one steady tone.
export class Tone extends MediaStream {
	#position = 0;

	constructor(hz, amplitude = 0.25) {
		super();
		this.hz = hz;
		this.amplitude = amplitude;
	}

	getAudioTracks() {
		const settings = { channelCount: 1, echoCancellation: false, sampleRate: SAMPLE_RATE, sampleSize: 16 };
		return [{ getSettings: () => settings, label: `${this.hz} Hz` }];
	}

	nextFrame() {
		const frame = sine(this.hz, this.amplitude, this.#position, FRAME_SAMPLES);
		this.#position += FRAME_SAMPLES;
		return frame;
	}
}

class InputPort {
	#timer = null;
	#sent = 0;
	#start = 0;

	attach(stream) {
		this.#start = monotonicMs();
		this.#timer = setInterval(() => {
			const due = Math.floor((monotonicMs() - this.#start) / FRAME_MS);
			for (; this.#sent < due; this.#sent++)
				this.onmessage?.({ data: stream.nextFrame().buffer });
		}, FRAME_MS / 2);
	}

	detach() {
		clearInterval(this.#timer);
	}

	postMessage() {}
}

class OutputPort {
	blocks = [];

	postMessage(buffer) {
		this.blocks.push({ at: monotonicMs(), samples: new Int16Array(buffer.slice(0)) });
		if (this.blocks.length > KEPT_BLOCKS)
			this.blocks.shift();
		this.onmessage?.({ data: PLAYING_BLOCKS });
	}
}

export class AudioWorkletNode {
	constructor(context, name) {
		this.port = name.includes("input") ? new InputPort() : new OutputPort();
		context.nodes.push(this);
		if (this.port instanceof OutputPort)
			AudioContext.outputs.push(this.port);
	}

	connect() {}
}

export class AudioContext {
	// Output ports in the order in which play() was first called.
	static outputs = [];

	constructor({ sampleRate = SAMPLE_RATE } = {}) {
		this.sampleRate = sampleRate;
		this.state = "running";
		this.nodes = [];
		this.audioWorklet = { addModule: async () => {} };
	}

	createMediaStreamSource(stream) {
		return { connect: (node) => node.port.attach(stream) };
	}

	createMediaStreamDestination() {
		return { stream: new MediaStream() };
	}

	createOscillator() {
		return { connect() {}, start() {} };
	}

	async resume() {
		this.state = "running";
	}

	async suspend() {
		this.state = "suspended";
	}

	async close() {
		for (const { port } of this.nodes)
			port.detach?.();
	}
}

// Starts playback of a client and returns its ear: take(ms) yields the left and right samples that arrive
// within the next ms.
export async function openEar(client) {
	await client.audio.play();
	const port = AudioContext.outputs.at(-1);

	return {
		async take(ms) {
			const from = monotonicMs();
			await new Promise((resolve) => setTimeout(resolve, ms));
			const blocks = port.blocks.filter((block) => block.at >= from);
			const pick = (channel) => Float32Array.from(blocks.flatMap((block) =>
				Array.from(block.samples).filter((_, i) => i % 2 === channel)), (v) => v / 32768);
			return { left: pick(0), right: pick(1) };
		},
	};
}
