#include "pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define DAY 86400L

static X509 *make(EVP_PKEY *key, const char *name, long valid_seconds)
{
	X509 *x509 = X509_new();
	X509_NAME *subject;

	assert_non_null(x509);
	assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -400 * DAY));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), valid_seconds));
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	subject = X509_get_subject_name(x509);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
						    (const unsigned char *) name, -1, -1, 0),
			 1);
	assert_int_equal(X509_set_issuer_name(x509, subject), 1);
	assert_int_not_equal(X509_sign(x509, key, EVP_sha256()), 0);
	return x509;
}

void pki_write(const char *certificate_path, const char *key_path, const char *name,
	       long valid_seconds)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509;
	FILE *f;

	assert_non_null(key);
	x509 = make(key, name, valid_seconds);
	if (certificate_path) {
		f = fopen(certificate_path, "we");
		assert_non_null(f);
		assert_int_equal(PEM_write_X509(f, x509), 1);
		assert_int_equal(fclose(f), 0);
	}
	if (key_path) {
		f = fopen(key_path, "we");
		assert_non_null(f);
		assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
		assert_int_equal(fclose(f), 0);
	}
	X509_free(x509);
	EVP_PKEY_free(key);
}

void pki_folder_make(struct pki_folder *ret)
{
	*ret = (struct pki_folder){.name = "test-pki-XXXXXX"};
	assert_non_null(mkdtemp(ret->name));
	(void) snprintf(ret->path, sizeof(ret->path), "%s/cert.pem", ret->name);
	(void) snprintf(ret->key_path, sizeof(ret->key_path), "%s/key.pem", ret->name);
}

void pki_folder_remove(const struct pki_folder *folder)
{
	(void) unlink(folder->path);
	(void) unlink(folder->key_path);
	(void) rmdir(folder->name);
}
