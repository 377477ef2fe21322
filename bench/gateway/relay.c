/* The least a gateway can do: reads envelopes from Redis and send()s each frame to the sockets it is for.
 *
 *     relay REDIS_HOST REDIS_PORT
 *
 * Prints the port it listens on. A client names its routing key in its target (`key=…`), all of them in one
 * environment. No proofs, no
 * counts, no keepalive, no limits: what is left is the cost of the system calls, the limit for any gateway.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 65536, SHARDS = 64, KEY = 65, TABLE = 1 << 18, REDIS = MOST, LISTENER = MOST + 1 };

static char keys[MOST][KEY + 1];
static int sockets[TABLE]; /* by the hash of the key: fd, or 0 */
static int connected[MOST], connected_count, poller;

static unsigned hash(const char *key) {
    unsigned value = 2166136261u;
    for (int i = 0; i < KEY; i++) value = (value ^ (unsigned char)key[i]) * 16777619u;
    return value % TABLE;
}

static void add(unsigned token, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)token << 32 | (unsigned)fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void enter(int fd, const char *key) {
    static const char ready[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        "\x81\x40{\"type\":\"ready\",\"connection_id\":\"\",\"unread\":0,\"unseen\":0,\"v\":10}";
    memcpy(keys[fd], key, KEY);
    unsigned at = hash(key);
    while (sockets[at] != 0) at = (at + 1) % TABLE;
    sockets[at] = fd;
    connected[connected_count++] = fd;
    if (write(fd, ready, sizeof ready - 1) < 0) perror("ready");
}

static void forward(const char *payload, int size) {
    const char *body = memchr(payload, '\n', size);
    if (size < KEY + 2 || body == NULL) return;
    int length = size - (++body - payload);
    char frame[65540] = {(char)0x81, (char)length};
    int head = 2;
    if (length > 125) frame[1] = 126, frame[2] = length >> 8, frame[3] = length & 255, head = 4;
    memcpy(frame + head, body, length);
    const char *key = payload + 2;
    if (key[33] == '*') {
        if (connected_count == 0 || memcmp(keys[connected[0]], key, 32) != 0) return; /* another environment */
        for (int i = 0; i < connected_count; i++) send(connected[i], frame, head + length, MSG_NOSIGNAL);
        return;
    }
    for (unsigned at = hash(key); sockets[at] != 0; at = (at + 1) % TABLE)
        if (memcmp(keys[sockets[at]], key, KEY) == 0) send(sockets[at], frame, head + length, MSG_NOSIGNAL);
}

/* A bulk string at *at: its text and length; NULL where it is not all there yet. */
static char *bulk(char *data, int size, int *at, int *length) {
    char *end = memmem(data + *at, size - *at, "\r\n", 2);
    if (end == NULL || data[*at] != '$') return NULL;
    *length = atoi(data + *at + 1);
    char *text = end + 2;
    if (text + *length + 2 > data + size) return NULL;
    *at = text + *length + 2 - data;
    return text;
}

static void listen_to_redis(int fd) {
    static char data[1 << 20];
    static int used;
    ssize_t got = read(fd, data + used, sizeof data - used);
    if (got <= 0) exit(0);
    used += got;
    int done = 0;
    while (used - done > 4 && data[done] == '*') {
        int at = done + 4, length;
        char *kind = bulk(data, used, &at, &length), *channel = NULL, *payload = NULL;
        if (kind != NULL) channel = bulk(data, used, &at, &length);
        if (channel != NULL && strncmp(kind, "subscribe", 9) == 0) { /* ends in :count */
            char *end = memmem(data + at, used - at, "\r\n", 2);
            if (end == NULL) break;
            done = end + 2 - data;
            continue;
        }
        if (channel != NULL) payload = bulk(data, used, &at, &length);
        if (payload == NULL) break;
        forward(payload, length);
        done = at;
    }
    memmove(data, data + done, used -= done);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    int redis = socket(AF_INET, SOCK_STREAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (connect(redis, (struct sockaddr *)&address, sizeof address) < 0) return perror("redis"), 1;
    for (int i = 0; i < SHARDS; i++) dprintf(redis, "SUBSCRIBE bellwire:hints:%d\r\n", i);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    add(REDIS, redis);
    add(LISTENER, listener);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; i++) {
            unsigned token = events[i].data.u64 >> 32;
            int fd = (int)(events[i].data.u64 & 0xffffffff);
            if (token == REDIS) listen_to_redis(fd);
            else if (token == LISTENER) {
                int client = accept(listener, NULL, NULL);
                if (client < 0 || client >= MOST) continue;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                add(0, client);
            } else {
                char head[4096];
                ssize_t got = read(fd, head, sizeof head - 1);
                if (got <= 0) return 0; /* the load is over */
                head[got] = 0;
                char *key = strstr(head, "key=");
                if (key != NULL) enter(fd, key + 4);
            }
        }
    }
}
