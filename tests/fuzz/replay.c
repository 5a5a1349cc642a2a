/* Stands in for libFuzzer: runs a target once over every file of its corpus,
 * tests/fuzz/corpus/NAME, where NAME is the program's name without "fuzz-". Prints TAP. Linked
 * unless --enable-fuzzers was given. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_bytes(const uint8_t *data, size_t size)
{
	/* An exact heap copy, so that a sanitizer sees every overrun. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	(void) LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return -errno;
	n = fread(data, 1, sizeof(data), f);
	(void) fclose(f);

	/* The input itself, and every truncation of the short ones. */
	run_bytes(data, n);
	for (size_t i = 0; i < MIN(n, (size_t) 2048); i++)
		run_bytes(data, i);
	return 0;
}

int main(int argc, char **argv)
{
	const char *top = getenv("TOP_SRCDIR"), *name = strrchr(argv[0], '/');
	unsigned n = 0, failed = 0;
	struct dirent *de;
	char path[4096];
	DIR *dir;

	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz-", 5) == 0)
		name += 5;
	(void) snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top ? top : ".", name);

	dir = opendir(path);
	if (!dir) {
		printf("Bail out! no corpus in %s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((de = readdir(dir))) {
		char file[sizeof(path) + 256];
		int r;

		if (de->d_name[0] == '.')
			continue;
		(void) snprintf(file, sizeof(file), "%s/%s", path, de->d_name);
		r = run_file(file);
		printf("%sok %u - %s\n", r < 0 ? "not " : "", ++n, de->d_name);
		failed += r < 0;
	}
	(void) closedir(dir);
	printf("1..%u\n", n);
	return failed > 0 || n == 0;
}
