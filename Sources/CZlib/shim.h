#pragma once
#include <zlib.h>

/* deflateInit2 is a macro. 15 + 16 is the largest window, with a gzip header and trailer (zlib.h). */
static inline int retrace_gzip_begin(z_streamp stream, int level)
{
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
