// A certificate authority of the test's own, made with openssl.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export class Authority {
	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), "hifi-pki-"));
		this.#openssl("req", "-x509", ...NEW_KEY, "-days", "30", "-subj", "/CN=Test authority",
			"-keyout", "ca.key", "-out", "ca.pem");
		writeFileSync(join(this.folder, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
	}

	#openssl(...args) {
		execFileSync("openssl", args, { cwd: this.folder, stdio: "pipe" });
	}

	get pem() {
		return readFileSync(join(this.folder, "ca.pem"), "utf8");
	}

	// The paths of a server's certificate and key; issue() replaces what is there.
	get certificate() {
		return join(this.folder, "cert.pem");
	}

	get key() {
		return join(this.folder, "key.pem");
	}

	issue(name, days) {
		this.#openssl("req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", "new.key", "-out", "new.csr");
		this.#openssl("x509", "-req", "-in", "new.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
			"-days", String(days), "-extfile", "names", "-out", "new.pem");
		renameSync(join(this.folder, "new.pem"), this.certificate);
		renameSync(join(this.folder, "new.key"), this.key);
	}

	remove() {
		rmSync(this.folder, { force: true, recursive: true });
	}
}
