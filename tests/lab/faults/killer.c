/* Counts the system calls that change something outside the process, and kills the process before the n-th of them.
 * The counters lie in a file that the test maps as well. Loaded with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

struct counters {
    atomic_long armed; /* count at all? */
    atomic_long count; /* calls so far */
    atomic_long kill_at; /* die before this one; 0: never */
};

static struct counters *counters;

__attribute__((constructor)) static void map_counters(void)
{
    const char *path = getenv("LAB_SHARED");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *place = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (place != MAP_FAILED)
        counters = place;
}

static void step(void)
{
    if (!counters || !atomic_load(&counters->armed))
        return;
    long number = atomic_fetch_add(&counters->count, 1) + 1;
    if (number == atomic_load(&counters->kill_at))
        kill(getpid(), SIGKILL);
}

#define COUNTED(type, name, parameters, arguments) \
    type name parameters \
    { \
        static type(*real) parameters; \
        if (!real) \
            *(void **)&real = dlsym(RTLD_NEXT, #name); \
        step(); \
        return real arguments; \
    }

COUNTED(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
COUNTED(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
COUNTED(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
COUNTED(int, fsync, (int fd), (fd))
COUNTED(int, fdatasync, (int fd), (fd))
COUNTED(int, ftruncate, (int fd, off_t size), (fd, size))
COUNTED(int, ftruncate64, (int fd, off64_t size), (fd, size))
COUNTED(int, unlink, (const char *path), (path))
COUNTED(int, rename, (const char *from, const char *to), (from, to))
COUNTED(ssize_t, copy_file_range, (int from, off64_t *at, int to, off64_t *there, size_t size, unsigned flags),
        (from, at, to, there, size, flags))
COUNTED(ssize_t, sendfile, (int to, int from, off_t *at, size_t size), (to, from, at, size))
COUNTED(ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
COUNTED(ssize_t, sendto,
        (int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length),
        (fd, data, size, flags, to, length))
COUNTED(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
