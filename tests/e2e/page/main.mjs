// The page of a person: the Web SDK as published, a microphone that is an oscillator, and a recorder on
// what the SDK plays. Tests drive it through globalThis.person.
import * as sdk from "/sdk/Vircadia.js";
import { Client } from "/lib/client.mjs";

const RATE = 24000;

// The SDK keeps its output node to itself, so it is noted here when it is made.
let outputNode = null;
const NativeWorkletNode = globalThis.AudioWorkletNode;
globalThis.AudioWorkletNode = class extends NativeWorkletNode {
	constructor(context, name, options) {
		super(context, name, options);
		if (name === "vircadia-audio-output-processor")
			outputNode = this;
	}
};

function start({ name }) {
	const client = new Client(sdk, { directory: location.origin, name });
	client.audio.audioWorkletRelativePath = "./sdk/";
	globalThis.person = Object.assign(client, { openEar, record, speak });
}

// A steady tone instead of a microphone.
function speak(hz, amplitude) {
	const context = new AudioContext({ sampleRate: RATE });
	const oscillator = new OscillatorNode(context, { frequency: hz });
	const gain = new GainNode(context, { gain: amplitude });
	const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
	oscillator.connect(gain).connect(destination);
	oscillator.start();
	this.audio.audioInput = destination.stream;
}

async function openEar() {
	await this.audio.play();
	await outputNode.context.audioWorklet.addModule("/page/recorder.js");
	this.recorder = new NativeWorkletNode(outputNode.context, "recorder", { channelCount: 2,
		channelCountMode: "explicit", numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [2] });
	outputNode.connect(this.recorder).connect(outputNode.context.destination);
}

// The next seconds of what the SDK plays: 16-bit stereo samples, interleaved, in base64.
function record(seconds) {
	return new Promise((resolve) => {
		this.recorder.port.onmessage = ({ data }) => {
			const bytes = new Uint8Array(data);
			let text = "";
			for (let i = 0; i < bytes.length; i += 0x8000)
				text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
			resolve(btoa(text));
		};
		this.recorder.port.postMessage(Math.round(seconds * RATE));
	});
}

globalThis.startPerson = start;
