/* Header values of panel visitors: what they accept, and which version of a file they have. */
#include <stdlib.h>
#include <string.h>

#include "domain-server/web-files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char etag[] = "W/\"0123456789abcdef\"";
	char *value = strndup((const char *) data, size);

	if (!value)
		return 0;
	if (web_accepts_gzip(value) && !strcasestr(value, "gzip"))
		abort();
	if (web_etag_matches(value, etag) && !strstr(value, "0123456789abcdef") &&
	    !strchr(value, '*'))
		abort();
	free(value);
	return 0;
}
