// Collects the wanted number of stereo frames from its input, posts them as interleaved 16-bit samples.
registerProcessor("recorder", class extends AudioWorkletProcessor {
	constructor() {
		super();
		this.port.onmessage = ({ data: frames }) => {
			this.samples = new Int16Array(frames * 2);
			this.filled = 0;
		};
	}

	process([[left, right]]) {
		if (!this.samples || !left)
			return true;
		for (let i = 0; i < left.length && this.filled < this.samples.length; i++) {
			this.samples[this.filled++] = left[i] * 32767;
			this.samples[this.filled++] = (right ?? left)[i] * 32767;
		}
		if (this.filled === this.samples.length) {
			this.port.postMessage(this.samples.buffer, [this.samples.buffer]);
			this.samples = null;
		}
		return true;
	}
});
