/*
 * A disk that forgets what was not synced, as a power cut makes it forget, and that fails on
 * request. Loaded in front of the program (LD_PRELOAD); the program itself knows nothing of it.
 *
 * Beside the database and its two logs lies a shadow of each: what the disk would hold after a
 * power cut at this moment. A write changes the file, as always. It changes the shadow when the
 * file is synced, and not before. A name comes into being in the shadow folder, and goes, when the
 * folder is synced. Syncs do not reach the real disk: a killed process loses nothing that the
 * system has, so that the shadow is the only thing that a test needs.
 *
 * A sync that fails forgets: what was to be synced then counts as clean and is never written by a
 * later sync. That is what Linux does (a page whose write-back failed is marked clean), and what a
 * database must not be deceived by.
 *
 * FORGETFUL_DATABASE  the database file, absolute and without symbolic links
 * FORGETFUL_SHADOW    a folder for the shadows
 * FORGETFUL_CONTROL   a file of `struct control`, shared with the test that switches faults
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum file_kind { DATABASE, LOG, JOURNAL, FILES, FOLDER = FILES };
enum operation { WRITE, SYNC, READ, TRUNCATE, OPERATIONS };

static const char *const SUFFIX[FILES] = {"", "-wal", "-journal"};

/* One rule an operation and file. `error`: 0 none, an errno, or LIE. */
enum { LIE = -1 };
struct rule {
    atomic_int error;
    atomic_int skip;  /* calls that still succeed */
    atomic_int count; /* calls that then fail; -1: all */
    atomic_int met;   /* calls that did fail */
    atomic_int calls; /* calls altogether */
};
struct control {
    struct rule rules[OPERATIONS][FILES];
    atomic_int sync_delay_us; /* how long a sync takes: gives groups the time to form */
};

/* A range that was written, or (`cut`) a length that the file was cut to, in order. */
struct span {
    off_t from, to;
    int cut;
};

struct file {
    char path[PATH_MAX];
    char content[PATH_MAX]; /* what is synced of it */
    char durable[PATH_MAX]; /* the same, once its name is synced too */
    int shadow;             /* open on `content`, or -1 */
    struct span *spans;
    size_t used, room;
    pthread_mutex_t lock;
};

static struct file files[FILES];
static char folder[PATH_MAX];
static struct control nothing;
static struct control *control = &nothing;
static int watching;

/* Which file a descriptor is open on, plus one. */
enum { DESCRIPTORS = 1 << 16 };
static atomic_schar open_on[DESCRIPTORS];

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static void give_up(const char *what) {
    /* A shadow that is not true would let a test pass that must fail. */
    dprintf(2, "forgetful disk: %s: %s\n", what, strerror(errno));
    abort();
}

static void find_real(void) {
    real_open = dlsym(RTLD_NEXT, "open");
    real_openat = dlsym(RTLD_NEXT, "openat");
    real_close = dlsym(RTLD_NEXT, "close");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_read = dlsym(RTLD_NEXT, "read");
    real_pread = dlsym(RTLD_NEXT, "pread");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
}

static void name(char out[PATH_MAX], const char *one, const char *two, const char *three) {
    if (snprintf(out, PATH_MAX, "%s%s%s", one, two, three) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        give_up(one);
    }
}

static void start(void) {
    find_real();
    const char *database = getenv("FORGETFUL_DATABASE");
    const char *shadows = getenv("FORGETFUL_SHADOW");
    const char *switches = getenv("FORGETFUL_CONTROL");
    if (!database || !shadows || !switches) return;
    const char *slash = strrchr(database, '/');
    if (!slash) return;
    name(folder, database, "", "");
    folder[slash - database] = 0;
    for (int kind = 0; kind < FILES; kind++) {
        struct file *file = &files[kind];
        char leaf[PATH_MAX];
        name(leaf, slash, SUFFIX[kind], "");
        name(file->path, database, SUFFIX[kind], "");
        name(file->durable, shadows, leaf, "");
        name(file->content, shadows, leaf, ".content");
        file->shadow = -1;
        pthread_mutex_init(&file->lock, NULL);
    }
    int fd = real_open(switches, O_RDWR | O_CLOEXEC);
    if (fd < 0) give_up(switches);
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) give_up("mmap");
    real_close(fd);
    watching = 1;
}

static void ready(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}

/* The errno that this call fails with, LIE, or 0. */
static int fault(enum operation operation, int kind) {
    if (kind >= FILES) return 0;
    struct rule *rule = &control->rules[operation][kind];
    atomic_fetch_add(&rule->calls, 1);
    int error = atomic_load(&rule->error);
    if (!error) return 0;
    if (atomic_load(&rule->skip) > 0 && atomic_fetch_sub(&rule->skip, 1) > 0) return 0;
    int left = atomic_load(&rule->count);
    if (left == 0 || (left > 0 && atomic_fetch_sub(&rule->count, 1) <= 0)) return 0;
    atomic_fetch_add(&rule->met, 1);
    return error;
}

/* The file that a descriptor is open on, or -1. */
static int kind_of(int fd) {
    if (fd < 0 || fd >= DESCRIPTORS) return -1;
    return atomic_load(&open_on[fd]) - 1;
}

static void remember(struct file *file, off_t from, off_t to, int cut) {
    if (!cut && file->used) {
        struct span *last = &file->spans[file->used - 1];
        if (!last->cut && last->to == from) {
            last->to = to;
            return;
        }
    }
    if (file->used == file->room) {
        file->room = file->room ? file->room * 2 : 64;
        file->spans = realloc(file->spans, file->room * sizeof *file->spans);
        if (!file->spans) give_up("realloc");
    }
    file->spans[file->used++] = (struct span){from, to, cut};
}

/* Brings one range of the file into the shadow, as the file is now. */
static void copy(struct file *file, int fd, off_t from, off_t to) {
    char buffer[1 << 16];
    while (from < to) {
        size_t want = (size_t)(to - from) < sizeof buffer ? (size_t)(to - from) : sizeof buffer;
        ssize_t got = real_pread(fd, buffer, want, from);
        if (got < 0) give_up("read for the shadow");
        if (got == 0) return; /* cut since */
        if (real_pwrite(file->shadow, buffer, got, from) != got) give_up("shadow");
        from += got;
    }
}

static void settle(struct file *file, int fd) {
    pthread_mutex_lock(&file->lock);
    for (size_t at = 0; at < file->used; at++) {
        struct span span = file->spans[at];
        if (span.cut) {
            if (real_ftruncate(file->shadow, span.from)) give_up("shadow");
        } else {
            copy(file, fd, span.from, span.to);
        }
    }
    file->used = 0;
    struct stat now;
    if (fstat(fd, &now) || real_ftruncate(file->shadow, now.st_size)) give_up("shadow");
    pthread_mutex_unlock(&file->lock);
}

/* Names are synced with their folder. */
static void settle_names(void) {
    for (int kind = 0; kind < FILES; kind++) {
        struct file *file = &files[kind];
        pthread_mutex_lock(&file->lock);
        if (access(file->path, F_OK)) {
            real_unlink(file->durable);
        } else if (file->shadow >= 0) {
            char fresh[PATH_MAX];
            name(fresh, file->durable, ".fresh", "");
            real_unlink(fresh);
            /* At once, for the process may be killed in between. */
            if (link(file->content, fresh) || real_rename(fresh, file->durable)) give_up("shadow");
            real_unlink(fresh); /* where both were the same file, rename leaves it */
        }
        pthread_mutex_unlock(&file->lock);
    }
}

static int opened(int fd, int flags) {
    ready();
    if (fd < 0 || !watching) return fd;
    if (fd >= DESCRIPTORS) give_up("too many descriptors");
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    atomic_store(&open_on[fd], strcmp(path, folder) == 0 ? FOLDER + 1 : 0);
    for (int kind = 0; kind < FILES; kind++) {
        struct file *file = &files[kind];
        if (strcmp(path, file->path) != 0) continue;
        pthread_mutex_lock(&file->lock);
        if (file->shadow < 0) {
            file->shadow = real_open(file->content, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
            if (file->shadow < 0) give_up(file->content);
            /* What a process before this one wrote, and did not sync before it was killed, is in
             * the file and not on the disk. */
            struct stat now;
            if (fstat(fd, &now)) give_up(path);
            remember(file, now.st_size, now.st_size, 1);
            remember(file, 0, now.st_size, 0);
        }
        if (flags & O_TRUNC) remember(file, 0, 0, 1);
        pthread_mutex_unlock(&file->lock);
        atomic_store(&open_on[fd], kind + 1);
    }
    return fd;
}

static int open_mode(int flags, va_list rest) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, int) : 0;
}

#define OPEN(NAME)                                                     \
    int NAME(const char *path, int flags, ...) {                       \
        ready();                                                       \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        int mode = open_mode(flags, rest);                             \
        va_end(rest);                                                  \
        return opened(real_open(path, flags, mode), flags);            \
    }
#define OPENAT(NAME)                                                   \
    int NAME(int at, const char *path, int flags, ...) {               \
        ready();                                                       \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        int mode = open_mode(flags, rest);                             \
        va_end(rest);                                                  \
        return opened(real_openat(at, path, flags, mode), flags);      \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    ready();
    if (fd >= 0 && fd < DESCRIPTORS) atomic_store(&open_on[fd], 0);
    return real_close(fd);
}

/* The next file of this name is another one, with a shadow of its own. */
int unlink(const char *path) {
    ready();
    int done = real_unlink(path);
    for (int kind = 0; watching && !done && kind < FILES; kind++) {
        struct file *file = &files[kind];
        if (strcmp(path, file->path) != 0) continue;
        pthread_mutex_lock(&file->lock);
        real_unlink(file->content);
        if (file->shadow >= 0) real_close(file->shadow);
        file->shadow = -1;
        file->used = 0;
        pthread_mutex_unlock(&file->lock);
    }
    return done;
}

/* Nothing that is watched is ever renamed; a shadow that missed it would not be true. */
int rename(const char *from, const char *to) {
    ready();
    for (int kind = 0; watching && kind < FILES; kind++) {
        if (!strcmp(from, files[kind].path) || !strcmp(to, files[kind].path)) {
            errno = ENOTSUP;
            give_up("rename");
        }
    }
    return real_rename(from, to);
}

/* Writes at a place, or (-1) where the descriptor stands. A write that fails may leave a part. */
static ssize_t put(int fd, const void *bytes, size_t count, off_t at) {
    ready();
    int kind = kind_of(fd);
    int plain = at == -1;
    if (kind < 0 || kind >= FILES) {
        return plain ? real_write(fd, bytes, count) : real_pwrite(fd, bytes, count, at);
    }
    if (plain) at = lseek(fd, 0, SEEK_CUR);
    int error = fault(WRITE, kind);
    struct file *file = &files[kind];
    ssize_t put = error ? real_pwrite(fd, bytes, count / 2, at)
                  : plain ? real_write(fd, bytes, count)
                          : real_pwrite(fd, bytes, count, at);
    pthread_mutex_lock(&file->lock);
    if (put > 0) remember(file, at, at + put, 0);
    pthread_mutex_unlock(&file->lock);
    if (!error) return put;
    errno = error;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t count) { return put(fd, bytes, count, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return put(fd, bytes, count, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) { return put(fd, bytes, count, at); }

static int refused(enum operation operation, int fd) {
    ready();
    int kind = kind_of(fd);
    int error = kind < 0 ? 0 : fault(operation, kind);
    if (error) errno = error;
    return error;
}

ssize_t read(int fd, void *bytes, size_t count) {
    return refused(READ, fd) ? -1 : real_read(fd, bytes, count);
}
ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
    return refused(READ, fd) ? -1 : real_pread(fd, bytes, count, at);
}
ssize_t pread64(int fd, void *bytes, size_t count, off_t at) { return pread(fd, bytes, count, at); }

int ftruncate(int fd, off_t length) {
    if (refused(TRUNCATE, fd)) return -1;
    int kind = kind_of(fd);
    int done = real_ftruncate(fd, length);
    if (!done && kind >= 0 && kind < FILES) {
        struct file *file = &files[kind];
        pthread_mutex_lock(&file->lock);
        remember(file, length, length, 1);
        pthread_mutex_unlock(&file->lock);
    }
    return done;
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

static int sync_file(int fd, int (*real)(int)) {
    ready();
    int kind = kind_of(fd);
    if (kind < 0) return real(fd);
    if (kind == FOLDER) {
        settle_names();
        return 0;
    }
    int delay = atomic_load(&control->sync_delay_us);
    if (delay > 0) usleep(delay);
    int error = fault(SYNC, kind);
    if (error == LIE) return 0;
    if (!error) {
        settle(&files[kind], fd);
        return 0;
    }
    pthread_mutex_lock(&files[kind].lock);
    files[kind].used = 0;
    pthread_mutex_unlock(&files[kind].lock);
    errno = error;
    return -1;
}

int fsync(int fd) { ready(); return sync_file(fd, real_fsync); }
int fdatasync(int fd) { ready(); return sync_file(fd, real_fdatasync); }
