/* Publishes hints at an even rate, each stamped with the moment it was written.
 *
 *     publish REDIS_HOST REDIS_PORT ROUTES PER_SECOND SECONDS
 *
 * ROUTES: a file of `<channel> <routing key>` lines, taken in turn with a large stride.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 65536, STRIDE = 7919 };

static int64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    static char channels[MOST][64], keys[MOST][128];
    int count = 0;
    FILE *file = fopen(argv[3], "r");
    while (file != NULL && count < MOST && fscanf(file, "%63s %127s", channels[count], keys[count]) == 2) count++;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    int redis = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (count == 0 || connect(redis, (struct sockaddr *)&address, sizeof address) < 0) return 1;
    setsockopt(redis, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    long total = atol(argv[4]) * atol(argv[5]);
    int64_t interval = 1000000000LL / atol(argv[4]), due = now_ns(CLOCK_MONOTONIC);
    for (long i = 0; i < total; i++, due += interval) {
        struct timespec until = {due / 1000000000LL, due % 1000000000LL};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        int to = (int)(i * STRIDE % count);
        char payload[512], command[1024], replies[4096];
        int size = snprintf(payload, sizeof payload,
                            "1 %s notification %lld\n{\"type\":\"hint\",\"reason\":\"notification\",\"id\":\"notif_%026lld\"}",
                            keys[to], (long long)now_ns(CLOCK_REALTIME) / 1000, (long long)now_ns(CLOCK_MONOTONIC));
        int length = snprintf(command, sizeof command, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%d\r\n%s\r\n",
                              strlen(channels[to]), channels[to], size, payload);
        if (write(redis, command, length) != length) return 1;
        while (recv(redis, replies, sizeof replies, MSG_DONTWAIT) > 0) {}
    }
    return 0;
}
