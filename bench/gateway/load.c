/* Ten thousand websocket clients in one thread, driven by lines on stdin; answers are lines on stdout.
 *
 *     load HOST PORT TARGETS        TARGETS: a file with one request target (path and query) a line
 *
 *     connect FROM TO INFLIGHT      opens clients [FROM, TO), at most INFLIGHT at a time, until each is ready
 *     reset                         forgets what was measured
 *     hints N MS                    waits for N hint frames that carry a moment, or MS milliseconds
 *     broadcasts N MS               the same for the other hint frames
 *     unread U N MS                 waits until the last counts of N clients say `"unread":U`
 *     close FROM TO                 drops clients without a word
 *
 * A frame's moment is that at which the kernel had it for the client: this one thread, which reads for all of
 * them in turn, measures the server and not itself.
 *
 * Every answer is one JSON object of what was measured since the last reset; times are microseconds, and
 * moments CLOCK_MONOTONIC. A hint whose id is notif_ and 26 digits carries, in nanoseconds, the moment it was
 * published: its latency is counted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CLIENTS = 65536, MOST_SAMPLES = 4000000, BUFFER = 2048 };
enum state { IDLE, CONNECTING, UPGRADING, OPENING, READY, CLOSED };

struct client {
    int fd;
    enum state state;
    int64_t begun;
    long unread;
    int used;      /* bytes of an unfinished frame or head */
    char *rest;    /* BUFFER bytes, only while there are any */
};

static struct client clients[MOST_CLIENTS];
static char *targets[MOST_CLIENTS];
static int target_count, poller, ready_count, failed_count, closed_count;
static struct sockaddr_in server;
static int64_t *samples, *opening;
static long sample_count, opening_count, hint_count, counts_count, ping_count;
static long broadcast_count;
static int64_t first_hint, last_hint, last_broadcast, last_counts;

static int64_t epoch_ns; /* from CLOCK_MONOTONIC to CLOCK_REALTIME */

static int64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double quantile(int64_t *values, long count, double q) {
    if (count == 0) return 0;
    long at = (long)(q * (count - 1) + 0.5);
    return values[at] / 1e3;
}

static void answer(void) {
    qsort(samples, sample_count, sizeof *samples, ascending);
    qsort(opening, opening_count, sizeof *opening, ascending);
    printf("{\"ready\":%d,\"failed\":%d,\"closed\":%d,\"hints\":%ld,\"counts\":%ld,\"pings\":%ld,\"broadcasts\":%ld,"
           "\"first_hint\":%.1f,\"last_hint\":%.1f,\"last_broadcast\":%.1f,\"last_counts\":%.1f,"
           "\"hint_p50\":%.1f,\"hint_p99\":%.1f,\"hint_max\":%.1f,"
           "\"open_p50\":%.1f,\"open_p99\":%.1f,\"open_max\":%.1f}\n",
           ready_count, failed_count, closed_count, hint_count, counts_count, ping_count, broadcast_count,
           first_hint / 1e3, last_hint / 1e3, last_broadcast / 1e3, last_counts / 1e3,
           quantile(samples, sample_count, .5), quantile(samples, sample_count, .99),
           quantile(samples, sample_count, 1), quantile(opening, opening_count, .5),
           quantile(opening, opening_count, .99), quantile(opening, opening_count, 1));
    fflush(stdout);
}

static void reset(void) {
    epoch_ns = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
    sample_count = opening_count = hint_count = counts_count = ping_count = broadcast_count = 0;
    first_hint = last_hint = last_broadcast = last_counts = 0;
}

static void lose(struct client *c) {
    if (c->state == READY) ready_count--, closed_count++;
    else if (c->state != CLOSED) failed_count++;
    c->state = CLOSED;
    close(c->fd);
    free(c->rest);
    c->rest = NULL;
    c->used = 0;
}

static void start(int index) {
    struct client *c = &clients[index];
    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .state = CONNECTING,
                         .begun = now_ns(CLOCK_MONOTONIC), .unread = -1};
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) {
        lose(c);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = index};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void upgrade(int index) {
    struct client *c = &clients[index];
    char head[BUFFER];
    int size = snprintf(head, sizeof head,
                        "GET %s HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        targets[index]);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    c->state = UPGRADING;
    if (write(c->fd, head, size) != size) lose(c);
}

static void take_text(struct client *c, const char *text, int size, int64_t now) {
    if (size > 15 && memcmp(text, "{\"type\":\"hint\"", 14) == 0) {
        const char *id = memmem(text, size, "\"notif_", 7);
        if (id == NULL || id[7] != '0') {
            broadcast_count++;
            last_broadcast = now;
            return;
        }
        hint_count++;
        if (first_hint == 0) first_hint = now;
        last_hint = now;
        if (sample_count < MOST_SAMPLES) samples[sample_count++] = now - strtoll(id + 7, NULL, 10);
    } else if (size > 17 && memcmp(text, "{\"type\":\"counts\"", 16) == 0) {
        counts_count++;
        last_counts = now;
        const char *unread = memmem(text, size, "\"unread\":", 9);
        if (unread != NULL) c->unread = strtol(unread + 9, NULL, 10);
    } else if (size > 15 && memcmp(text, "{\"type\":\"ready\"", 15) == 0 && c->state == OPENING) {
        c->state = READY;
        ready_count++;
        if (opening_count < MOST_CLIENTS) opening[opening_count++] = now - c->begun;
        const char *unread = memmem(text, size, "\"unread\":", 9);
        if (unread != NULL) c->unread = strtol(unread + 9, NULL, 10);
    }
}

/* Takes whole heads and frames off the front; returns how many bytes those were. */
static int take(struct client *c, char *data, int size, int64_t now) {
    int at = 0;
    if (c->state == UPGRADING) {
        char *end = memmem(data, size, "\r\n\r\n", 4);
        if (end == NULL) return 0;
        if (memcmp(data, "HTTP/1.1 101", 12) != 0) {
            lose(c);
            return size;
        }
        c->state = OPENING;
        at = end - data + 4;
    }
    while (size - at >= 2) {
        unsigned char *head = (unsigned char *)data + at;
        int length = head[1] & 127, offset = 2;
        if (length == 126) {
            if (size - at < 4) break;
            length = head[2] << 8 | head[3];
            offset = 4;
        }
        if (size - at < offset + length) break;
        int opcode = head[0] & 15;
        if (opcode == 1) take_text(c, data + at + offset, length, now);
        else if (opcode == 9) {
            static const char pong[] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
            ping_count++;
            if (write(c->fd, pong, sizeof pong) < 0 && errno != EAGAIN) { lose(c); return size; }
        } else if (opcode == 8) { lose(c); return size; }
        at += offset + length;
    }
    return at;
}

/* When the kernel took in the last of what a read returned, as a moment of CLOCK_MONOTONIC. */
static int64_t arrival(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return t.tv_sec * 1000000000LL + t.tv_nsec - epoch_ns;
    }
    return now_ns(CLOCK_MONOTONIC);
}

static void receive(int index) {
    static char buffer[65536 + BUFFER], control[256];
    struct client *c = &clients[index];
    memcpy(buffer, c->rest ? c->rest : "", c->used);
    struct iovec into = {buffer + c->used, 65536};
    struct msghdr message = {.msg_iov = &into, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(c->fd, &message, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) { lose(c); return; }
    int size = c->used + got;
    int taken = take(c, buffer, size, arrival(&message));
    if (c->state == CLOSED) return;
    c->used = size - taken;
    if (c->used > BUFFER) { lose(c); return; }
    if (c->used == 0) { free(c->rest); c->rest = NULL; return; }
    if (c->rest == NULL) c->rest = malloc(BUFFER);
    memcpy(c->rest, buffer + taken, c->used);
}

static void poll_once(int timeout_ms) {
    static struct epoll_event events[1024];
    int count = epoll_wait(poller, events, 1024, timeout_ms);
    for (int i = 0; i < count; i++) {
        int index = events[i].data.u32;
        if (clients[index].state == CONNECTING && events[i].events & EPOLLOUT) upgrade(index);
        else if (clients[index].state != CLOSED && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            receive(index);
    }
}

static void connect_range(int from, int to, int inflight) {
    int next = from, before = ready_count + failed_count;
    while (ready_count + failed_count - before < to - from) {
        while (next < to && next - from - (ready_count + failed_count - before) < inflight) start(next++);
        poll_once(100);
    }
}

static int with_unread(long unread) {
    int found = 0;
    for (int i = 0; i < target_count; i++)
        found += clients[i].state == READY && clients[i].unread == unread;
    return found;
}

static void command(const char *line) {
    int a, b, c;
    long unread;
    if (sscanf(line, "connect %d %d %d", &a, &b, &c) == 3) connect_range(a, b, c);
    else if (strcmp(line, "reset") == 0) reset();
    else if (sscanf(line, "hints %d %d", &a, &b) == 2) {
        int64_t until = now_ns(CLOCK_MONOTONIC) + b * 1000000LL;
        while (hint_count < a && now_ns(CLOCK_MONOTONIC) < until) poll_once(10);
    } else if (sscanf(line, "broadcasts %d %d", &a, &b) == 2) {
        int64_t until = now_ns(CLOCK_MONOTONIC) + b * 1000000LL;
        while (broadcast_count < a && now_ns(CLOCK_MONOTONIC) < until) poll_once(10);
    } else if (sscanf(line, "unread %ld %d %d", &unread, &b, &c) == 3) {
        int64_t until = now_ns(CLOCK_MONOTONIC) + c * 1000000LL;
        while (with_unread(unread) < b && now_ns(CLOCK_MONOTONIC) < until) poll_once(10);
    } else if (sscanf(line, "close %d %d", &a, &b) == 2)
        for (int i = a; i < b; i++) if (clients[i].state != CLOSED) lose(&clients[i]);
    answer();
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &server.sin_addr);
    samples = malloc(MOST_SAMPLES * sizeof *samples);
    opening = malloc(MOST_CLIENTS * sizeof *opening);
    FILE *file = fopen(argv[3], "r");
    char line[BUFFER];
    while (file != NULL && target_count < MOST_CLIENTS && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = 0;
        targets[target_count++] = strdup(line);
    }
    poller = epoll_create1(0);
    int commands = dup(0);
    fcntl(commands, F_SETFL, fcntl(commands, F_GETFL) | O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = MOST_CLIENTS - 1};
    epoll_ctl(poller, EPOLL_CTL_ADD, commands, &event);
    clients[MOST_CLIENTS - 1].state = CLOSED; /* its slot stands for stdin */
    int used = 0;
    for (;;) {
        ssize_t got = read(commands, line + used, sizeof line - 1 - used);
        if (got == 0) return 0;
        if (got > 0) {
            used += got;
            line[used] = 0;
            char *end;
            while ((end = strchr(line, '\n')) != NULL) {
                *end = 0;
                command(line);
                used -= end + 1 - line;
                memmove(line, end + 1, used + 1);
            }
        }
        poll_once(1000);
    }
}
