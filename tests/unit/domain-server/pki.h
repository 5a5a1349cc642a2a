/* Self-signed certificates for tests. */
#pragma once

/* Writes a new certificate for name and its new key; valid_seconds from now on, negative: that long
 * expired. A path may be NULL: that file stays. */
void pki_write(const char *certificate_path, const char *key_path, const char *name,
	       long valid_seconds);

/* A new folder below the current one, and where a certificate and its key go in it. */
struct pki_folder {
	char name[32], path[64], key_path[64];
};

void pki_folder_make(struct pki_folder *ret);
void pki_folder_remove(const struct pki_folder *folder);
