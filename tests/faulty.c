/* Lets the nth write, rename or fsync below a folder fail, or be the process's last deed.
   FAULT_OP write|rename|fsync, FAULT_AT n, FAULT_FOR how many calls from there on,
   FAULT_ERRNO a number (0: SIGKILL instead), FAULT_UNDER the folder, FAULT_SEEN a file that is
   made when it has happened.

   Calls are met in the C library. LanceDB puts its files in place by asking the system itself
   (renameat): those are met by a filter that turns them into a signal, on x86-64. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

static int calls;

static int strikes(const char *op, const char *path) {
    const char *wanted = getenv("FAULT_OP"), *under = getenv("FAULT_UNDER");
    if (!wanted || !under || strcmp(op, wanted) || strncmp(path, under, strlen(under))) return 0;
    int at = atoi(getenv("FAULT_AT")), most = atoi(getenv("FAULT_FOR"));
    int call = __sync_add_and_fetch(&calls, 1);
    if (call < at || call >= at + most) return 0;
    close(open(getenv("FAULT_SEEN"), O_CREAT | O_WRONLY, 0600));
    int number = atoi(getenv("FAULT_ERRNO"));
    if (!number) kill(getpid(), SIGKILL);
    errno = number;
    return 1;
}

static int strikes_fd(const char *op, int fd) {
    if (!getenv("FAULT_OP")) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strikes(op, path);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) { REAL(write); return strikes_fd("write", fd) ? -1 : real(fd, data, size); }
ssize_t writev(int fd, const struct iovec *parts, int count) { REAL(writev); return strikes_fd("write", fd) ? -1 : real(fd, parts, count); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { REAL(pwrite); return strikes_fd("write", fd) ? -1 : real(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { REAL(pwrite64); return strikes_fd("write", fd) ? -1 : real(fd, data, size, at); }
int fsync(int fd) { REAL(fsync); return strikes_fd("fsync", fd) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return strikes_fd("fsync", fd) ? -1 : real(fd); }
int rename(const char *from, const char *to) { REAL(rename); return strikes("rename", to) ? -1 : real(from, to); }
int link(const char *from, const char *to) { REAL(link); return strikes("rename", to) ? -1 : real(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) { REAL(linkat); return strikes("rename", to) ? -1 : real(a, from, b, to, flags); }

#if defined(__x86_64__)
/* The sixth argument, which renameat does not have, marks the calls that the filter lets pass. */
#define PASS 0x5ca1ab1e

static void met(int number, siginfo_t *about, void *context) {
    (void)number, (void)about;
    greg_t *held = ((ucontext_t *)context)->uc_mcontext.gregs;
    int before = errno;
    if (strikes("rename", (const char *)held[REG_R10])) held[REG_RAX] = -errno;
    else {
        long done = syscall(held[REG_RAX], held[REG_RDI], held[REG_RSI], held[REG_RDX], held[REG_R10], held[REG_R8], PASS);
        held[REG_RAX] = done < 0 ? -errno : done;
    }
    errno = before;
}

/* Only where renames are to fail: whoever is started without this library inherits the filter and
   not the handler, and dies of a renameat. */
__attribute__((constructor)) static void filter(void) {
    const char *wanted = getenv("FAULT_OP");
    if (!wanted || strcmp(wanted, "rename")) return;
    struct sigaction action = {.sa_sigaction = met, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSYS, &action, NULL);
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PASS, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        fprintf(stderr, "no filter for renames: %s\n", strerror(errno));
        _exit(97);
    }
}
#else
int renameat(int a, const char *from, int b, const char *to) { REAL(renameat); return strikes("rename", to) ? -1 : real(a, from, b, to); }
#endif
