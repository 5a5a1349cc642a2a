// Native clients over UDP, many at once: hifi-load.
import { spawn } from "node:child_process";
import { program } from "./domain.mjs";

// Runs hifi-load on a domain; its exit code and report.
export function runLoad(domain, ...args) {
	const child = spawn(program("hifi-load"), ["--json", "--log-level", "warning", "--port-base",
		String(domain.offset), ...args], { stdio: ["ignore", "pipe", "inherit"] });
	let text = "";
	child.stdout.on("data", (chunk) => text += chunk);
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code) => resolve({ code, report: text ? JSON.parse(text) : null }));
	});
}

// Names of the checks that failed.
export const failed = ({ report }) => report.checks.filter((check) => !check.ok).map((check) => check.name);
