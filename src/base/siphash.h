/* SipHash-1-3 (Aumasson and Bernstein): a keyed hash short enough for tables whose keys come
 * from peers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t siphash13(const void *data, size_t len, const uint8_t key[static 16]);
