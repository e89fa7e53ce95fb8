/* The part of CPython's PC/pyconfig.h that its headers need for an extension of the stable ABI.
   The headers of Linux say the rest alike for 64-bit Windows. */
#ifndef Py_CONFIG_H
#define Py_CONFIG_H

#include <io.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MS_WIN32
#define MS_WIN64
#define MS_WINDOWS
#define NT_THREADS
#define HAVE_DECLSPEC_DLL
#define Py_ENABLE_SHARED

#define ALIGNOF_MAX_ALIGN_T 8
#define SIZEOF_SHORT 2
#define SIZEOF_INT 4
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define SIZEOF_SIZE_T 8
#define SIZEOF_VOID_P 8
#define SIZEOF_TIME_T 8
#define SIZEOF_WCHAR_T 2
#define SIZEOF_DOUBLE 8
#define SIZEOF_FLOAT 4
#define SIZEOF_FPOS_T 8
#define SIZEOF_HKEY 8

typedef int64_t Py_ssize_t;
#define PY_SSIZE_T_MAX INT64_MAX
#define HAVE_PY_SSIZE_T

#define HAVE_SYS_TYPES_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_STDDEF_H 1
#define STDC_HEADERS 1
#define WITH_DOC_STRINGS 1

#endif
