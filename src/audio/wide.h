/* For loops over many numbers: compiled for two widths of vectors; the loader picks. Without fused
 * operations in either, both round alike. (Thread sanitizer cannot be called as early as that.) */
#pragma once

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !__has_feature(thread_sanitizer)
#define _wide_ __attribute__((target_clones("avx2", "default")))
#else
#define _wide_
#endif
