/* A library with the exports of wintun.dll, for tests: GENERATION 13 (pools) or 14 (tunnel types).
 *
 * Adapters are joined in pairs, in the order of their creation: what is sent on one is received on
 * the other. Where the system would drop packets at a full ring, this one waits: nothing is lost
 * between two sessions. The rest is as in the library: rings in shared memory with their byte
 * arithmetic, one kernel thread per session on the far end, auto-reset read-wait events, last
 * errors (and rubbish in them after success), a logger that is also called by a thread of the
 * library's own when the call has long returned.
 *
 * The environment variable STANDIN_CONTROL names a file of commands, one per line; lines may be
 * appended at any time. The export StandinCommand takes a line directly.
 *
 *     fail FUNCTION CODE [TIMES]    the next calls fail with this last error
 *     delay FUNCTION MILLISECONDS   the next call takes that long
 *     remove NAME                   the adapter goes, as if unplugged
 *     corrupt NAME                  the ring to the application becomes inconsistent
 *     seize NAME | yield NAME       another process has the adapter's session
 *     hold NAME | let NAME          the kernel takes nothing from the application
 *     log LEVEL TEXT                a line from another thread
 *
 * What would corrupt memory is written to standard error, behind "standin: misuse:".
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define EXPORT __declspec(dllexport)

#define MAX_ADAPTERS 64
#define MAX_HANDLES 4096
#define MAX_FAULTS 64
#define NAME_UNITS 128
#define POOL_UNITS 256

#define MIN_CAPACITY 0x20000u
#define MAX_CAPACITY 0x4000000u
#define MAX_PACKET 0xFFFFu
#define TRAILING 0x10000u
#define TERMINATED 0xFFFFFFFFu
#define PENDING 0x80000000u
#define BATCH 512

enum { INFO, WARN, ERR };

#if GENERATION == 13
typedef void (CALLBACK *Logger)(int level, const WCHAR *message);
#elif GENERATION == 14
typedef void (CALLBACK *Logger)(int level, DWORD64 timestamp, const WCHAR *message);
#else
#error "GENERATION is 13 or 14"
#endif

/* --- The machine ------------------------------------------------------------------------- */

typedef struct {
    volatile ULONG head, tail;
    volatile LONG alertable;
    BYTE data[];
} Ring;

typedef struct Session Session;

typedef struct Adapter {
    BOOL exists, seized, held;
    WCHAR name[NAME_UNITS], pool[POOL_UNITS];
    GUID guid;
    ULONG64 luid;
    struct Adapter *peer;
    Session *session;
} Adapter;

struct Session {
    ULONG magic;
    ULONG capacity;
    Adapter *adapter;
    Ring *received, *sent; /* host to application, application to host */
    CRITICAL_SECTION receiving, sending;
    ULONG receive_next, release_next, allocate_next, send_next;
    volatile LONG wants_room; /* the peer's kernel thread waits for room in `received` */
    volatile LONG stop;
    HANDLE readable, woken, thread; /* `woken` wakes the kernel thread */
};

typedef struct {
    ULONG magic;
    Adapter *adapter;
    BOOL created, within_callback;
} Handle;

typedef struct {
    char function[40];
    DWORD code, milliseconds;
    BOOL fails;
    int times;
} Fault;

#define ADAPTER_MAGIC 0x41445054u
#define SESSION_MAGIC 0x53455353u

static CRITICAL_SECTION machine;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static Adapter adapters[MAX_ADAPTERS];
static Handle handles[MAX_HANDLES]; /* never used twice, so that a stale one is seen */
static int handle_count;
static Fault faults[MAX_FAULTS];
static volatile LONG armed;
static ULONG next_luid = 1;
static DWORD driver_version;
static Logger volatile logger;
static volatile LONG sweeping;

static void misuse(const char *function, const char *sentence)
{
    fprintf(stderr, "standin: misuse: %s: %s\n", function, sentence);
    fflush(stderr);
}

static void say(int level, const char *function, const WCHAR *text)
{
    DWORD kept = GetLastError();
    Logger callback = logger;
    WCHAR line[0x400];
    if (callback) {
#if GENERATION == 13
        _snwprintf(line, 0x400, L"%hs: %ls", function, text);
        line[0x3FF] = 0;
        callback(level, line);
#else
        FILETIME now;
        (void)function;
        _snwprintf(line, 0x400, L"%ls", text);
        line[0x3FF] = 0;
        GetSystemTimeAsFileTime(&now);
        callback(level, (DWORD64)now.dwHighDateTime << 32 | now.dwLowDateTime, line);
#endif
    }
    SetLastError(kept);
}

static void fail(DWORD code, const char *function, const WCHAR *text)
{
    WCHAR line[0x300];
    _snwprintf(line, 0x300, L"%ls (Code 0x%08lX)", text, code);
    line[0x2FF] = 0;
    say(ERR, function, line);
    if (code) /* a failure without a number leaves whatever was there */
        SetLastError(code);
}

/* A library leaves anything at all in the last error of a call that succeeded. */
#define SUCCEED(value) do { SetLastError(ERROR_INSUFFICIENT_BUFFER); return (value); } while (0)

static BOOL same(const WCHAR *one, const WCHAR *other)
{
    return CompareStringOrdinal(one, -1, other, -1, TRUE) == CSTR_EQUAL;
}

static Adapter *named(const WCHAR *name)
{
    for (int i = 0; i < MAX_ADAPTERS; i++)
        if (adapters[i].exists && same(adapters[i].name, name))
            return &adapters[i];
    return NULL;
}

static void kick(Adapter *adapter)
{
    if (adapter && adapter->session)
        SetEvent(adapter->session->woken);
}

/* The session's rings are no more: both directions end, and whoever waits is woken. */
static void unregister(Session *session)
{
    __atomic_store_n(&session->received->tail, TERMINATED, __ATOMIC_RELEASE);
    __atomic_store_n(&session->sent->head, TERMINATED, __ATOMIC_RELEASE);
    session->stop = 1;
    SetEvent(session->readable);
    SetEvent(session->woken);
    kick(session->adapter->peer);
    session->adapter->session = NULL;
}

static void take_away(Adapter *adapter)
{
    if (adapter->session)
        unregister(adapter->session);
    if (adapter->peer) {
        kick(adapter->peer);
        adapter->peer->peer = NULL;
    }
    adapter->peer = NULL;
    adapter->exists = FALSE;
}

/* --- Faults and commands ----------------------------------------------------------------- */

static BOOL command(const char *line)
{
    char verb[16] = "", word[64] = "";
    int rest = 0;
    BOOL known = TRUE;
    if (sscanf(line, "%15s %n", verb, &rest) < 1)
        return TRUE;
    const char *argument = line + rest;
    EnterCriticalSection(&machine);
    if (!strcmp(verb, "fail") || !strcmp(verb, "delay")) {
        unsigned long long number = 0;
        int times = 1;
        int used = 0;
        char text[24] = "";
        known = sscanf(argument, "%39s %23s %n", word, text, &used) >= 2;
        number = strtoull(text, NULL, 0);
        if (known && used)
            sscanf(argument + used, "%d", &times);
        int i = 0;
        while (i < MAX_FAULTS - 1 && faults[i].times > 0)
            i++;
        memset(&faults[i], 0, sizeof faults[i]);
        memcpy(faults[i].function, word, sizeof faults[i].function - 1);
        faults[i].fails = verb[0] == 'f';
        faults[i].code = faults[i].fails ? (DWORD)number : 0;
        faults[i].milliseconds = faults[i].fails ? 0 : (DWORD)number;
        faults[i].times = known ? times : 0;
        armed = 1;
    } else if (!strcmp(verb, "log")) {
        WCHAR text[0x400] = L"";
        int level = argument[0] - '0';
        MultiByteToWideChar(CP_UTF8, 0, argument + (argument[0] ? 2 : 0), -1, text, 0x3FF);
        LeaveCriticalSection(&machine);
        say(level, "Standin", text);
        return TRUE;
    } else {
        WCHAR name[NAME_UNITS] = L"";
        MultiByteToWideChar(CP_UTF8, 0, argument, -1, name, NAME_UNITS - 1);
        Adapter *adapter = named(name);
        Session *session = adapter ? adapter->session : NULL;
        if (!adapter) {
            known = FALSE;
        } else if (!strcmp(verb, "remove")) {
            take_away(adapter);
        } else if (!strcmp(verb, "seize") || !strcmp(verb, "yield")) {
            adapter->seized = verb[0] == 's';
        } else if (!strcmp(verb, "hold") || !strcmp(verb, "let")) {
            adapter->held = verb[0] == 'h';
            kick(adapter);
        } else if (!strcmp(verb, "corrupt") && session) {
            Ring *ring = session->received;
            ULONG tail = ring->tail, size = MAX_PACKET + 1;
            memcpy(ring->data + tail, &size, 4);
            __atomic_store_n(&ring->tail, (tail + 4) & (session->capacity - 1), __ATOMIC_RELEASE);
            SetEvent(session->readable);
        } else {
            known = FALSE;
        }
    }
    LeaveCriticalSection(&machine);
    if (!known)
        misuse("command", line);
    return known;
}

static void read_commands(HANDLE file)
{
    static char pending[4096];
    static DWORD used;
    DWORD got = 0;
    while (ReadFile(file, pending + used, sizeof pending - 1 - used, &got, NULL) && got) {
        char *start = pending, *end;
        used += got;
        pending[used] = 0;
        while ((end = strchr(start, '\n')) != NULL) {
            *end = 0;
            if (end > start && end[-1] == '\r')
                end[-1] = 0;
            command(start);
            start = end + 1;
        }
        used -= (DWORD)(start - pending);
        memmove(pending, start, used);
    }
}

static DWORD WINAPI follow(void *file)
{
    for (;; Sleep(15))
        read_commands(file);
    return 0;
}

static BOOL CALLBACK begin(INIT_ONCE *one, void *parameter, void **context)
{
    WCHAR path[MAX_PATH];
    DWORD length = GetEnvironmentVariableW(L"STANDIN_CONTROL", path, MAX_PATH);
    (void)one, (void)parameter, (void)context;
    if (length && length < MAX_PATH) {
        HANDLE file = CreateFileW(path, GENERIC_READ,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
        if (file == INVALID_HANDLE_VALUE) {
            misuse("STANDIN_CONTROL", "there is no such file");
        } else {
            read_commands(file); /* what is there already is done before the first call goes on */
            CloseHandle(CreateThread(NULL, 0, follow, file, 0, NULL));
        }
    }
    return TRUE;
}

/* Runs what was asked for; TRUE when the call is to fail, with the last error set. */
static BOOL fault(const char *function)
{
    Fault found = {0};
    InitOnceExecuteOnce(&once, begin, NULL, NULL);
    if (!armed)
        return FALSE;
    EnterCriticalSection(&machine);
    for (int i = 0; i < MAX_FAULTS; i++) {
        if (faults[i].times > 0 && !strcmp(faults[i].function, function)) {
            found = faults[i];
            faults[i].times--;
            break;
        }
    }
    LeaveCriticalSection(&machine);
    if (found.milliseconds)
        Sleep(found.milliseconds);
    if (found.fails)
        fail(found.code, function, L"Told to fail");
    return found.fails;
}

/* --- Handles ----------------------------------------------------------------------------- */

static Handle *new_handle(Adapter *adapter, BOOL created)
{
    Handle *handle = &handles[handle_count++ % MAX_HANDLES];
    handle->magic = ADAPTER_MAGIC;
    handle->adapter = adapter;
    handle->created = created;
    handle->within_callback = FALSE;
    return handle;
}

static Adapter *adapter_of(Handle *handle, const char *function)
{
    if (handle < handles || handle >= handles + MAX_HANDLES || handle->magic != ADAPTER_MAGIC) {
        misuse(function, "this is no adapter handle, or one that was given back");
        SetLastError(ERROR_INVALID_HANDLE);
        return NULL;
    }
    return handle->adapter;
}

static BOOL session_is(Session *session, const char *function)
{
    if (session && session->magic == SESSION_MAGIC)
        return TRUE;
    misuse(function, "this is no session handle, or one that has ended");
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}

/* What the library does after a call, on a thread of its own: it looks for orphans, and says so. */
static DWORD WINAPI sweep(void *function)
{
    Sleep(40);
    say(INFO, function, L"No orphaned adapters were found");
    InterlockedExchange(&sweeping, 0);
    return 0;
}

static void sweep_later(const char *function)
{
    if (!InterlockedExchange(&sweeping, 1))
        CloseHandle(CreateThread(NULL, 0, sweep, (void *)function, 0, NULL));
}

static Handle *create(const char *function, const WCHAR *name, const WCHAR *pool, const GUID *guid)
{
    Adapter *made = NULL;
    Handle *handle = NULL;
    EnterCriticalSection(&machine);
    for (int i = 0; i < MAX_ADAPTERS; i++) {
        if (!adapters[i].exists)
            made = made ? made : &adapters[i];
        else if (guid && IsEqualGUID(&adapters[i].guid, guid)) {
            LeaveCriticalSection(&machine);
            fail(ERROR_ALREADY_EXISTS, function, L"The GUID is in use");
            return NULL;
        }
    }
    if (!made) {
        LeaveCriticalSection(&machine);
        fail(ERROR_OUTOFMEMORY, function, L"There are too many adapters");
        return NULL;
    }
    Adapter *evicted = named(name);
    if (evicted)
        wcsncat(evicted->name, L" 1", NAME_UNITS - 1 - wcslen(evicted->name));
    memset(made, 0, sizeof *made);
    made->exists = TRUE;
    wcsncpy(made->name, name, NAME_UNITS - 1);
    wcsncpy(made->pool, pool, POOL_UNITS - 1);
    if (guid) {
        made->guid = *guid;
    } else {
        GUID *own = &made->guid;
        LARGE_INTEGER now;
        QueryPerformanceCounter(&now);
        own->Data1 = next_luid;
        own->Data3 = 0x4000;
        own->Data4[0] = 0x80;
        memcpy(own->Data4 + 1, &now, 7);
    }
    made->luid = (ULONG64)53 << 48 | (ULONG64)next_luid++ << 24;
    for (int i = 0; i < MAX_ADAPTERS; i++) {
        Adapter *other = &adapters[i];
        if (other != made && other->exists && !other->peer) {
            other->peer = made;
            made->peer = other;
            kick(other);
            break;
        }
    }
    driver_version = GENERATION;
    handle = new_handle(made, TRUE);
    LeaveCriticalSection(&machine);
    say(INFO, function, L"Created an adapter");
    sweep_later(function);
    return handle;
}

/* --- The exports of one generation ------------------------------------------------------- */

#if GENERATION == 13

EXPORT Handle *WINAPI WintunCreateAdapter(const WCHAR *pool, const WCHAR *name, const GUID *guid,
                                          BOOL *reboot_required)
{
    if (fault("WintunCreateAdapter"))
        return NULL;
    if (wcslen(name) >= NAME_UNITS || wcslen(pool) >= POOL_UNITS) {
        fail(ERROR_INVALID_PARAMETER, "WintunCreateAdapter", L"The name is too long");
        return NULL;
    }
    Handle *handle = create("WintunCreateAdapter", name, pool, guid);
    if (!handle)
        return NULL;
    if (reboot_required)
        *reboot_required = FALSE;
    SUCCEED(handle);
}

EXPORT Handle *WINAPI WintunOpenAdapter(const WCHAR *pool, const WCHAR *name)
{
    if (fault("WintunOpenAdapter"))
        return NULL;
    EnterCriticalSection(&machine);
    Adapter *adapter = named(name);
    BOOL inside = adapter && !wcscmp(adapter->pool, pool);
    Handle *handle = inside ? new_handle(adapter, FALSE) : NULL;
    LeaveCriticalSection(&machine);
    if (!handle) {
        fail(adapter ? ERROR_ALREADY_EXISTS : ERROR_FILE_NOT_FOUND, "WintunOpenAdapter",
             L"Failed to find the adapter");
        return NULL;
    }
    SUCCEED(handle);
}

EXPORT BOOL WINAPI WintunDeleteAdapter(Handle *handle, BOOL force, BOOL *reboot_required)
{
    Adapter *adapter = adapter_of(handle, "WintunDeleteAdapter");
    if (!adapter || fault("WintunDeleteAdapter"))
        return FALSE;
    EnterCriticalSection(&machine);
    BOOL vetoed = adapter->seized && !force;
    if (!vetoed && adapter->exists)
        take_away(adapter);
    LeaveCriticalSection(&machine);
    if (reboot_required)
        *reboot_required = vetoed;
    sweep_later("WintunDeleteAdapter");
    SUCCEED(TRUE);
}

EXPORT BOOL WINAPI WintunEnumAdapters(const WCHAR *pool, BOOL (CALLBACK *callback)(Handle *, LPARAM),
                                      LPARAM parameter)
{
    Adapter *found[MAX_ADAPTERS];
    int count = 0;
    if (fault("WintunEnumAdapters"))
        return FALSE;
    EnterCriticalSection(&machine);
    for (int i = 0; i < MAX_ADAPTERS; i++)
        if (adapters[i].exists && !wcscmp(adapters[i].pool, pool))
            found[count++] = &adapters[i];
    LeaveCriticalSection(&machine);
    for (int i = 0; i < count; i++) {
        Handle own = {ADAPTER_MAGIC, found[i], FALSE, TRUE};
        Handle *handle = new_handle(found[i], FALSE);
        *handle = own;
        BOOL go_on = callback(handle, parameter);
        handle->magic = 0;
        if (!go_on)
            break;
    }
    SUCCEED(TRUE);
}

EXPORT void WINAPI WintunFreeAdapter(Handle *handle)
{
    if (!adapter_of(handle, "WintunFreeAdapter"))
        return;
    if (handle->within_callback)
        misuse("WintunFreeAdapter", "the handle is WintunEnumAdapters' own");
    handle->magic = 0;
}

EXPORT BOOL WINAPI WintunDeletePoolDriver(const WCHAR *pool, BOOL *reboot_required)
{
    BOOL used = FALSE;
    if (fault("WintunDeletePoolDriver"))
        return FALSE;
    EnterCriticalSection(&machine);
    for (int i = 0; i < MAX_ADAPTERS; i++) {
        if (adapters[i].exists && !wcscmp(adapters[i].pool, pool))
            take_away(&adapters[i]);
        used |= adapters[i].exists;
    }
    if (!used)
        driver_version = 0;
    LeaveCriticalSection(&machine);
    if (reboot_required)
        *reboot_required = FALSE;
    SUCCEED(TRUE);
}

EXPORT BOOL WINAPI WintunGetAdapterName(Handle *handle, WCHAR *name)
{
    Adapter *adapter = adapter_of(handle, "WintunGetAdapterName");
    if (!adapter || fault("WintunGetAdapterName"))
        return FALSE;
    if (!adapter->exists) {
        fail(ERROR_FILE_NOT_FOUND, "WintunGetAdapterName", L"The adapter was removed");
        return FALSE;
    }
    memcpy(name, adapter->name, sizeof adapter->name);
    SUCCEED(TRUE);
}

EXPORT BOOL WINAPI WintunSetAdapterName(Handle *handle, const WCHAR *name)
{
    Adapter *adapter = adapter_of(handle, "WintunSetAdapterName");
    if (!adapter || fault("WintunSetAdapterName"))
        return FALSE;
    if (!adapter->exists || wcslen(name) >= NAME_UNITS) {
        fail(adapter->exists ? ERROR_INVALID_PARAMETER : ERROR_FILE_NOT_FOUND,
             "WintunSetAdapterName", L"Failed to set the name");
        return FALSE;
    }
    EnterCriticalSection(&machine);
    wcsncpy(adapter->name, name, NAME_UNITS - 1);
    LeaveCriticalSection(&machine);
    SUCCEED(TRUE);
}

#else

EXPORT Handle *WINAPI WintunCreateAdapter(const WCHAR *name, const WCHAR *tunnel_type,
                                          const GUID *guid)
{
    if (fault("WintunCreateAdapter"))
        return NULL;
    if (wcslen(name) >= NAME_UNITS || wcslen(tunnel_type) + 7 >= NAME_UNITS + 8) {
        fail(ERROR_BUFFER_OVERFLOW, "WintunCreateAdapter", L"The name is too long");
        return NULL;
    }
    Handle *handle = create("WintunCreateAdapter", name, tunnel_type, guid);
    if (!handle)
        return NULL;
    SUCCEED(handle);
}

EXPORT Handle *WINAPI WintunOpenAdapter(const WCHAR *name)
{
    if (fault("WintunOpenAdapter"))
        return NULL;
    EnterCriticalSection(&machine);
    Adapter *adapter = named(name);
    Handle *handle = adapter ? new_handle(adapter, FALSE) : NULL;
    LeaveCriticalSection(&machine);
    sweep_later("WintunOpenAdapter");
    if (!handle) {
        fail(ERROR_NOT_FOUND, "WintunOpenAdapter", L"Failed to find matching adapter name");
        return NULL;
    }
    SUCCEED(handle);
}

EXPORT void WINAPI WintunCloseAdapter(Handle *handle)
{
    if (!handle)
        return;
    Adapter *adapter = adapter_of(handle, "WintunCloseAdapter");
    if (!adapter)
        return;
    fault("WintunCloseAdapter");
    EnterCriticalSection(&machine);
    if (handle->created && adapter->exists)
        take_away(adapter);
    handle->magic = 0;
    LeaveCriticalSection(&machine);
    sweep_later("WintunCloseAdapter");
}

EXPORT BOOL WINAPI WintunDeleteDriver(void)
{
    BOOL used = FALSE;
    if (fault("WintunDeleteDriver"))
        return FALSE;
    EnterCriticalSection(&machine);
    for (int i = 0; i < MAX_ADAPTERS; i++)
        used |= adapters[i].exists;
    if (!used)
        driver_version = 0;
    LeaveCriticalSection(&machine);
    if (used) {
        fail(0xE000023D, "WintunDeleteDriver", L"Adapters use the driver");
        return FALSE;
    }
    SUCCEED(TRUE);
}

#endif

/* --- The exports of both generations ----------------------------------------------------- */

EXPORT void WINAPI WintunGetAdapterLUID(Handle *handle, ULONG64 *luid)
{
    Adapter *adapter = adapter_of(handle, "WintunGetAdapterLUID");
    *luid = adapter ? adapter->luid : 0;
}

EXPORT DWORD WINAPI WintunGetRunningDriverVersion(void)
{
    if (fault("WintunGetRunningDriverVersion"))
        return 0;
    if (!driver_version) {
        SetLastError(ERROR_FILE_NOT_FOUND);
        return 0;
    }
    SUCCEED(driver_version);
}

EXPORT void WINAPI WintunSetLogger(Logger callback)
{
    logger = callback;
}

static BOOL is_ip(const BYTE *packet, ULONG size)
{
    return (size >= 20 && packet[0] >> 4 == 4) || (size >= 40 && packet[0] >> 4 == 6);
}

/* Moves what the application has sent to the peer; returns whether there may be more at once.
 * The machine is locked. */
static BOOL move(Session *session)
{
    Ring *from = session->sent, *to = NULL;
    Adapter *adapter = session->adapter;
    Session *other = adapter->peer ? adapter->peer->session : NULL;
    ULONG mask = session->capacity - 1;
    ULONG head = from->head, tail = __atomic_load_n(&from->tail, __ATOMIC_ACQUIRE);
    ULONG put = 0, room_head = 0;
    BOOL more = FALSE, delivered = FALSE;
    if (adapter->held || head >= session->capacity)
        return FALSE;
    if (other) {
        to = other->received;
        put = to->tail;
        room_head = __atomic_load_n(&to->head, __ATOMIC_ACQUIRE);
    }
    for (int count = 0; head != tail; count++) {
        ULONG size, needed, content = (tail - head) & mask;
        if (count == BATCH) {
            more = TRUE;
            break;
        }
        memcpy(&size, from->data + head, 4);
        needed = (size + 7) & ~3u;
        if (content < 4 || size > MAX_PACKET || needed > content) {
            misuse("WintunSendPacket", "the ring from the application is inconsistent");
            from->head = TERMINATED;
            return FALSE;
        }
        const BYTE *packet = from->data + head + 4;
        if (!is_ip(packet, size)) {
#if GENERATION == 13
            __atomic_store_n(&from->head, TERMINATED, __ATOMIC_RELEASE);
            head = TERMINATED;
            break;
#endif
        } else if (other) {
            ULONG limit = other->capacity - 1;
            ULONG room = (room_head - put - 4) & limit;
            if (needed > room) {
                room_head = __atomic_load_n(&to->head, __ATOMIC_ACQUIRE);
                room = (room_head - put - 4) & limit;
            }
            if (needed > room) {
                /* Ask to be kicked, then look again: the reader may have been quicker. */
                __atomic_store_n(&other->wants_room, 1, __ATOMIC_SEQ_CST);
                __atomic_thread_fence(__ATOMIC_SEQ_CST);
                room_head = __atomic_load_n(&to->head, __ATOMIC_ACQUIRE);
                if (needed > ((room_head - put - 4) & limit))
                    break;
            }
            memcpy(to->data + put, &size, 4);
            memcpy(to->data + put + 4, packet, size);
            put = (put + needed) & limit;
            delivered = TRUE;
        }
        head = (head + needed) & mask;
    }
    if (delivered) {
        __atomic_store_n(&to->tail, put, __ATOMIC_RELEASE);
        SetEvent(other->readable);
    }
    if (head != TERMINATED)
        __atomic_store_n(&from->head, head, __ATOMIC_RELEASE);
    return more;
}

/* The far end of a session. */
static DWORD WINAPI kernel(void *parameter)
{
    Session *session = parameter;
    Ring *ring = session->sent;
    for (;;) {
        BOOL more;
        EnterCriticalSection(&machine);
        more = !session->stop && move(session);
        if (!more && !session->stop) {
            /* Likewise: raise the flag, then look whether something came meanwhile. */
            __atomic_store_n(&ring->alertable, TRUE, __ATOMIC_SEQ_CST);
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            more = move(session);
        }
        BOOL stop = session->stop != 0;
        LeaveCriticalSection(&machine);
        if (stop)
            return 0;
        if (!more)
            WaitForSingleObject(session->woken, INFINITE);
        __atomic_store_n(&ring->alertable, FALSE, __ATOMIC_SEQ_CST);
    }
}

EXPORT Session *WINAPI WintunStartSession(Handle *handle, DWORD capacity)
{
    Adapter *adapter = adapter_of(handle, "WintunStartSession");
    DWORD code = ERROR_SUCCESS;
    if (!adapter || fault("WintunStartSession"))
        return NULL;
    SIZE_T ring_bytes = sizeof(Ring) + (SIZE_T)capacity + TRAILING;
    Session *session = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *session);
    BYTE *memory = VirtualAlloc(NULL, 2 * ring_bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (!session || !memory)
        code = ERROR_NOT_ENOUGH_MEMORY;
    else if (capacity < MIN_CAPACITY || capacity > MAX_CAPACITY || capacity & (capacity - 1))
        code = ERROR_INVALID_PARAMETER;
    EnterCriticalSection(&machine);
    if (!code && !adapter->exists)
        code = ERROR_FILE_NOT_FOUND;
    if (!code && (adapter->session || adapter->seized))
        code = ERROR_ALREADY_INITIALIZED;
    if (!code) {
        session->magic = SESSION_MAGIC;
        session->capacity = capacity;
        session->adapter = adapter;
        session->received = (Ring *)memory;
        session->sent = (Ring *)(memory + ring_bytes);
        InitializeCriticalSectionAndSpinCount(&session->receiving, 0x1000);
        InitializeCriticalSectionAndSpinCount(&session->sending, 0x1000);
        session->readable = CreateEventW(NULL, FALSE, FALSE, NULL);
        session->woken = CreateEventW(NULL, FALSE, FALSE, NULL);
        adapter->session = session;
        session->thread = CreateThread(NULL, 0, kernel, session, 0, NULL);
        kick(adapter->peer);
    }
    LeaveCriticalSection(&machine);
    if (code) {
        if (memory)
            VirtualFree(memory, 0, MEM_RELEASE);
        if (session)
            HeapFree(GetProcessHeap(), 0, session);
        fail(code, "WintunStartSession", L"Failed to register rings");
        return NULL;
    }
    SUCCEED(session);
}

EXPORT void WINAPI WintunEndSession(Session *session)
{
    if (!session_is(session, "WintunEndSession"))
        return;
    fault("WintunEndSession");
    EnterCriticalSection(&machine);
    if (session->adapter->session == session)
        unregister(session);
    LeaveCriticalSection(&machine);
    WaitForSingleObject(session->thread, INFINITE);
    CloseHandle(session->thread);
    CloseHandle(session->woken);
    if (session->receive_next != session->release_next)
        misuse("WintunEndSession", "received packets were never released");
    if (session->allocate_next != session->send_next)
        misuse("WintunEndSession", "allocated packets were never sent");
    session->magic = 0;
    DeleteCriticalSection(&session->receiving);
    DeleteCriticalSection(&session->sending);
    CloseHandle(session->readable);
    VirtualFree(session->received, 0, MEM_RELEASE);
    HeapFree(GetProcessHeap(), 0, session);
}

EXPORT HANDLE WINAPI WintunGetReadWaitEvent(Session *session)
{
    return session_is(session, "WintunGetReadWaitEvent") ? session->readable : NULL;
}

EXPORT BYTE *WINAPI WintunReceivePacket(Session *session, DWORD *packet_size)
{
    DWORD code = ERROR_SUCCESS;
    BYTE *packet = NULL;
    if (!session_is(session, "WintunReceivePacket") || fault("WintunReceivePacket"))
        return NULL;
    EnterCriticalSection(&session->receiving);
    Ring *ring = session->received;
    ULONG mask = session->capacity - 1, head = session->receive_next;
    ULONG tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
    if (tail >= session->capacity) {
        code = ERROR_HANDLE_EOF;
    } else if (head == tail) {
        code = ERROR_NO_MORE_ITEMS;
    } else {
        ULONG size, content = (tail - head) & mask;
        memcpy(&size, ring->data + head, 4);
        if (content < 4 || size > MAX_PACKET || ((size + 7) & ~3u) > content) {
            code = ERROR_INVALID_DATA;
        } else {
            ULONG marked = size | PENDING;
            memcpy(ring->data + head, &marked, 4);
            packet = ring->data + head + 4;
            *packet_size = size;
            session->receive_next = (head + ((size + 7) & ~3u)) & mask;
        }
    }
    LeaveCriticalSection(&session->receiving);
    SetLastError(packet ? ERROR_INSUFFICIENT_BUFFER : code);
    return packet;
}

static BOOL within(const Session *session, const Ring *ring, const BYTE *packet)
{
    const BYTE *start = ring->data + 4;
    return packet >= start && packet < start + session->capacity && !((packet - start) & 3);
}

EXPORT void WINAPI WintunReleaseReceivePacket(Session *session, const BYTE *packet)
{
    if (!session_is(session, "WintunReleaseReceivePacket"))
        return;
    Ring *ring = session->received;
    if (!within(session, ring, packet)) {
        misuse("WintunReleaseReceivePacket", "the packet is not of this session");
        return;
    }
    EnterCriticalSection(&session->receiving);
    ULONG size, mask = session->capacity - 1, head = session->release_next;
    memcpy(&size, packet - 4, 4);
    if (!(size & PENDING))
        misuse("WintunReleaseReceivePacket", "the packet was released before");
    size &= ~PENDING;
    memcpy((BYTE *)packet - 4, &size, 4);
    while (head != session->receive_next) {
        memcpy(&size, ring->data + head, 4);
        if (size & PENDING)
            break;
        head = (head + ((size + 7) & ~3u)) & mask;
    }
    session->release_next = head;
    __atomic_store_n(&ring->head, head, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* At half a ring of room, so that a slow reader does not cost a wake-up per packet. */
    BOOL wanted = session->wants_room && ((ring->tail - head) & mask) <= session->capacity / 2
                  && InterlockedExchange(&session->wants_room, 0);
    LeaveCriticalSection(&session->receiving);
    if (wanted) {
        EnterCriticalSection(&machine);
        kick(session->adapter->peer);
        LeaveCriticalSection(&machine);
    }
}

EXPORT BYTE *WINAPI WintunAllocateSendPacket(Session *session, DWORD packet_size)
{
    DWORD code = ERROR_SUCCESS;
    BYTE *packet = NULL;
    if (!session_is(session, "WintunAllocateSendPacket") || fault("WintunAllocateSendPacket"))
        return NULL;
    if (packet_size > MAX_PACKET)
        misuse("WintunAllocateSendPacket", "the packet would run over the end of the ring");
    EnterCriticalSection(&session->sending);
    Ring *ring = session->sent;
    ULONG mask = session->capacity - 1, tail = session->allocate_next;
    ULONG needed = (packet_size + 7) & ~3u;
    ULONG head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    if (head >= session->capacity) {
        code = ERROR_HANDLE_EOF;
    } else if (needed > ((head - tail - 4) & mask)) {
        code = ERROR_BUFFER_OVERFLOW;
    } else {
        ULONG marked = packet_size | PENDING;
        memcpy(ring->data + tail, &marked, 4);
        packet = ring->data + tail + 4;
        session->allocate_next = (tail + needed) & mask;
    }
    LeaveCriticalSection(&session->sending);
    SetLastError(packet ? ERROR_INSUFFICIENT_BUFFER : code);
    return packet;
}

EXPORT void WINAPI WintunSendPacket(Session *session, const BYTE *packet)
{
    if (!session_is(session, "WintunSendPacket"))
        return;
    Ring *ring = session->sent;
    if (!within(session, ring, packet)) {
        misuse("WintunSendPacket", "the packet is not of this session");
        return;
    }
    EnterCriticalSection(&session->sending);
    ULONG size, mask = session->capacity - 1, tail = session->send_next;
    memcpy(&size, packet - 4, 4);
    if (!(size & PENDING))
        misuse("WintunSendPacket", "the packet was sent before");
    size &= ~PENDING;
    memcpy((BYTE *)packet - 4, &size, 4);
    while (tail != session->allocate_next) {
        memcpy(&size, ring->data + tail, 4);
        if (size & PENDING)
            break;
        tail = (tail + ((size + 7) & ~3u)) & mask;
    }
    session->send_next = tail;
    __atomic_store_n(&ring->tail, tail, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    BOOL wake = __atomic_load_n(&ring->alertable, __ATOMIC_SEQ_CST)
                && __atomic_exchange_n(&ring->alertable, FALSE, __ATOMIC_SEQ_CST);
    LeaveCriticalSection(&session->sending);
    if (wake)
        SetEvent(session->woken);
}

/* --- Beyond wintun.dll ------------------------------------------------------------------- */

EXPORT BOOL WINAPI StandinCommand(const char *line)
{
    InitOnceExecuteOnce(&once, begin, NULL, NULL);
    return command(line);
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)module, (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        InitializeCriticalSection(&machine);
    return TRUE;
}
