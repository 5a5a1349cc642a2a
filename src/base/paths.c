#include "base/paths.h"

#include <stdlib.h>

const char *path_datadir(void)
{
	/* Not for a program that runs with more rights than its caller. */
	const char *dir = secure_getenv("HIFI_DATADIR");

	return dir && *dir ? dir : HIFI_DATADIR;
}
