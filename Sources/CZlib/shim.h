#ifndef WEIR_ZLIB_SHIM_H
#define WEIR_ZLIB_SHIM_H

#include <zlib.h>

/* Begins to inflate one gzip file; `inflateInit2` is a macro, which Swift does not see. 31 is a window of 32 KiB (15) and
   the gzip format alone (16). */
static inline int weir_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 31); }

#endif
