/* Self-signed certificates for tests. */
#pragma once

/* Writes a new certificate for name and its new key; valid_seconds from now on, negative: that long
 * expired. A path may be NULL: that file stays. */
void pki_write(const char *certificate_path, const char *key_path, const char *name,
	       long valid_seconds);
